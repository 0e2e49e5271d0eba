import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { RhapsodeError } from '@rhapsode/contracts';

/** The stream's own limit, and the three of the server's memory and disk. */
const full = [10077, 10023, 10028, 10047];
/** Message or headers larger than a stream takes. */
const tooLarge = [10054, 10097];

/** What the log's caller may know of a failed request. Whatever is not said plainly may be better in a moment. */
export function asLogError(error: unknown): RhapsodeError {
  if (error instanceof RhapsodeError) return error;
  if (error instanceof JetStreamApiError) {
    if (full.includes(error.code)) return new RhapsodeError('log_full', { cause: error });
    if (tooLarge.includes(error.code)) return new RhapsodeError('bad_message', { cause: error });
  }
  if (error instanceof errors.InvalidArgumentError) return new RhapsodeError('bad_message', { cause: error });
  return new RhapsodeError('log_unavailable', { cause: error });
}

export const isStreamMissing = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;

/** Nobody listens on the subject. The library has a class for it, but does not export it. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && error.name === 'JetStreamNotEnabled';

/** A stream that is gone shows in three ways; a direct get is simply not answered. */
export const mayMeanNoStream = (error: unknown): boolean =>
  isStreamMissing(error) || isUnanswered(error) || error instanceof errors.TimeoutError;
