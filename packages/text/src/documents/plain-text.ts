import { chapterName } from '../lines.ts';
import type { BookInfo, DocumentPart } from './document.ts';
import { withoutLicence } from './licence.ts';
import { readTitlePage, titleOfText } from './title-page.ts';

/** Longest line that may be a heading. */
const longestHeading = 100;
const pieceLength = 16_384;
/** As much of a text as may say what it is. */
const headLength = 4_096;
/** Of a title and the blank lines behind it. */
const longestRun = 1_024;
const lineEnd = /\r\n|\n|\r(?!$)|\u2028|\u0085/gu;

/**
 * Chapters of plain text: a line by itself that names one (`Chapter 4`, `IV.`, `Prologue`), with a blank line or nothing
 * before it and behind it or its subtitle. Holds three short lines at most. Its title is what its beginning says.
 */
export async function* readPlainText(
  pieces: AsyncIterable<string> | Iterable<string>,
  /** Of the file that it is from. */
  about: BookInfo = {},
): AsyncGenerator<DocumentPart> {
  let head = '';
  const silent = (text: string): DocumentPart => ({ type: 'block', block: { kind: 'silent', text } });
  async function* chapters(): AsyncGenerator<DocumentPart> {
    const splitter = createChapterSplitter();
    for await (const { kind, text } of withoutLicence(noting(pieces))) {
      if (kind === 'book') yield* splitter.feed(text);
      else {
        yield* splitter.pause();
        yield silent(text);
      }
    }
    yield* splitter.finish();
  }
  async function* noting(all: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
    for await (const piece of all)
      for (let at = 0; at < piece.length; at += pieceLength) {
        const some = piece.slice(at, at + pieceLength);
        if (head.length < headLength) head += some.slice(0, headLength - head.length);
        yield some;
      }
  }
  yield* readTitlePage(chapters(), () => ({ ...titleOfText(head), ...about }));
}

/** What a title counts: chapters, parts, or nothing but itself. */
const kindOf = (title: string): string =>
  /^(?:\d+|[IVXLC]+)\b/u.test(title) ? '#' : (/\p{L}{4,}/u.exec(title)?.[0].toLowerCase() ?? title);

function createChapterSplitter() {
  let started = false;
  let blankBefore = true;
  let rest = '';
  /** In the middle of a line too long for a heading. */
  let inLong = false;
  const held: string[] = [];

  /** Titles with nothing told between them, oldest first, each with its lines. */
  const run: { title: string; text: string }[] = [];
  let isContents = false;
  const told = (text: string): DocumentPart[] =>
    text === '' ? [] : [...start(''), { type: 'block', block: { kind: 'text', text, open: true } }];
  function* block(text: string): Generator<DocumentPart> {
    if (text === '') return;
    const last = run.at(-1);
    if (last && isBlank(text) && last.text.length < longestRun) {
      last.text += text;
      return;
    }
    yield* endRun();
    yield* told(text);
  }
  function* chapter(title: string, text: string): Generator<DocumentPart> {
    run.push({ title, text });
    isContents ||= run.length > 1 && kindOf(title) === kindOf(run.at(-2)!.title);
    while (run.length > 3) yield* shift();
  }
  /** A title that another of its kind follows at once is a line of the contents: of a chapter something is told. */
  function* shift(): Generator<DocumentPart> {
    const { title, text } = run.shift()!;
    const next = run[0];
    const listed = next !== undefined && isContents && !/^(?:contents|inhalt)/iu.test(title);
    if (!listed) yield* start(title);
    yield* told(text);
  }
  function* endRun(): Generator<DocumentPart> {
    while (run.length > 0) yield* shift();
    isContents = false;
  }
  const start = (title: string): DocumentPart[] => {
    if (started && title === '') return [];
    started = true;
    return [title === '' ? { type: 'chapter', title } : { type: 'chapter', title, level: 1 }];
  };
  const isBlank = (line: string) => line.trim() === '' || /^[\s\ufeff]*$/u.test(line);
  const isTitle = (line: string) =>
    line.length <= longestHeading &&
    chapterName.test(line.trim().replace(/^\ufeff/u, '')) &&
    !/^\s*[iI]\s*$/u.test(line);

  /** What is held becomes a heading, or is let go line by line. */
  function* settle(final: boolean): Generator<DocumentPart> {
    while (held.length > 0) {
      const [first, second, third] = held as [string, string | undefined, string | undefined];
      if (!(blankBefore && isTitle(first))) {
        held.shift();
        blankBefore = isBlank(first);
        yield* block(first);
        continue;
      }
      if (second === undefined && !final) return;
      if (second === undefined || isBlank(second)) {
        held.shift();
        blankBefore = false;
        yield* chapter(first.trim().replace(/^\ufeff/u, ''), first);
        continue;
      }
      if (third === undefined && !final) return;
      // A subtitle on the next line belongs to the title.
      const subtitle = second.length <= longestHeading && !/[.,;:]\s*$/u.test(second) && !isTitle(second);
      held.shift();
      blankBefore = false;
      // A number alone before more lines is a page's or a list's.
      if (subtitle && (third === undefined || isBlank(third)))
        yield* chapter(`${first.trim().replace(/[.:]$/u, '')}: ${second.trim()}`, first);
      else yield* block(first);
    }
  }

  function* line(text: string): Generator<DocumentPart> {
    if (text.length > longestHeading + 2 && held.length === 0) {
      blankBefore = false;
      yield* block(text);
      return;
    }
    held.push(text);
    yield* settle(false);
  }

  /** All that is held, as if the text ended here. */
  function* pause(): Generator<DocumentPart> {
    if (rest !== '') {
      if (inLong) yield* block(rest);
      else held.push(rest);
    }
    rest = '';
    inLong = false;
    yield* settle(true);
    yield* endRun();
  }

  return {
    *feed(piece: string): Generator<DocumentPart> {
      rest += piece;
      let at = 0;
      for (const found of rest.matchAll(lineEnd)) {
        const end = found.index + found[0].length;
        const text = rest.slice(at, end);
        at = end;
        if (inLong) {
          inLong = false;
          blankBefore = false;
          yield* block(text);
        } else yield* line(text);
      }
      rest = rest.slice(at);
      if (rest.length > 4 * longestHeading && !rest.endsWith('\r')) {
        yield* settle(true);
        yield* block(rest);
        rest = '';
        inLong = true;
      }
    },
    pause,
    *finish(): Generator<DocumentPart> {
      yield* pause();
      if (!started) yield* start('');
    },
  };
}
