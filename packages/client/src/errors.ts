import { type ErrorCode, type ErrorDetails, RhapsodeError } from '@rhapsode/contracts';

/** What goes wrong while text goes in and audio comes out. `code` says what; see the error catalogue of the HTTP API. */
export class StreamError extends RhapsodeError {
  override readonly name: string = 'StreamError';
}

/** More was fed than the stream holds: wait for what `feed` returns, or ask `bufferFull()` before. Nothing was lost. */
export class BufferError extends StreamError {
  override readonly name = 'BufferError';
}

/** A limit of the server's: too many requests, or too long a text. `retryAfterSeconds` says when to try again, if that helps. */
export class QuotaError extends StreamError {
  override readonly name = 'QuotaError';
}

/** It was stopped, closed or cancelled before its end. */
export class CancelledError extends StreamError {
  override readonly name = 'CancelledError';
}

const quotas: readonly ErrorCode[] = ['rate_limited', 'text_too_long', 'payload_too_large'];

/** The class that belongs to the code. */
export function clientError(code: ErrorCode, details: ErrorDetails = {}): StreamError {
  if (code === 'cancelled') return new CancelledError(code, details);
  return quotas.includes(code) ? new QuotaError(code, details) : new StreamError(code, details);
}

export const noAnswer = (server: string, cause: unknown): StreamError =>
  new StreamError('server_unavailable', {
    message: `${server} does not answer; is the address right, and is a server running there?`,
    cause,
  });

export const invalid = (param: string, message: string): StreamError =>
  new StreamError('invalid_request', { param, message });
