import type { BookPlan } from './plan/plan-files.ts';

export interface SentencePlace {
  readonly chapter: number;
  readonly part: number;
  readonly index: number;
}

/** Where sentence `n` of a book stands; undefined if it has no such sentence. */
export function locateSentence({ chapters }: BookPlan, n: number): SentencePlace | undefined {
  for (const { index: chapter, firstSentence, sentences, parts } of chapters) {
    let left = n - firstSentence;
    if (left < 0 || left >= sentences) continue;
    for (const [part, length] of parts.entries()) {
      if (left < length) return { chapter, part, index: left };
      left -= length;
    }
  }
  return undefined;
}
