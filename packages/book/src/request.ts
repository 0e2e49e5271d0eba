import { speechSettings } from '@rhapsode/contracts';
import { lexiconLimits } from '@rhapsode/text';
import { z } from 'zod';
import { coverTypes } from './render/settings.ts';
import { languageTag, requestedMetadata, requestedOutputs } from './requested-outputs.ts';

/** Chosen by the client; it stands in paths and in keys. */
export const bookId = z
  .string()
  .regex(
    /^[0-9a-z][0-9a-z._-]{0,63}$/,
    'must be 1 to 64 characters of 0-9, a-z, dot, - and _, and begin with a letter or digit',
  );

const name = z.string().min(1).max(200);
const pauseMs = z.int().min(0).max(60_000);

/** Who speaks, and how fast; what is left out is as for the book. */
const voiceSettings = z.strictObject({
  voice: name.optional(),
  speaker: name.optional(),
  speed: z.number().min(0.25).max(4).optional(),
});
export type VoiceSettings = z.infer<typeof voiceSettings>;

export const documentTypes = ['text', 'markdown', 'html', 'epub', 'docx', 'pdf'] as const;

const lexiconRule = z.strictObject({
  grapheme: z.string().min(1).max(lexiconLimits.graphemeLength),
  alias: z.string().max(lexiconLimits.spokenLength).optional(),
  ipa: z.string().max(lexiconLimits.spokenLength).optional(),
  case_sensitive: z.boolean().optional(),
  anywhere: z.boolean().optional(),
});

/** What a caller says of a book, besides its text and its cover. */
export const bookSettings = z.strictObject({
  /** What the manuscript is, where its first bytes and its name do not say. */
  type: z.enum(documentTypes).optional(),
  voice: name.default('default'),
  speaker: name.optional(),
  speed: z.number().min(0.25).max(4).default(1),
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  settings: speechSettings.pick({ noise_scale: true, noise_w: true }).optional(),
  /** By the number of the chapter, from 1. */
  chapters: z
    .record(z.string().regex(/^[1-9]\d{0,4}$/, 'must be the number of a chapter, from 1'), voiceSettings)
    .default({}),
  /** Who says a paragraph that begins with this name and a colon. */
  speakers: z.record(name, voiceSettings).default({}),
  /** BCP 47; the voice's language if it is left out. */
  language: languageTag.optional(),
  normalise: z.enum(['auto', 'on', 'off']).optional(),
  /** Obey `[pause:1.5s]` and `[word](/ipa/)` in the text. */
  inline: z.boolean().default(false),
  /** Speak footnotes where they stand. */
  notes: z.boolean().default(false),
  /** Milliseconds of silence behind what ends so. */
  pauses: z
    .strictObject({
      clause: pauseMs.optional(),
      sentence: pauseMs.optional(),
      line: pauseMs.optional(),
      item: pauseMs.optional(),
      quote: pauseMs.optional(),
      paragraph: pauseMs.optional(),
      heading: pauseMs.optional(),
      scene: pauseMs.optional(),
      chapter: pauseMs.optional(),
      end: pauseMs.optional(),
    })
    .default({}),
  lexicon: z.array(lexiconRule).max(lexiconLimits.rules).default([]),
  outputs: requestedOutputs.prefault({}),
  metadata: requestedMetadata.default({}),
  /**
   * What becomes of a sentence that can't be spoken after all attempts: a silence of the length that it would have taken, another
   * voice speaks it, or the book stops.
   */
  on_error: z.enum(['silence', 'fallback', 'stop']).default('silence'),
  fallback: voiceSettings.optional(),
  /** Told when the book has ended, however it did. Refused where webhooks are off, and where it could never be called. */
  webhook: z.string().min(1).max(2_000).optional(),
});
export type BookSettings = z.infer<typeof bookSettings>;

export const bookCover = z.strictObject({ type: z.enum(coverTypes), base64: z.base64() });

/** A change of one sentence: what it says (`text`, or sounds in IPA), or another take of the same. */
export const sentenceEdit = z
  .strictObject({
    text: z.string().max(10_000).optional(),
    phonemes: z.string().min(1).max(10_000).optional(),
    take: z.int().min(0).max(0xffff).optional(),
  })
  .refine(
    ({ text, phonemes }) => text === undefined || phonemes === undefined,
    'has either text or phonemes, not both',
  );
export type SentenceEdit = z.infer<typeof sentenceEdit>;
