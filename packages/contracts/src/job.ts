import * as z from 'zod';
import { segment, utterance } from './utterance.ts';

/** The BullMQ job that makes one segment. */
export const sentenceJob = z.object({
  v: z.literal(1),
  utterance: utterance.shape.id,
  tenant: utterance.shape.tenant,
  class: utterance.shape.class,
  segment: z.int().min(0),
  generation: z.int().min(0),
  voice: utterance.shape.voice,
  voiceDigest: z.string(),
  speaker: utterance.shape.speaker,
  speed: utterance.shape.speed,
  settings: utterance.shape.settings,
  seed: utterance.shape.seed,
  sampleRateHz: utterance.shape.sampleRateHz,
  text: segment.shape.text,
  pauseSamples: segment.shape.pauseSamples,
  estimatedMs: segment.shape.estimatedMs,
  place: segment.shape.place,
  gain: segment.shape.gain,
  /** When the sentence was released to the queue (wall clock of the releaser); for the queue-wait histogram only. */
  releasedAtMs: z.number(),
});
export type SentenceJob = z.infer<typeof sentenceJob>;

/** Deterministic, so that adding a job twice is adding it once. No colon: BullMQ refuses it. */
export const jobId = (utterance: string, segment: number, generation: number): string =>
  `${utterance}-${segment}-${generation}`;

/** Priority bands of the queue, lowest first served. Always >= 1: BullMQ removes prioritised jobs in O(log n). */
export const bands = { retry: 1, head: 10, listener: 20, bulk: 100 } as const;
export type Band = (typeof bands)[keyof typeof bands];
