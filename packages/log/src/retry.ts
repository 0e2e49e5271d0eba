import { RhapsodeError } from '@rhapsode/contracts';

/** The log is away or full, and may not be in a moment. */
export const isTransient = (error: unknown): error is RhapsodeError =>
  error instanceof RhapsodeError && (error.code === 'log_unavailable' || error.code === 'log_full');

/** Between zero and twice 25 ms, 50 ms, 100 ms, … 500 ms: spread out, so that many clients do not return at once. */
export const backoffMs = (failures: number): number => Math.min(500, 25 * 2 ** failures) * 2 * Math.random();

export interface Patience {
  readonly timeoutMs: number;
  /** Nothing is tried any more, and the call rejects with the reason, when any of these is aborted. */
  readonly signals: readonly AbortSignal[];
}

/**
 * Repeats `attempt` while its failures are transient. When `timeoutMs` is over, rejects with the last of them. Then, and
 * when a signal is aborted, it rejects at once: an attempt is told by its own signal, and not waited for.
 */
export async function keepTrying<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signals }: Patience,
): Promise<T> {
  for (const signal of signals) signal.throwIfAborted();
  const over = new AbortController();
  let last: RhapsodeError | undefined;
  const timer = setTimeout(() => over.abort(last ?? new RhapsodeError('log_unavailable')), timeoutMs);
  const cancel = () => over.abort(signals.find((signal) => signal.aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', cancel);
  try {
    for (let failures = 0; ; failures++) {
      try {
        return await unlessAborted(attempt(over.signal), over.signal);
      } catch (error) {
        over.signal.throwIfAborted();
        if (!isTransient(error)) throw error;
        last = error;
      }
      await pause(backoffMs(failures), over.signal);
      over.signal.throwIfAborted();
    }
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', cancel);
  }
}

/** The signals that are there. */
export const present = (...signals: (AbortSignal | undefined)[]): AbortSignal[] =>
  signals.filter((signal) => signal !== undefined);

/** The promise's outcome, or the signal's reason if that comes first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
