import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import type { Lifecycle } from './lifecycle.ts';

/**
 * Answers the probes from named checks. `live` checks say whether a restart would help, all checks together whether the
 * service can serve. A check throws what is wrong; its message is shown. What it returns is shown as detail.
 *
 * Checks run at most once per `cacheMs` however often a probe asks, and one that does not answer within `timeoutMs` has
 * failed.
 */
export interface Health {
  live(): Promise<HealthReport>;
  ready(): Promise<HealthReport>;
}

export interface HealthReport {
  readonly ok: boolean;
  readonly state: Lifecycle['state'];
  readonly checks: Readonly<Record<string, CheckResult>>;
}
export type CheckResult =
  | { readonly ok: true; readonly detail?: string }
  | { readonly ok: false; readonly reason: string };

export interface HealthCheck {
  /** A failure means that only a restart helps. */
  readonly live?: boolean;
  run(): Promise<string | undefined> | string | undefined;
}

/**
 * Of a part that can be asked whether it serves. One that is full still gives what it holds, and is emptied by what goes on: a
 * service that is taken away from its clients for that would help nobody. It stays ready, and tells.
 */
export const reaches = (...parts: readonly { ping(): Promise<void> }[]): HealthCheck => ({
  async run() {
    try {
      await Promise.all(parts.map((part) => part.ping()));
      return undefined;
    } catch (error) {
      if (error instanceof RhapsodeError && error.code.endsWith('_full')) return error.message;
      throw error;
    }
  },
});

export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly timeoutMs?: number;
  readonly cacheMs?: number;
}

export function createHealth({ lifecycle, checks, timeoutMs = 1000, cacheMs = 500 }: HealthOptions): Health {
  const cached = Object.entries(checks).map(([name, check]) => ({
    name,
    live: check.live ?? false,
    run: remember(() => runCheck(check, timeoutMs), cacheMs),
  }));

  async function report(liveOnly: boolean): Promise<HealthReport> {
    const chosen = cached.filter((check) => !liveOnly || check.live);
    const results = await Promise.all(chosen.map(async ({ name, run }) => [name, await run()] as const));
    const { state } = lifecycle;
    return {
      ok: results.every(([, result]) => result.ok) && (liveOnly || state === 'ready'),
      state,
      checks: Object.fromEntries(results),
    };
  }

  return { live: () => report(true), ready: () => report(false) };
}

async function runCheck(check: HealthCheck, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RhapsodeError('internal_error', { message: `No answer within ${timeoutMs} ms.` })),
      timeoutMs,
    );
  });
  try {
    const detail = await Promise.race([(async () => check.run())(), late]);
    return { ok: true, ...(detail === undefined ? {} : { detail }) };
  } catch (error) {
    return { ok: false, reason: asRhapsodeError(error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** One run at a time, and its result again until it is `cacheMs` old. */
function remember<T>(run: () => Promise<T>, cacheMs: number): () => Promise<T> {
  let last: { result: Promise<T>; untilMs: number } | undefined;
  return () => {
    if (last !== undefined && performance.now() < last.untilMs) return last.result;
    const entry = { result: run(), untilMs: Number.POSITIVE_INFINITY };
    last = entry;
    void entry.result.finally(() => {
      entry.untilMs = performance.now() + cacheMs;
    });
    return entry.result;
  };
}
