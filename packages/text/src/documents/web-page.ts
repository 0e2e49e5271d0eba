import { type DocumentPart, documentLimits, type ReadOptions } from './document.ts';
import { createHtmlReader, type HtmlBlock } from './html.ts';

/** An HTML page. Its first and second headings start chapters. */
export async function* readHtml(
  pieces: AsyncIterable<string> | Iterable<string>,
  options: ReadOptions = {},
): AsyncGenerator<DocumentPart> {
  const { depth } = { ...documentLimits, ...options.limits };
  const reader = createHtmlReader({ depth, notes: options.notes ?? false });
  let started = false;
  function* show(blocks: readonly HtmlBlock[]): Generator<DocumentPart> {
    for (const block of blocks) {
      if (block.kind === 'heading' && (block.level ?? 6) <= 2) {
        started = true;
        yield { type: 'chapter', title: block.text.trim().replace(/\s+/gu, ' ') };
      } else if (!started) {
        started = true;
        yield { type: 'chapter', title: reader.title };
      }
      yield { type: 'block', block };
    }
  }
  for await (const piece of pieces) yield* show(reader.write(piece));
  yield* show(reader.end());
  if (!started) yield { type: 'chapter', title: reader.title };
}
