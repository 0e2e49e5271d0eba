import { setTimeout as sleep } from 'node:timers/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import type { RequestStore } from '@rhapsode/store';
import { isAudio } from './assemble.ts';
import type { Listening } from './listen.ts';

const longestPauseMs = 250;

/**
 * Hears an utterance to its end and keeps nothing of it: for whoever wants the length before the first byte. Taking it is what
 * has it made, whoever reads it then reads it from the log. Resolves when the store knows the length of every sentence; rejects
 * with what keeps it from being spoken whole.
 */
export async function hearWhole(
  { utterance: { id }, pieces, consumed, close }: Listening,
  { store, signal }: { readonly store: Pick<RequestStore, 'get'>; readonly signal: AbortSignal },
): Promise<void> {
  try {
    for await (const piece of pieces) if (!isAudio(piece)) consumed(piece.segment + 1);
  } finally {
    await close();
  }
  // The log has the end of a sentence before the store hears of it.
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const state = await store.get(id);
    if (!state) throw new RhapsodeError('utterance_not_found', { message: `there is no utterance ${id}` });
    if (state.cancelled) throw new RhapsodeError('cancelled', { message: `utterance ${id} was cancelled` });
    if (state.sealed && state.finished >= state.segments) return;
    await sleep(pauseMs, undefined, { signal });
  }
}
