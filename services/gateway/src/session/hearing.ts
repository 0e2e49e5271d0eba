import type { ParsedClientMessage, SampleFormat } from '@rhapsode/contracts/session';

type MessageOf<T extends ParsedClientMessage['type']> = Extract<ParsedClientMessage, { type: T }>;
export type OpenMessage = MessageOf<'open'>;
export type ResumeMessage = MessageOf<'resume'>;

/** How a socket wants to hear a context. */
export interface Hearing {
  readonly format: SampleFormat;
  readonly metrics: boolean;
  /** `client`: what it says to have taken counts; otherwise what was sent. */
  readonly credit: 'socket' | 'client';
  readonly idleFlushMs: number | undefined;
  /** Undefined: the voice's own. */
  readonly rateHz: number | undefined;
  /** Most audio of a frame. */
  readonly frameSeconds: number;
}

export const hearingOf = (message: OpenMessage | ResumeMessage): Hearing => ({
  format: message.format ?? 'pcm_s16le',
  metrics: message.metrics ?? false,
  credit: message.credit ?? 'socket',
  idleFlushMs: message.idle_flush_ms,
  rateHz: message.sample_rate,
  frameSeconds: ('chunk_seconds' in message ? message.chunk_seconds : undefined) ?? 1,
});
