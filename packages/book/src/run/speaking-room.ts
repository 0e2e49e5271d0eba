import type { RequestStore } from '@rhapsode/store';
import type { BookRequest } from '../plan/plan-files.ts';

/** Sentences under way for each slot: while some are stored, others are spoken. */
const perSlot = 4;
const least = 64;
const mostParts = 16;
const askEveryMs = 5_000;

/** Lets in parts of a book while fewer sentences are under way than the workers' slots can use. */
export function createSpeakingRoom(
  store: Pick<RequestStore, 'slots'>,
  { voices }: BookRequest,
  signal: AbortSignal,
) {
  const pools = [...new Set(voices.map(({ pool }) => pool))];
  let sentences = 0;
  let parts = 0;
  let room = least;
  let askedMs = Number.NEGATIVE_INFINITY;
  let changed = Promise.withResolvers<void>();

  async function ask(): Promise<void> {
    if (performance.now() - askedMs < askEveryMs) return;
    askedMs = performance.now();
    const slots = await Promise.all(pools.map((pool) => store.slots(pool))).catch(() => undefined);
    // What can't be asked now is as it was.
    if (slots) room = Math.max(least, perSlot * slots.reduce((sum, one) => sum + one, 0));
  }
  const wake = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  signal.addEventListener('abort', wake, { once: true });

  return {
    /** Waits until there is room for a part; the answer says that it has left. */
    async enter(count: number): Promise<() => void> {
      for (;;) {
        signal.throwIfAborted();
        await ask();
        if (parts === 0 || (sentences < room && parts < mostParts)) break;
        await changed.promise;
      }
      signal.throwIfAborted();
      sentences += count;
      parts += 1;
      return () => {
        sentences -= count;
        parts -= 1;
        wake();
      };
    },
  };
}
