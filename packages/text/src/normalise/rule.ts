import type { Speech } from './speech.ts';

/** A place in a sentence, at the start of something to be said. */
export interface Place {
  readonly text: string;
  readonly at: number;
  /** The word before, in lower case, if only white space is between. */
  readonly lead: string;
  /** The same as written. */
  readonly leadRaw: string;
  /** The sentence is written in capitals throughout. */
  readonly shouting: boolean;
  /** An equation or sum is near: signs between numbers calculate. */
  readonly math: boolean;
  readonly speech: Speech;
}

export interface Said {
  readonly end: number;
  /** Empty: nothing is said. One space: nothing, and it parts words. */
  readonly spoken: string;
}

/** Reads what stands at a place; nothing if it is none of this rule's business. Looks at a bounded stretch only. */
export type Rule = (place: Place) => Said | undefined;

/** A match of a sticky pattern at `at`. */
export function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The word that follows white space at `at`, as written. */
export function wordAfter(text: string, at: number): string {
  return matchAt(nextWord, text, at)?.[1] ?? '';
}
const nextWord = /[\s\u00a0]{1,3}["'“‘(]?([\p{L}][\p{L}'’-]{0,30})/uy;

/** Whether what ends at `at` ends the sentence: only closing marks follow. */
export const endsSentence = (text: string, at: number): boolean =>
  !/[^\s"'”’»)\]}*_]/u.test(text.slice(at, at + 12)) && at + 12 > text.trimEnd().length;
