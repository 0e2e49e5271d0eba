import type { LogMessage } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';

const mostUnacknowledged = 8;

/**
 * Publishes one attempt's chunks, at most eight not yet acknowledged; beyond that `publish` waits, which stops the engine.
 * The first failure is thrown by whichever call comes next.
 */
export function createPublisher(log: AudioLog, utterance: string, signal: AbortSignal) {
  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  function check() {
    if (failure) throw failure.error;
  }

  return {
    async publish(message: LogMessage, pcm: Uint8Array): Promise<void> {
      check();
      const sent: Promise<void> = log
        .append(utterance, message, pcm, signal)
        .then(
          () => {},
          (error: unknown) => {
            failure ??= { error };
          },
        )
        .finally(() => inFlight.delete(sent));
      inFlight.add(sent);
      while (inFlight.size >= mostUnacknowledged) await Promise.race(inFlight);
      check();
    },
    /** Everything published is stored. */
    async drain(): Promise<void> {
      await Promise.all(inFlight);
      check();
    },
  };
}
