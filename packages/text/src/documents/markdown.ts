import MarkdownIt from 'markdown-it';
import type { BlockKind, DocumentPart, ReadOptions } from './document.ts';
import { type FrontMatter, readFrontMatter } from './front-matter.ts';
import { readTitlePage } from './title-page.ts';

/** `[label]: where it points to`, `[^1]: a note`. */
const definition = /^ {0,3}\[(\^?[^\]\n]{1,200})\]:\s*\S/u;

/**
 * The blocks of a CommonMark text as they are written: marks and all, so that their spans are spans of the file. What is
 * markup within a block says nothing. Headings of the first level that occurs more than once start chapters; one above them
 * all is the book's title, where no front matter says another.
 */
export async function* readMarkdown(
  text: string,
  { notes = false }: ReadOptions = {},
): AsyncGenerator<DocumentPart> {
  const front = readFrontMatter(text);
  const { language } = front?.info ?? {};
  if (language !== undefined) yield { type: 'info', info: { language } };
  yield* readTitlePage(readBlocks(text, front, notes), (found) => ({ ...found, ...front?.info }));
}

function* readBlocks(text: string, front: FrontMatter | undefined, notes: boolean): Generator<DocumentPart> {
  const markdown = new MarkdownIt('commonmark', { html: true }).enable('table');
  const lines = lineStarts(text);
  const from = front?.length ?? 0;
  // What is not to be read leaves its lines, and a byte order mark a space, so that every line keeps its number.
  const before = '\n'.repeat(lines.findLastIndex((start) => start <= from));
  const body = (from > 0 ? before + text.slice(from) : text).replace(/^\ufeff/u, ' ');
  const plain = body.replace(/\r\n|\r/gu, '\n');
  const known: NonNullable<Parameters<typeof markdown.parse>[1]> = {};
  const tokens = markdown.parse(plain, known);
  const at = (line: number) => lines[line] ?? text.length;

  interface Span {
    start: number;
    kind: BlockKind;
    heading?: { level: number; title: string };
  }
  const spans: Span[] = [];
  let quote = 0;
  let item = 0;
  for (let n = 0; n < tokens.length; n++) {
    const token = tokens[n]!;
    if (token.type === 'blockquote_open') quote++;
    if (token.type === 'blockquote_close') quote--;
    if (token.type === 'list_item_open') item++;
    if (token.type === 'list_item_close') item--;
    if (!token.map) continue;
    const start = at(token.map[0]);
    const inner = tokens[n + 1];
    if (token.type === 'heading_open')
      spans.push({
        start,
        kind: 'heading',
        heading: { level: Number(token.tag.slice(1)), title: plainTitle(inner?.children ?? []) },
      });
    else if (token.type === 'paragraph_open')
      spans.push({ start, kind: item > 0 ? 'item' : quote > 0 ? 'quote' : 'paragraph' });
    else if (token.type === 'hr') spans.push({ start, kind: 'scene' });
    else if (token.type === 'fence' || token.type === 'code_block') spans.push({ start, kind: 'paragraph' });
    else if (token.type === 'html_block')
      spans.push({ start, kind: /^\s*<!--/u.test(token.content) ? 'silent' : 'paragraph' });
    else if (token.type === 'tr_open') spans.push({ start, kind: 'item' });
  }
  // Where links point to, and notes unless they are asked for, stand in the text and are no part of what it tells.
  const code = new Set<number>();
  for (const { type, map } of tokens)
    if (map && (type === 'fence' || type === 'code_block'))
      for (let line = map[0]; line < map[1]; line++) code.add(line);
  for (const [line, words] of plain.split('\n').entries()) {
    const label = definition.exec(words)?.[1];
    if (label === undefined || code.has(line)) continue;
    const isNote = label.startsWith('^');
    if (isNote ? notes : !Object.hasOwn(known.references ?? {}, markdown.utils.normalizeReference(label)))
      continue;
    const start = at(line);
    const span = spans.find((one) => one.start === start);
    if (span) span.kind = 'silent';
    else spans.push({ start, kind: 'silent' });
  }
  spans.sort((a, b) => a.start - b.start);
  const levels = spans.flatMap(({ heading }) => (heading ? [heading.level] : []));
  const chapterLevel =
    levels.find((level) => levels.filter((other) => other === level).length > 1) ?? levels[0] ?? 1;

  let started = false;
  let done = 0;
  if (from > 0) {
    yield { type: 'block', block: { kind: 'silent', text: text.slice(0, from) } };
    done = from;
  }
  const shown = spans.filter(({ start }, n) => start !== spans[n - 1]?.start);
  for (const [n, { kind, heading }] of shown.entries()) {
    const end = shown[n + 1]?.start ?? text.length;
    if (heading && heading.level <= chapterLevel) {
      started = true;
      yield { type: 'chapter', title: heading.title, level: heading.level };
    } else if (!started && kind !== 'silent') {
      started = true;
      yield { type: 'chapter', title: '' };
    }
    if (end > done) yield { type: 'block', block: { kind, text: text.slice(done, end) } };
    done = end;
  }
  if (!started) yield { type: 'chapter', title: '' };
  if (done < text.length) yield { type: 'block', block: { kind: 'paragraph', text: text.slice(done) } };
}

const plainTitle = (children: readonly { type: string; content: string }[]): string =>
  children
    .map(({ type, content }) =>
      type === 'text' || type === 'code_inline'
        ? content
        : type === 'softbreak' || type === 'hardbreak'
          ? ' '
          : '',
    )
    .join('')
    .replace(/\s*\{[#.][^{}\n]{0,80}\}\s*$/u, '')
    .trim();

function lineStarts(text: string): number[] {
  const starts = [0];
  for (const { 0: found, index } of text.matchAll(/\r\n|\r|\n/gu)) starts.push(index + found.length);
  return starts;
}
