import { setTimeout as sleep } from 'node:timers/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import type { RequestStore, UtteranceState } from '@rhapsode/store';
import { isAudio } from './assemble.ts';
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
  async function state(): Promise<UtteranceState> {
    const found = await store.get(id);
    if (!found) throw new RhapsodeError('utterance_not_found', { message: `there is no utterance ${id}` });
    if (found.cancelled) throw new RhapsodeError('cancelled', { message: `utterance ${id} was cancelled` });
    return found;
  }
  const isMade = ({ sealed, finished, segments }: UtteranceState) => sealed && finished >= segments;

  const before = await state();
  if (isMade(before) && before.failed === 0) return;
  const { pieces, consumed, close } = await hear(id);
  try {
    for await (const piece of pieces) if (!isAudio(piece)) consumed(piece.segment + 1);
  } finally {
    await close();
  }
  // The log has the end of a sentence before the store hears of it.
  for (let pauseMs = 1; !isMade(await state()); pauseMs = Math.min(2 * pauseMs, longestPauseMs))
    await sleep(pauseMs, undefined, { signal });
}
