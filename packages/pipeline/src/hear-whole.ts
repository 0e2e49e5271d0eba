import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestStore, UtteranceState } from '@rhapsode/store';
import { isAudio } from './assemble.ts';
import { heardState } from './heard-state.ts';
import type { Listening } from './listen.ts';

export interface WholeDeps {
  readonly store: Pick<RequestStore, 'get'>;
  readonly hear: (id: string) => Promise<Listening>;
  readonly signal: AbortSignal;
}

const longestPauseMs = 250;

/**
 * Hears an utterance to its end and keeps nothing of it, unless it was heard before: for whoever wants the length before the first
 * byte. Taking it is what has it made; whoever reads it then reads it from the log. Resolves when the store knows the length of
 * every sentence; rejects with what keeps it from being spoken whole.
 */
export async function hearWhole(id: string, { store, hear, signal }: WholeDeps): Promise<void> {
  const isMade = ({ sealed, finished, segments }: UtteranceState) => sealed && finished >= segments;

  const before = await heardState(store, id);
  if (isMade(before) && before.failed === 0) return;
  const { pieces, consumed, close } = await hear(id);
  try {
    for await (const piece of pieces) if (!isAudio(piece)) consumed(piece.segment + 1);
  } finally {
    await close();
  }
  // The log has the end of a sentence before the store hears of it.
  for (let pauseMs = 1; !isMade(await heardState(store, id)); pauseMs = Math.min(2 * pauseMs, longestPauseMs))
    await sleep(pauseMs, undefined, { signal });
}
