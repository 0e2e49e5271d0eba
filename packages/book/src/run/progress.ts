import type { BookProgress } from '../book-facts.ts';
import type { RenderProgress } from '../render/port.ts';

const windowMs = 30_000;
const leastMs = 1_000;

export interface ProgressOptions {
  readonly now?: () => number;
  /** Sentences that others spoke for the same edition. */
  readonly synthesizedBefore?: number;
}

/**
 * Counts what a book has, and how fast it comes: the rate is of what was spoken lately, not of what was found. While files are
 * made, what is left is judged by how long the chapters that were encoded since have taken.
 */
export function createProgress(
  totalCharacters: number,
  { now = () => performance.now(), synthesizedBefore = 0 }: ProgressOptions = {},
) {
  let stage: BookProgress['stage'] = 'speaking';
  let characters = 0;
  let sentences = 0;
  let synthesized = synthesizedBefore;
  let chapters = 0;
  let audioMs = 0;
  let encodingSinceMs: number | undefined;
  let encoded: { readonly chapters: number; readonly of: number } | undefined;
  const spoken: { atMs: number; characters: number }[] = [];

  function rate(): number | undefined {
    const nowMs = now();
    while (spoken.length > 0 && spoken[0]!.atMs < nowMs - windowMs) spoken.shift();
    const first = spoken[0];
    if (!first || nowMs - first.atMs < leastMs) return undefined;
    return (spoken.reduce((sum, one) => sum + one.characters, 0) / (nowMs - first.atMs)) * 1000;
  }

  return {
    get synthesized() {
      return synthesized;
    },
    sentence(sentence: { start: number; end: number }, fresh: boolean) {
      sentences += 1;
      characters += sentence.end - sentence.start;
      if (!fresh) return;
      synthesized += 1;
      const last = spoken.at(-1);
      const atMs = now();
      // One entry for each tenth of a second is enough.
      if (last && atMs - last.atMs < 100) last.characters += sentence.end - sentence.start;
      else spoken.push({ atMs, characters: sentence.end - sentence.start });
    },
    audio(ms: number) {
      audioMs += ms;
    },
    chapter() {
      chapters += 1;
    },
    rendering() {
      stage = 'rendering';
      encodingSinceMs = undefined;
      encoded = undefined;
    },
    rendered({ stage: step, chapter, chapters: of }: RenderProgress) {
      // The last chapter that is measured is where encoding begins.
      if (step === 'measure') encodingSinceMs = now();
      if (step === 'encode') encoded = { chapters: chapter, of };
    },
    snapshot(): BookProgress {
      if (stage === 'rendering') {
        const sinceMs = encodingSinceMs === undefined ? 0 : now() - encodingSinceMs;
        const eachMs = encoded && sinceMs >= leastMs ? sinceMs / encoded.chapters : undefined;
        return {
          ...{ stage, characters, sentences, synthesized, chapters, audioMs: Math.round(audioMs) },
          ...(encoded && eachMs !== undefined
            ? { etaSeconds: ((encoded.of - encoded.chapters) * eachMs) / 1000 }
            : {}),
        };
      }
      const charactersPerSecond = rate();
      const left = totalCharacters - characters;
      return {
        ...{ stage, characters, sentences, synthesized, chapters, audioMs: Math.round(audioMs) },
        ...(charactersPerSecond === undefined
          ? {}
          : { charactersPerSecond, etaSeconds: Math.max(0, left / charactersPerSecond) }),
      };
    },
  };
}
export type Progress = ReturnType<typeof createProgress>;
