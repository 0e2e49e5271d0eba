import { chapterName } from '../lines.ts';
import type { BookInfo, DocumentPart } from './document.ts';

/** Longest that may stand between a book's title and its first chapter and still be a title page: of it all, of a line. */
const longestPage = 300;
const longestLine = 80;
/** Longest line that may be a title. */
const longestTitle = 120;

const hasWords = (text: string) => /[\p{L}\p{N}]/u.test(text);
const isSentence = (text: string) => /[.!?…:;,]["”’»)\]*_]*$/u.test(text) && bylineOf(text) === undefined;
const oneLine = (text: string) => text.replace(/[\s\ufeff]+/gu, ' ').trim();

/** Words of a name that are written small. */
const particles =
  /^(?:and|und|et|y|e|&|the|of|de|del|della|di|da|du|la|le|van|von|vom|den|der|ter|ten|zu|bin|al)$/u;

/** `by Ann Author`, below a title. */
export function bylineOf(text: string): string[] | undefined {
  const found = /^[\s\ufeff*_]*(?:by|von|par|por|de)\s+(\S[^\n\r]{1,78}?)[\s*_]*$/iu.exec(
    text.trimEnd(),
  )?.[1];
  if (found === undefined || !/^\p{Lu}/u.test(found)) return undefined;
  if (found.split(/\s+/u).some((word) => !/^\p{Lu}/u.test(word) && !particles.test(word))) return undefined;
  const names = found.split(/\s*(?:;|&|,|\s(?:and|und|et|y)\s)\s*/u).filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}

/**
 * Puts a title page before the first chapter, and says what it says. A heading is the book's title when it stands first and
 * alone above the chapters; with no sentence below it, it is no chapter of its own: the first chapter begins with
 * it. So do a few words that stand before the first heading. `said` has the last word about the book: it is asked at the end.
 */
export async function* readTitlePage(
  parts: AsyncIterable<DocumentPart> | Iterable<DocumentPart>,
  said: (found: Pick<BookInfo, 'title' | 'authors'>) => BookInfo,
): AsyncGenerator<DocumentPart> {
  type Chapter = Extract<DocumentPart, { type: 'chapter' }>;
  let opening: Chapter | undefined;
  let held: DocumentPart[] | undefined = [];
  let heldLength = 0;
  let isPage = true;
  /** The title's own heading, and the text below it. */
  let blocks = 0;
  let joined = false;
  let likeIt = 0;
  let authors: string[] | undefined;

  const isTitlePage = ({ level }: Chapter, { level: next = 1 }: Chapter) => {
    if (level === undefined) return isPage;
    if (chapterName.test(opening!.title)) return false;
    return level < next ? isPage : level === next && heldLength === 0;
  };

  for await (const part of parts) {
    if (part.type === 'chapter') {
      if (!opening) {
        opening = part;
        continue;
      }
      if (part.level !== undefined && opening.level !== undefined && part.level <= opening.level) likeIt++;
      if (held) {
        joined = isTitlePage(opening, part);
        yield joined ? part : opening;
        yield* held;
        held = undefined;
        if (joined) continue;
      }
      yield part;
      continue;
    }
    if (part.type !== 'block') {
      yield part;
      continue;
    }
    if (opening && part.block.kind !== 'silent' && hasWords(part.block.text)) {
      const isTitle = blocks === 0 && opening.level !== undefined;
      blocks++;
      const text = part.block.text.trim();
      if (!isTitle) {
        heldLength += text.length;
        isPage &&= heldLength <= longestPage && text.length <= longestLine && !isSentence(text);
      }
      if (blocks === 2 && opening.level !== undefined) authors = bylineOf(part.block.text);
    }
    if (!held) yield part;
    else {
      held.push(part);
      if (!opening || isPage) continue;
      yield opening;
      yield* held;
      held = undefined;
    }
  }
  if (held) {
    if (opening) yield opening;
    yield* held;
  }

  const title = opening?.level === undefined ? '' : oneLine(opening.title);
  const isTitle = title !== '' && !chapterName.test(title) && (joined || likeIt === 0);
  const info = said({ ...(isTitle ? { title, ...(authors ? { authors } : {}) } : {}) });
  if (Object.keys(info).length > 0) yield { type: 'info', info };
}

/** What the beginning of a plain text says of it: Project Gutenberg's header, or a line by itself with the author below it. */
export function titleOfText(head: string): BookInfo {
  const named = (name: string) => {
    const found = new RegExp(`^${name}:[ \\t]*(\\S.*(?:\\r?\\n[ \\t]+\\S.*)*)`, 'mu').exec(
      head.slice(0, 2_000),
    );
    return found ? oneLine(found[1]!).slice(0, 1_000) : undefined;
  };
  const title = named('Title');
  if (title !== undefined) {
    const author = named('Author');
    return { title, ...(author === undefined ? {} : { authors: [author] }) };
  }
  const [first, second] = head
    .replace(/^[\s\ufeff]+/u, '')
    .split(/\r?\n[ \t]*(?:\r?\n[ \t]*)+|\r[ \t]*\r/u) as [string, string?];
  // A title stands by itself, and a book follows it.
  const [line, below, ...more] = first.trim().split(/\r\n|\n|\r/u) as [string, string?, ...string[]];
  const byline = bylineOf(below ?? second ?? '');
  const words = oneLine(line.replace(/^#{1,6}\s+/u, ''));
  if (second === undefined || (below !== undefined && !byline) || more.length > 0) return {};
  if (words.length > longestTitle || !hasWords(words) || chapterName.test(words)) return {};
  if (/[.,;:!?…"”’»)\]]$/u.test(words) || /^\W*$/u.test(words)) return {};
  return { title: words, ...(byline ? { authors: byline } : {}) };
}
