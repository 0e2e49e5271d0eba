/** A text that begins so may be a file of Project Gutenberg's. */
const opening = /^[\s\ufeff]*(?:\*\*\*\s?start of|the project gutenberg|project gutenberg)/iu;
const longestOpening = 64;
const startLine = /^[ \t]*\*\*\* ?START OF TH(?:E|IS) PROJECT GUTENBERG[^\n]*\n\s*/imu;
const endLine =
  /^[ \t]*(?:\*\*\* ?END OF TH(?:E|IS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg)/imu;
/** Longest that may stand before a book, and that a line which ends it may be. */
const longestBefore = 16_384;
const longestLine = 256;

export interface Stretch {
  readonly kind: 'book' | 'licence';
  readonly text: string;
}

/**
 * Tells the book in a file of Project Gutenberg's from the licence before it and behind it: both are marked by lines of
 * their own. Every character comes out again, in order; any other text is all book.
 */
export async function* withoutLicence(
  pieces: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<Stretch> {
  let state: 'opening' | 'before' | 'book' | 'behind' | 'other' = 'opening';
  let held = '';
  function* take(final: boolean): Generator<Stretch> {
    if (state === 'opening') {
      if (held.length < longestOpening && !final) return;
      state = opening.test(held) ? 'before' : 'other';
    }
    if (state === 'before') {
      const found = startLine.exec(held);
      const end = found ? found.index + found[0].length : 0;
      // What follows the line may still be blank.
      if (!final && held.length < longestBefore && (!found || end === held.length)) return;
      state = found ? 'book' : 'other';
      if (found) {
        yield { kind: 'licence', text: held.slice(0, end) };
        held = held.slice(end);
      }
    }
    if (state === 'book') {
      const found = endLine.exec(held);
      if (found) {
        if (found.index > 0) yield { kind: 'book', text: held.slice(0, found.index) };
        held = held.slice(found.index);
        state = 'behind';
      } else {
        // The last line may be half there.
        const from = final ? held.length : Math.max(held.lastIndexOf('\n') + 1, held.length - longestLine);
        if (from > 0) yield { kind: 'book', text: held.slice(0, from) };
        held = held.slice(from);
      }
    }
    if (
      held !== '' &&
      (state === 'other' || (state === 'behind' && (final || held.length > longestBefore)))
    ) {
      yield { kind: state === 'other' ? 'book' : 'licence', text: held };
      held = '';
    }
  }
  for await (const piece of pieces) {
    held += piece;
    yield* take(false);
  }
  yield* take(true);
}
