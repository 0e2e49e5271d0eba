import { RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';

/**
 * Refuses at once what could only fail later: an append waits long for a log that is away, because what is under way must
 * survive a restart of it; a new request need not begin then.
 */
export interface LogGuard {
  check(): Promise<void>;
}

/** One question a second, shared by all requests that come meanwhile. */
const freshMs = 1_000;
const timeoutMs = 800;

export function createLogGuard(log: Pick<AudioLog, 'ping'>): LogGuard {
  let goodAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new RhapsodeError('log_unavailable')), timeoutMs);
    try {
      await Promise.race([log.ping(), late.promise]);
      goodAtMs = performance.now();
    } catch (error) {
      goodAtMs = Number.NEGATIVE_INFINITY;
      throw error;
    } finally {
      clearTimeout(timer);
      asking = undefined;
    }
  }

  return {
    async check() {
      if (performance.now() - goodAtMs < freshMs) return;
      asking ??= ask();
      await asking;
    },
  };
}
