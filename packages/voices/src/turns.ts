/** One computation at a time on this thread, and whose it is. */
export interface Turns {
  take<T>(turn: Turn, work: () => Promise<T>): Promise<T>;
}

export interface Turn {
  readonly bulk: boolean;
  /** When the listener will have heard what was made so far (monotonic); undefined before the first audio. */
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly turn: Turn;
  readonly order: number;
  start(): void;
}

/**
 * Whose window is computed next: listeners' sentences of which nothing is heard yet, in order of arrival; then listeners' by
 * playback deadline; then bulk in order of arrival. Who waits and is aborted gets its turn and fails in it.
 */
export function createTurns(): Turns {
  const waiting: Waiting[] = [];
  let busy = false;
  let order = 0;

  const rank = ({ turn }: Waiting) => (turn.bulk ? 2 : turn.deadlineMs === undefined ? 0 : 1);
  const before = (a: Waiting, b: Waiting) =>
    rank(a) - rank(b) || (rank(a) === 1 ? a.turn.deadlineMs! - b.turn.deadlineMs! : 0) || a.order - b.order;

  function next(): void {
    if (busy || waiting.length === 0) return;
    let best = 0;
    for (let i = 1; i < waiting.length; i++) if (before(waiting[i]!, waiting[best]!) < 0) best = i;
    busy = true;
    waiting.splice(best, 1)[0]!.start();
  }

  return {
    async take(turn, work) {
      const started = Promise.withResolvers<void>();
      waiting.push({ turn, order: order++, start: started.resolve });
      // Others may ask in this same turn of the event loop.
      queueMicrotask(next);
      await started.promise;
      try {
        turn.signal.throwIfAborted();
        return await work();
      } finally {
        busy = false;
        // Lets aborts and new sentences be heard between two windows.
        setImmediate(next);
      }
    },
  };
}
