import { type BookInfo, type DocumentPart, documentLimits, type ReadOptions } from './document.ts';
import { createHtmlReader, type HtmlBlock } from './html.ts';
import { languageTag } from './language-tag.ts';
import { readTitlePage } from './title-page.ts';

type Reader = ReturnType<typeof createHtmlReader>;

/** An HTML page. Its first and second headings start chapters; a first heading above them all is its title. */
export async function* readHtml(
  pieces: AsyncIterable<string> | Iterable<string>,
  options: ReadOptions = {},
  /** Of the file that it is from. */
  about: BookInfo = {},
): AsyncGenerator<DocumentPart> {
  const { depth } = { ...documentLimits, ...options.limits };
  const reader = createHtmlReader({ depth, notes: options.notes ?? false });
  yield* readTitlePage(readBlocks(pieces, reader), (found) => {
    const authors = reader.authors.length > 0 ? reader.authors : (about.authors ?? found.authors);
    const title = titleOf(reader.title, found.title) ?? about.title;
    return { ...(title ? { title } : {}), ...(authors ? { authors } : {}) };
  });
}

/** A page's title often has more than the book's: the name of the place where it is. */
function titleOf(page: string, heading: string | undefined): string | undefined {
  if (page === '' || heading === undefined) return page || heading;
  return page.toLowerCase().includes(heading.toLowerCase()) ? heading : page;
}

async function* readBlocks(
  pieces: AsyncIterable<string> | Iterable<string>,
  reader: Reader,
): AsyncGenerator<DocumentPart> {
  let started = false;
  let told = false;
  function* show(blocks: readonly HtmlBlock[]): Generator<DocumentPart> {
    const language = languageTag(reader.language);
    if (!told && language !== undefined) yield { type: 'info', info: { language } };
    told ||= language !== undefined;
    for (const block of blocks) {
      if (block.kind === 'heading' && (block.level ?? 6) <= 2) {
        started = true;
        yield { type: 'chapter', title: block.text.trim().replace(/\s+/gu, ' '), level: block.level ?? 2 };
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
