import { setTimeout as sleep } from 'node:timers/promises';
import { RhapsodeError } from '@rhapsode/contracts';

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/** Does something that is harmless to repeat until a server that is away has come back, or nobody wants it any more. */
export async function persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RhapsodeError) || error.status !== 503) throw error;
      signal.throwIfAborted();
      await sleep(pauseMs, undefined, { signal });
    }
  }
}
