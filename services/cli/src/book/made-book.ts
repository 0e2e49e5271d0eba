import type { BookView } from '@rhapsode/book';
import { isErrorCode, RhapsodeError } from '@rhapsode/contracts';

/** What the last line of `rhapsode book --json` says. */
export interface MadeBook {
  readonly files: readonly string[];
  readonly chapters: number;
  readonly sentences: number;
  /** For this run: not those that were spoken before it. */
  readonly sentencesSynthesized: number;
  /** Those that no attempt could speak, whether they are silent now or another voice speaks them. */
  readonly sentencesFailed: number;
  readonly audioSeconds: number;
  readonly elapsedSeconds: number;
}

export function madeBook(
  view: BookView,
  files: readonly string[],
  startedAt: number,
  spokenBefore = 0,
): MadeBook {
  const { chapters, sentences, result } = view;
  return {
    files,
    chapters,
    sentences,
    sentencesSynthesized: Math.max(0, (result?.sentences_synthesized ?? 0) - spokenBefore),
    sentencesFailed: (result?.sentences_silent ?? 0) + (result?.sentences_fallback ?? 0),
    audioSeconds: result?.audio_seconds ?? 0,
    elapsedSeconds: Math.round(performance.now() - startedAt) / 1000,
  };
}

export const hasEnded = ({ state }: BookView): boolean => !['queued', 'running', 'paused'].includes(state);

/** Throws what stopped the book. */
export function checkEnded({ state, result }: BookView): void {
  if (state === 'cancelled') throw new RhapsodeError('cancelled', { message: 'the book was cancelled' });
  if (state !== 'failed') return;
  const { code, message, sentence } = result?.error ?? { code: 'internal_error', message: 'the book failed' };
  throw new RhapsodeError(isErrorCode(code) ? code : 'internal_error', {
    message: sentence === undefined ? message : `sentence ${sentence}: ${message}`,
  });
}
