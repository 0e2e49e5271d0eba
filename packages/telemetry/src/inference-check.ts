import { asRhapsodeError } from '@rhapsode/contracts';
import type { HealthCheck } from './health.ts';

/**
 * Whether the engine speaks, judged by the last real inference.
 *
 * - `unknown`, nothing has been spoken yet: asking runs the probe (a short sentence), which decides.
 * - `ok`: asking costs nothing.
 * - `failed`: asking runs the probe, so that the service becomes ready again by itself when the engine is well.
 *
 * A failure that is the sentence's own fault must not be reported here.
 */
export interface InferenceCheck extends HealthCheck {
  succeeded(): void;
  failed(error: unknown): void;
}

export function createInferenceCheck(probe: () => Promise<void>): InferenceCheck {
  let last: { atMs: number; error?: unknown } | undefined;
  const succeeded = () => {
    last = { atMs: performance.now() };
  };
  const failed = (error: unknown) => {
    last = { atMs: performance.now(), error };
  };
  return {
    succeeded,
    failed,
    async run() {
      if (last === undefined || 'error' in last) {
        try {
          await probe();
          succeeded();
        } catch (error) {
          failed(error);
          throw asRhapsodeError(error);
        }
      }
      return `the last inference was ${Math.round((performance.now() - last!.atMs) / 1000)} s ago`;
    },
  };
}
