import type { Override } from './overrides.ts';

export interface InlinePause {
  readonly start: number;
  readonly end: number;
  readonly ms: number;
}

/** Longest pause that a text may ask for. */
export const longestPauseMs = 60_000;

const pause = /\[pause:\s?(\d{1,5}(?:\.\d{1,6})?)\s?(ms|s)\]/giu;
const pausePart = /\[(?:p(?:a(?:u(?:s(?:e(?::[\d.\sms]{0,16})?)?)?)?)?)?$/iu;
const sounds = /\[([^\][\n]{1,100})\]\(\/([^/\n]{1,200})\/\)/gu;

/** The first `[pause:1.5s]`. */
export function findPause(text: string): InlinePause | undefined {
  pause.lastIndex = 0;
  const found = pause.exec(text);
  if (!found) return undefined;
  const ms = Math.min(longestPauseMs, Number(found[1]) * (found[2]!.toLowerCase() === 's' ? 1000 : 1));
  return { start: found.index, end: found.index + found[0].length, ms };
}

/** Where a pause begins that is half there. */
export const pauseMayStart = (text: string): boolean => pausePart.test(text.slice(-32));

/** `[word](/ipa/)`. */
export const findSounds = (text: string): { override: Override; written: string; writtenAt: number }[] =>
  [...text.matchAll(sounds)].map(({ 0: all, 1: written, 2: ipa, index }) => ({
    override: { start: index, end: index + all.length, ipa: ipa! },
    written: written!,
    writtenAt: index + 1,
  }));
