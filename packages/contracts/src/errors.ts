/**
 * The one catalogue of failures. `status` is HTTP's, `grpc` gRPC's code name. `retryable` says whether the same request may
 * succeed later. `safe` is what a stranger may read when no better message was given.
 */
export const errorCatalogue = {
  // The request is wrong.
  invalid_request: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The request is not valid.',
  },
  invalid_encoding: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The text is not valid UTF-8.',
  },
  unknown_field: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The request has an unknown field.',
  },
  text_empty: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'There is nothing to speak in the text.',
  },
  text_too_long: { status: 413, grpc: 'INVALID_ARGUMENT', retryable: false, safe: 'The text is too long.' },
  payload_too_large: {
    status: 413,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The request body is too large.',
  },
  ssml_invalid: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The SSML is not valid.',
  },
  document_invalid: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The document cannot be read.',
  },
  document_unsafe: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The document is built to do harm, or looks like it.',
  },
  unsupported_format: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The audio format is not supported.',
  },
  unsupported_media_type: {
    status: 415,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The content type is not supported.',
  },
  unsupported_setting: {
    status: 400,
    grpc: 'INVALID_ARGUMENT',
    retryable: false,
    safe: 'The voice does not support this setting.',
  },
  voice_not_found: { status: 404, grpc: 'NOT_FOUND', retryable: false, safe: 'There is no such voice.' },
  utterance_not_found: {
    status: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    safe: 'There is no such utterance.',
  },
  book_not_found: { status: 404, grpc: 'NOT_FOUND', retryable: false, safe: 'There is no such book.' },
  lexicon_not_found: { status: 404, grpc: 'NOT_FOUND', retryable: false, safe: 'There is no such lexicon.' },
  sentence_not_found: {
    status: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    safe: 'The book has no such sentence.',
  },
  file_not_found: {
    status: 404,
    grpc: 'NOT_FOUND',
    retryable: false,
    safe: 'The book has no such file, or not yet.',
  },
  book_exists: {
    status: 409,
    grpc: 'ALREADY_EXISTS',
    retryable: false,
    safe: 'The book exists already.',
  },
  book_ended: {
    status: 409,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'The book has ended.',
  },
  book_changed: {
    status: 412,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'The book was changed meanwhile.',
  },
  route_not_found: { status: 404, grpc: 'UNIMPLEMENTED', retryable: false, safe: 'There is no such route.' },
  request_timeout: {
    status: 408,
    grpc: 'DEADLINE_EXCEEDED',
    retryable: true,
    safe: 'The request took too long to arrive.',
  },
  model_not_found: { status: 404, grpc: 'NOT_FOUND', retryable: false, safe: 'There is no such model.' },
  origin_refused: {
    status: 403,
    grpc: 'PERMISSION_DENIED',
    retryable: false,
    safe: 'Web pages of this origin may not call.',
  },
  method_not_allowed: {
    status: 405,
    grpc: 'UNIMPLEMENTED',
    retryable: false,
    safe: 'The method is not allowed here.',
  },
  utterance_exists: {
    status: 409,
    grpc: 'ALREADY_EXISTS',
    retryable: false,
    safe: 'The utterance exists already.',
  },
  utterance_sealed: {
    status: 409,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'The utterance takes no more text.',
  },
  range_not_satisfiable: {
    status: 416,
    grpc: 'OUT_OF_RANGE',
    retryable: false,
    safe: 'The position is past the end of the audio.',
  },
  cancelled: { status: 410, grpc: 'CANCELLED', retryable: false, safe: 'The utterance was cancelled.' },
  // Too much at once.
  rate_limited: {
    status: 429,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
    safe: 'Too many requests; try again later.',
  },
  log_full: {
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
    safe: 'The audio log is full; try again later.',
  },
  queue_full: {
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
    safe: 'The queue is full (its Redis has reached its maxmemory); try again later.',
  },
  store_full: {
    status: 503,
    grpc: 'RESOURCE_EXHAUSTED',
    retryable: true,
    safe: 'The request store is full (its Redis has reached its maxmemory); try again later.',
  },
  // A part is missing or down.
  queue_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'The queue is not reachable.',
  },
  store_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'The request store is not reachable.',
  },
  log_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'The audio log is not reachable.',
  },
  artefacts_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'The store of books and audio is not reachable, or is full.',
  },
  no_workers: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'No worker has announced a voice yet.',
  },
  collector_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'No collector is reachable.',
  },
  // Said by clients, which can't hear it from a server.
  server_unavailable: {
    status: 503,
    grpc: 'UNAVAILABLE',
    retryable: true,
    safe: 'The server does not answer.',
  },
  draining: { status: 503, grpc: 'UNAVAILABLE', retryable: true, safe: 'The service is shutting down.' },
  // Synthesis.
  synthesis_failed: {
    status: 500,
    grpc: 'INTERNAL',
    retryable: true,
    safe: 'A sentence could not be synthesized.',
  },
  engine_crashed: { status: 500, grpc: 'INTERNAL', retryable: true, safe: 'The speech engine crashed.' },
  engine_timeout: {
    status: 504,
    grpc: 'DEADLINE_EXCEEDED',
    retryable: true,
    safe: 'The speech engine made no progress.',
  },
  engine_output_invalid: {
    status: 500,
    grpc: 'INTERNAL',
    retryable: false,
    safe: 'The speech engine gave invalid audio.',
  },
  encoder_failed: { status: 500, grpc: 'INTERNAL', retryable: true, safe: 'The audio could not be encoded.' },
  splice_mismatch: {
    status: 500,
    grpc: 'DATA_LOSS',
    retryable: false,
    safe: 'Two attempts of a sentence differ.',
  },
  audio_lost: {
    status: 500,
    grpc: 'DATA_LOSS',
    retryable: true,
    safe: 'Audio was lost and could not be made again.',
  },
  book_damaged: {
    status: 500,
    grpc: 'DATA_LOSS',
    retryable: false,
    safe: 'What was kept of the book is damaged.',
  },
  // Installation.
  model_missing: {
    status: 500,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'A model file is missing.',
  },
  model_checksum: {
    status: 500,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'A model file has a wrong checksum.',
  },
  model_invalid: {
    status: 500,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'A model file is not valid.',
  },
  config_invalid: {
    status: 500,
    grpc: 'FAILED_PRECONDITION',
    retryable: false,
    safe: 'The configuration is not valid.',
  },
  port_in_use: { status: 500, grpc: 'FAILED_PRECONDITION', retryable: false, safe: 'The port is in use.' },
  bad_message: {
    status: 500,
    grpc: 'INTERNAL',
    retryable: false,
    safe: 'A message between services is malformed.',
  },
  internal_error: {
    status: 500,
    grpc: 'INTERNAL',
    retryable: true,
    safe: 'Something went wrong on our side.',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

export interface ErrorDetails {
  /** What is wrong, which limit, what to do. Shown to the caller: no secrets, no paths of the machine. */
  readonly message?: string;
  /** The request's field, as the caller wrote it. */
  readonly param?: string;
  /** Kept for the log only. */
  readonly cause?: unknown;
  readonly retryAfterSeconds?: number;
  readonly segment?: number;
}

/** Every failure that a caller may see. Anything else that is thrown is answered as `internal_error`. */
export class RhapsodeError extends Error {
  override readonly name: string = 'RhapsodeError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryable: boolean;
  readonly param: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly segment: number | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const entry = errorCatalogue[code];
    super(details.message ?? entry.safe, { cause: details.cause });
    this.code = code;
    this.status = entry.status;
    this.retryable = entry.retryable;
    this.param = details.param;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.segment = details.segment;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCatalogue, code);

/** What strangers may know of any thrown value. */
export const asRhapsodeError = (thrown: unknown): RhapsodeError =>
  thrown instanceof RhapsodeError ? thrown : new RhapsodeError('internal_error', { cause: thrown });

/** OpenAI's envelope. */
export function errorBody(thrown: unknown) {
  const error = asRhapsodeError(thrown);
  const type =
    error.status === 429 ? 'rate_limit_error' : error.status < 500 ? 'invalid_request_error' : 'server_error';
  return {
    error: {
      message: error.message,
      type,
      param: error.param ?? null,
      code: error.code,
      ...(error.segment === undefined ? {} : { segment: error.segment }),
    },
  };
}
