import { RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import type { RequestStore } from '@rhapsode/store';

/** How long somebody who listens over the network waits in silence before it is asked whether anything can come at all. */
export const listenerPatienceMs = 300_000;

export interface PatienceDeps {
  readonly store: Pick<RequestStore, 'get' | 'slots'>;
  readonly log: Pick<AudioLog, 'ping'>;
  /** For ever if not given. */
  readonly patienceMs?: number | undefined;
}

/**
 * Waits for what a listener waits for. When that lasts, asks whether it is of use: a sentence in a long line, or a text that is
 * still being written, may be waited for; where there is no worker, no store or no log, `giveUp` is told.
 */
export async function waitPatiently<T>(
  id: string,
  next: () => Promise<T>,
  giveUp: (reason: RhapsodeError) => void,
  { store, log, patienceMs }: PatienceDeps,
): Promise<T> {
  if (patienceMs === undefined) return next();
  let waiting = true;
  const ask = setInterval(async () => {
    try {
      await log.ping();
      const state = await store.get(id);
      if (!state || (!state.sealed && state.finished === state.segments)) return;
      const { pool } = state.utterance;
      if ((await store.slots(pool)) === 0) throw new Error(`no worker of the pool '${pool}' is there`);
    } catch (cause) {
      const message = `nothing came for ${patienceMs / 1000} s: ${(cause as Error).message}`;
      if (waiting) giveUp(new RhapsodeError('engine_timeout', { message, cause }));
    }
  }, patienceMs);
  try {
    return await next();
  } finally {
    waiting = false;
    clearInterval(ask);
  }
}
