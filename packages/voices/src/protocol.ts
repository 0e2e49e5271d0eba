import { isErrorCode, RhapsodeError } from '@rhapsode/contracts';
import type { CatalogueOptions } from './catalogue.ts';
import type { LocalEngineOptions } from './local-engine.ts';
import type { SegmentFacts, SpeakRequest } from './port.ts';

/** Between the host and its engine processes, by Node's own IPC with `serialization: 'advanced'`. */
export type ToChild =
  /** First, once. */
  | {
      readonly type: 'open';
      readonly catalogue: CatalogueOptions;
      readonly engine: LocalEngineOptions;
      readonly warm: readonly string[];
    }
  /** `credit`: pieces that may be sent before more credit comes. */
  | { readonly type: 'speak'; readonly id: number; readonly request: SpeakRequest; readonly credit: number }
  | { readonly type: 'credit'; readonly id: number; readonly credit: number }
  /** Answered by `end` or `failed`, as every sentence is. */
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'ping' };

export type FromChild = (
  | { readonly type: 'ready'; readonly warmFailure?: WireError }
  | { readonly type: 'piece'; readonly id: number; readonly pcm: Int16Array }
  | { readonly type: 'end'; readonly id: number; readonly facts: SegmentFacts }
  | { readonly type: 'failed'; readonly id: number; readonly error: WireError }
  /** The voice of a sentence has to be loaded first, which may take longer than a piece. */
  | { readonly type: 'loading' | 'loaded'; readonly id: number }
  | { readonly type: 'pong' }
) & { readonly rssBytes: number };

/** A union whose members each lose a key. */
export type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly param?: string | undefined;
  /** For the log. */
  readonly detail?: string | undefined;
}

export function toWire(thrown: unknown): WireError {
  if (thrown instanceof RhapsodeError)
    return {
      code: thrown.code,
      message: thrown.message,
      param: thrown.param,
      detail: thrown.cause === undefined ? undefined : String(thrown.cause),
    };
  return {
    code: 'synthesis_failed',
    message: 'the speech engine failed',
    detail: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
  };
}

export function fromWire(error: WireError): RhapsodeError {
  return new RhapsodeError(isErrorCode(error.code) ? error.code : 'internal_error', {
    message: error.message,
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.detail === undefined ? {} : { cause: new Error(error.detail) }),
  });
}
