/** One computation at a time on this thread, and whose it is. */
export interface Turns {
  take<T>(turn: Turn, work: () => Promise<T>): Promise<T>;
  /** As `take`, but in one run with what others wait for, if that is of the same kind. */
  takeTogether<I, O>(turn: Turn, work: Together<I, O>): Promise<O>;
  /** Says that a sentence is in hand, until what is returned is called: others may wait a little for it to join them. */
  enter(): () => void;
}

export interface Turn {
  readonly bulk: boolean;
  /** When the listener will have heard what was made so far (monotonic); undefined before the first audio. */
  readonly deadlineMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Inputs of one function and one shape can go into one call. */
export interface Together<I, O> {
  readonly run: (inputs: readonly I[]) => Promise<readonly O[]>;
  readonly shape: string;
  readonly input: I;
}

export interface TurnsOptions {
  /** The most that is computed in one run; 1 is each by itself. */
  readonly batch?: number | undefined;
  /** How long a run that is not full waits for others, while another sentence is in hand and nothing else is to be done. */
  readonly batchWaitMs?: number | undefined;
}

interface Waiting extends Omit<Together<unknown, unknown>, 'shape'> {
  /** Undefined: it is computed by itself. */
  readonly shape: string | undefined;
  readonly turn: Turn;
  readonly order: number;
  readonly result: PromiseWithResolvers<unknown>;
}

/**
 * Whose window is computed next: listeners' sentences of which nothing is heard yet, in order of arrival; then listeners' by
 * playback deadline; then bulk in order of arrival. What can be computed together with the next one comes along. Who waits and
 * is aborted fails when its turn comes, and is not computed; those that it would have been computed with are.
 */
export function createTurns({ batch = 1, batchWaitMs = 0 }: TurnsOptions = {}): Turns {
  let waiting: Waiting[] = [];
  let busy = false;
  let order = 0;
  let inHand = 0;
  /** When there was last something new: a turn asked for, or one that ended. */
  let changedMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const rank = ({ turn }: Waiting) => (turn.bulk ? 2 : turn.deadlineMs === undefined ? 0 : 1);
  const before = (a: Waiting, b: Waiting) =>
    rank(a) - rank(b) || (rank(a) === 1 ? a.turn.deadlineMs! - b.turn.deadlineMs! : 0) || a.order - b.order;

  function next(): void {
    if (busy || waiting.length === 0) return;
    waiting.sort(before);
    const [best] = waiting as [Waiting];
    const same = waiting.filter(({ run, shape }) => run === best.run && shape === best.shape).slice(0, batch);
    const isComplete =
      best.shape === undefined ||
      same.length === batch ||
      same.length < waiting.length ||
      waiting.length >= inHand;
    const leftMs = changedMs + batchWaitMs - performance.now();
    clearTimeout(timer);
    if (!isComplete && leftMs > 0) {
      timer = setTimeout(next, leftMs);
      return;
    }
    busy = true;
    waiting = waiting.filter((one) => !same.includes(one));
    void compute(same);
  }

  async function compute(all: readonly Waiting[]): Promise<void> {
    const wanted = all.filter(({ turn }) => !turn.signal.aborted);
    for (const { turn, result } of all) if (turn.signal.aborted) result.reject(turn.signal.reason);
    try {
      const outputs = wanted.length === 0 ? [] : await wanted[0]!.run(wanted.map(({ input }) => input));
      for (const [i, { result }] of wanted.entries()) result.resolve(outputs[i]);
    } catch (error) {
      for (const { result } of wanted) result.reject(error);
    } finally {
      busy = false;
      changedMs = performance.now();
      // Lets aborts and new sentences be heard between two windows.
      setImmediate(next);
    }
  }

  function ask(turn: Turn, work: Pick<Waiting, 'run' | 'shape' | 'input'>): Promise<unknown> {
    const result = Promise.withResolvers<unknown>();
    waiting.push({ ...work, turn, order: order++, result });
    changedMs = performance.now();
    // Others may ask in this same turn of the event loop.
    queueMicrotask(next);
    return result.promise;
  }

  return {
    take: (turn, work) =>
      ask(turn, { run: async () => [await work()], shape: undefined, input: undefined }) as Promise<never>,
    takeTogether: (turn, work) => ask(turn, work as Together<unknown, unknown>) as Promise<never>,
    enter() {
      inHand++;
      return () => {
        inHand--;
        queueMicrotask(next);
      };
    },
  };
}
