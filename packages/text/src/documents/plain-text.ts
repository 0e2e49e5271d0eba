import { chapterName } from '../lines.ts';
import type { BookInfo, DocumentPart } from './document.ts';
import { readTitlePage, titleOfText } from './title-page.ts';

/** Longest line that may be a heading. */
const longestHeading = 100;
const pieceLength = 16_384;
/** As much of a text as may say what it is. */
const headLength = 4_096;
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
  async function* chapters(): AsyncGenerator<DocumentPart> {
    const splitter = createChapterSplitter();
    for await (const piece of pieces)
      for (let at = 0; at < piece.length; at += pieceLength) {
        const some = piece.slice(at, at + pieceLength);
        if (head.length < headLength) head += some.slice(0, headLength - head.length);
        yield* splitter.feed(some);
      }
    yield* splitter.finish();
  }
  yield* readTitlePage(chapters(), () => ({ ...titleOfText(head), ...about }));
}

function createChapterSplitter() {
  let started = false;
  let blankBefore = true;
  let rest = '';
  /** In the middle of a line too long for a heading. */
  let inLong = false;
  const held: string[] = [];

  const block = (text: string): DocumentPart[] =>
    text === '' ? [] : [...start(''), { type: 'block', block: { kind: 'text', text, open: true } }];
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
        yield* start(first.trim().replace(/^\ufeff/u, ''));
        yield* block(first);
        continue;
      }
      if (third === undefined && !final) return;
      // A subtitle on the next line belongs to the title.
      const subtitle = second.length <= longestHeading && !/[.,;:]\s*$/u.test(second) && !isTitle(second);
      held.shift();
      blankBefore = false;
      if (subtitle && (third === undefined || isBlank(third)))
        yield* start(`${first.trim().replace(/[.:]$/u, '')}: ${second.trim()}`);
      else if (/^\s*(?:\d+|[IVXLC]+)\.?\s*$/u.test(first)) {
        // A number alone before more lines is a page's or a list's.
        yield* block(first);
        continue;
      }
      yield* block(first);
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
    *finish(): Generator<DocumentPart> {
      if (rest !== '') {
        if (inLong) yield* block(rest);
        else held.push(rest);
      }
      yield* settle(true);
      if (!started) yield* start('');
    },
  };
}
