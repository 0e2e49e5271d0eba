import type { SegmentEnd } from './plan.ts';

export interface SentenceCut {
  readonly end: number;
  readonly ends: SegmentEnd;
}

/** What a decision says: an end, not an end, or not enough text yet. */
export type Verdict = SentenceCut | 'no' | 'wait';

/** Code units after which a sentence is cut even where none ends; and how far a decision may look ahead. */
export const maxSentence = 4096;
export const lookahead = 64;
/** A decision about the last code unit of the longest sentence still sees its whole look ahead. */
export const windowLength = maxSentence + 2 * lookahead;

/** A sentence that begins at 0 and what follows it: at most `windowLength` code units, so no rule can run away. */
export interface View {
  readonly text: string;
  /** Nothing follows the text. */
  readonly final: boolean;
}

const lineBreaks = /\r\n|[\n\r\u000b\u0085\u2028]|[\u000c\u2029]/gu;

/** Line breaks in white space; `\r\n` is one, a form feed and a paragraph separator are two. */
export function countBreaks(space: string): number {
  let breaks = 0;
  for (const [found] of space.matchAll(lineBreaks))
    breaks += found === '\u000c' || found === '\u2029' ? 2 : 1;
  return breaks;
}

/** The text between white space and `at`, at most `most` code units of it. */
export function tokenBefore(text: string, at: number, most = 48): string {
  let from = at;
  while (from > 0 && at - from < most && !/\s/u.test(text[from - 1]!)) from--;
  return text.slice(from, at);
}

/** The part of the line before `at`, at most 256 code units of it. */
export function lineBefore(text: string, at: number): string {
  let from = at;
  while (from > 0 && at - from < 256 && !/[\n\r\u000b\u000c\u0085\u2028\u2029]/u.test(text[from - 1]!))
    from--;
  return text.slice(from, at);
}

/** Where a sticky pattern that starts at `at` ends. */
export function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
