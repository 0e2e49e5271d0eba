import { RhapsodeError } from '@rhapsode/contracts';
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
  /** Most audio of a frame. */
  readonly frameSeconds: number;
}

export const hearingOf = (message: OpenMessage | ResumeMessage): Hearing => ({
  format: message.format ?? 'pcm_s16le',
  metrics: message.metrics ?? false,
  credit: message.credit ?? 'socket',
  idleFlushMs: message.idle_flush_ms,
  frameSeconds: ('chunk_seconds' in message ? message.chunk_seconds : undefined) ?? 1,
});

export function checkRate({ sample_rate }: OpenMessage | ResumeMessage, sampleRateHz: number): void {
  if (sample_rate !== undefined && sample_rate !== sampleRateHz)
    throw new RhapsodeError('unsupported_setting', {
      message: `the voice speaks at ${sampleRateHz} Hz; a session gives no other rate`,
      param: 'sample_rate',
    });
}
