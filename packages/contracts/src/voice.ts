import * as z from 'zod';
import { settingNames, settingRange } from './settings.ts';

/** What is known of a voice without loading it: read from its files by a worker, announced, listed by the gateway. */
export const voiceInfo = z.object({
  id: z.string().min(1).max(200),
  name: z.string(),
  engine: z.string(),
  /** BCP 47. */
  language: z.string(),
  /** Voices of one kin sound like one speaker of several languages. */
  kin: z.string().optional(),
  sampleRateHz: z.int(),
  speakers: z.array(z.string()),
  /** SHA-256 over what decides the sound: model files, configuration, phonemizer's version. */
  digest: z.string(),
  /** Two runs of one sentence give the same samples. Declared only where it was proved. */
  deterministic: z.boolean(),
  /** Names the arithmetic of the worker's processor, if the voice uses it: with another the last bits may be other ones. */
  kernels: z.string().optional(),
  capabilities: z.object({
    speed: z.object({ min: z.number(), max: z.number() }).optional(),
    /** Settings that it honours, and how far. */
    settings: z.partialRecord(z.enum(settingNames), settingRange).optional(),
    /** Audio leaves before the sentence is done. */
    streaming: z.boolean(),
    marks: z.enum(['model', 'estimated', 'none']),
    /** Takes IPA within a text: `[[həlˈoʊ]]`. */
    phonemes: z.boolean().optional(),
  }),
  licence: z.string().optional(),
  /** What its user should know, e.g. why it does not stream. */
  note: z.string().optional(),
});
export type VoiceInfo = z.infer<typeof voiceInfo>;
