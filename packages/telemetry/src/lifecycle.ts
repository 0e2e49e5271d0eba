import type { Log } from './log.ts';

/**
 * The life of a service.
 *
 * - `starting`: not ready yet. `ready()` moves to `ready`; a signal moves to `draining`.
 * - `ready`: takes work. A signal or `drain()` moves to `draining`.
 * - `draining`: takes no new work and finishes what it has. The closers run one after the other, the one registered last
 *   first, so that what depends on something closes before it. Each gets a signal that is aborted when `graceMs` is over:
 *   from then on it must give up; one that does not within `lastWordsMs` is left behind, and counts as failed. When all have
 *   ended, the state is `closed`.
 * - `closed`: nothing is left. The process ends with code 0, or 1 if a closer failed.
 *
 * A second signal while draining forces: the process ends at once with code 1, whatever still runs.
 */
export type LifecycleState = 'starting' | 'ready' | 'draining' | 'closed';

export interface Lifecycle {
  readonly state: LifecycleState;
  /** Aborted when draining begins. */
  readonly draining: AbortSignal;
  ready(): void;
  /** Registers what must be closed. If the service is draining already it is closed at once. */
  onClose(name: string, close: Closer): void;
  /** Idempotent. Resolves when closed. */
  drain(reason: string): Promise<void>;
  /** Drains on SIGTERM and SIGINT, forces on the second. Ends the process when closed, or when nobody caught an error. */
  install(host: NodeJS.Process): void;
}

export interface CloseContext {
  readonly graceMs: number;
  /** Aborted when the grace is over. */
  readonly signal: AbortSignal;
}
export type Closer = (context: CloseContext) => Promise<void> | void;

export interface LifecycleOptions {
  readonly log: Log;
  /** For all closers together. */
  readonly graceMs: number;
  /** For each closer when the grace is over; 8 s by default, so that a worker that hands its sentences back just then is not cut. */
  readonly lastWordsMs?: number;
}

export function createLifecycle({ log, graceMs, lastWordsMs = 8_000 }: LifecycleOptions): Lifecycle {
  let state: LifecycleState = 'starting';
  let failed = false;
  let closing: Promise<void> | undefined;
  const closers: { name: string; close: Closer }[] = [];
  const draining = new AbortController();
  const expired = new AbortController();
  let deadlineMs = 0;

  async function closeOne({ name, close }: { name: string; close: Closer }) {
    const { signal } = expired;
    const givenUp = Promise.withResolvers<never>();
    let timer: NodeJS.Timeout | undefined;
    const giveUpSoon = () => {
      timer = setTimeout(
        () => givenUp.reject(new Error('it does not end, though its grace is over')),
        lastWordsMs,
      );
    };
    if (signal.aborted) giveUpSoon();
    else signal.addEventListener('abort', giveUpSoon, { once: true });
    try {
      const closed = close({ graceMs: Math.max(0, deadlineMs - performance.now()), signal });
      await Promise.race([closed, givenUp.promise]);
    } catch (error) {
      failed = true;
      log.error({ part: name, error }, 'closing failed');
    } finally {
      signal.removeEventListener('abort', giveUpSoon);
      clearTimeout(timer);
    }
  }

  async function closeAll() {
    deadlineMs = performance.now() + graceMs;
    const timer = setTimeout(() => {
      log.warn({ graceMs }, 'grace is over');
      expired.abort(new Error('the grace is over'));
    }, graceMs);
    draining.abort(new Error('the service is draining'));
    for (let next = closers.pop(); next !== undefined; next = closers.pop()) await closeOne(next);
    clearTimeout(timer);
    state = 'closed';
    log.info('closed');
  }

  function drain(reason: string): Promise<void> {
    if (closing === undefined) {
      state = 'draining';
      log.info({ reason }, 'draining');
      closing = Promise.resolve().then(closeAll);
    }
    return closing;
  }

  return {
    get state() {
      return state;
    },
    draining: draining.signal,
    ready() {
      if (state !== 'starting') return;
      state = 'ready';
      log.info('ready');
    },
    onClose(name, close) {
      if (state === 'closed') void closeOne({ name, close });
      else closers.push({ name, close });
    },
    drain,
    install(host) {
      for (const signal of ['SIGTERM', 'SIGINT'] as const)
        host.on(signal, () => {
          if (state === 'draining') {
            log.warn({ signal }, 'forced to end');
            host.exit(1);
          }
          void drain(signal).then(() => host.exit(failed ? 1 : 0));
        });
      const crash = (error: unknown) => {
        log.fatal({ error }, 'an error that nobody caught');
        host.exit(1);
      };
      host.on('uncaughtException', crash);
      host.on('unhandledRejection', crash);
    },
  };
}
