import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Said when the time is over: "waited 5000 ms for <what>". */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks until the answer is truthy, and returns it. An answer that throws or rejects counts as "not yet"; the last such
 * error is the cause of the time-out's.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 30_000, everyMs = 10 }: WaitOptions,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await condition();
      if (answer) return answer as Exclude<T, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause });
    await sleep(everyMs);
  }
}

/** The promise's value, or an error that names what did not come in time. */
export async function within<T>(promise: Promise<T>, { what, timeoutMs = 30_000 }: WaitOptions): Promise<T> {
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

/** The first argument of the next `event`. */
export async function next<T = unknown>(source: EventEmitter, event: string, timeoutMs = 30_000): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  source.once(event, resolve);
  try {
    return await within(promise, { what: `the event ${event}`, timeoutMs });
  } finally {
    source.removeListener(event, resolve);
  }
}

/** A door that handlers wait at until the test opens it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
