import * as z from 'zod';
import { poolName, tenantId, utteranceId } from './ids.ts';
import { lexiconRules } from './lexicon-rule.ts';
import { speechSettings } from './settings.ts';

/** `interactive`: somebody is listening. `bulk`: an audiobook, a download. */
export const utteranceClass = z.enum(['interactive', 'bulk']);
export type UtteranceClass = z.infer<typeof utteranceClass>;

/** One request to speak, without its text. Written once by the gateway, read by everyone. */
export const utterance = z.object({
  v: z.literal(1),
  id: utteranceId,
  tenant: tenantId,
  class: utteranceClass,
  pool: poolName,
  /** The tenant's share of the pool relative to other tenants. */
  weight: z.number().min(0.01).max(1000),
  /** The voice's own id, aliases resolved. */
  voice: z.string().min(1).max(200),
  voiceDigest: z.string(),
  /** Whether two attempts of a sentence give the same samples. If not, sentences are delivered whole. */
  deterministic: z.boolean(),
  sampleRateHz: z.int().min(1000).max(384_000),
  speaker: z.string().max(200).optional(),
  /** 1 is the voice's own pace, 2 twice as fast. */
  speed: z.number().min(0.25).max(4),
  settings: speechSettings.optional(),
  seed: z.int().min(0).max(0xffff_ffff),
  /** Most sentences between released and consumed. */
  window: z.int().min(1).max(100_000),
  createdAtMs: z.number(),
  /**
   * Its text arrives in pieces, which are kept in the request store. It is cancelled when nobody held it for so long; see
   * `RequestStore.hold`.
   */
  idleMs: z.int().min(1).optional(),
  /** It has to be held after its text is complete, too: nobody knows of it but those who hold it. */
  transient: z.boolean().optional(),
  /** How an arriving text is to be read: whoever goes on with it does as the one before. */
  reading: z
    .object({
      lexicon: lexiconRules,
      input: z.enum(['text', 'ssml']),
      normalise: z.enum(['auto', 'on', 'off']),
      inline: z.boolean(),
    })
    .partial()
    .optional(),
  /** SHA-256 of a whole-text request, to tell a repeated request from another one with the same id. */
  requestDigest: z.string().optional(),
});
export type Utterance = z.infer<typeof utterance>;

/** One sentence (or clause of a very long one) of an utterance. Its index is its place in the utterance's list. */
export const segment = z.object({
  /** Span of the source text, in UTF-16 code units: [start, end). */
  start: z.int().min(0),
  end: z.int().min(0),
  /** What the voice is to say. Empty: nothing is spoken, only the pause remains. */
  text: z.string(),
  /** Exact silence after the segment. */
  pauseSamples: z.int().min(0),
  /** A guess at the length of the audio, for fairness and for the backlog. */
  estimatedMs: z.int().min(0),
  /**
   * What the engine is told instead of the segment's index. Only the test engine looks at it: a sentence of a book sounds
   * the same whichever sentences are made with it.
   */
  place: z.int().min(0).max(0x7fff_ffff).optional(),
  /**
   * Which part of the source each part of `text` says, counted from the segment's start: source start, source end, spoken
   * start, spoken end, and so on. Absent: `text` is the source from its first code unit on. See `sourceSpan`.
   */
  map: z.array(z.int().min(0)).optional(),
  /** Instead of the utterance's own: another voice (of the same rate), speaker, pace. */
  voice: z.string().min(1).max(200).optional(),
  voiceDigest: z.string().optional(),
  speaker: z.string().max(200).optional(),
  speed: z.number().min(0.25).max(4).optional(),
  /** How much louder it is than the voice speaks: a factor of each sample. */
  gain: z.number().min(0).max(100).optional(),
  /** Names that the text gives to places: where the segment's audio begins, and behind its pause. */
  bookmarks: z.array(z.string().max(200)).optional(),
  endBookmarks: z.array(z.string().max(200)).optional(),
});
export type Segment = z.infer<typeof segment>;
