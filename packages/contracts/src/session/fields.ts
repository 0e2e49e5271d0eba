import * as z from 'zod';
import { utteranceId } from '../ids.ts';

/** What several messages of a session have in common. */

export const sessionSubprotocol = 'rhapsode.v1';
export const sessionPath = '/v1/speech/session';
export const mainContext = 'main';

export const contextName = z.string().min(1).max(64);
/** In a message from the client it may be left out. */
export const contextOrMain = contextName.default(mainContext);
export const nonce = z.union([z.string().max(64), z.int()]);
export type Nonce = z.infer<typeof nonce>;
export const count = z.int().min(0);

/** Mono samples, little-endian. */
export const sampleFormat = z.enum(['pcm_s16le', 'pcm_f32le']);
export type SampleFormat = z.infer<typeof sampleFormat>;
export const bytesPerSample: Readonly<Record<SampleFormat, number>> = { pcm_s16le: 2, pcm_f32le: 4 };

/** How a socket wants to hear an utterance; it is not kept with the utterance. */
export const hearing = {
  format: sampleFormat.optional(),
  sample_rate: z.int().min(8_000).max(48_000).optional(),
  /** Send `chunk` behind every audio frame. */
  metrics: z.boolean().optional(),
  /** `client`: only `taken` counts as taken. */
  credit: z.enum(['socket', 'client']).optional(),
  /** Speak what is held when no text has come for so long. */
  idle_flush_ms: z.int().min(50).max(60_000).optional(),
};

export const utteranceName = utteranceId;
