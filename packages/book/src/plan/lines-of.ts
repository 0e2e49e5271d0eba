/**
 * The lines of a stream, as it is read: whoever takes them slowly has the writer wait. Node's own reader of lines runs up to a
 * thousand of them ahead, which may be a whole book, and ends a line also at U+2028, which JSON does not escape.
 */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let begun = '';
  for await (const piece of text) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      yield begun + piece.slice(from, end);
      begun = '';
      from = end + 1;
    }
    begun += piece.slice(from);
  }
  if (begun !== '') yield begun;
}
