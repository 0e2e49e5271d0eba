import { z } from 'zod';
import { gain } from './render/gain.ts';
import { bookAudioFormats, bookMetadata, outputSettings } from './render/settings.ts';

const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const manifestSentence = z.strictObject({
  /** From 0, without a gap. */
  n: count,
  chapter: count,
  /** Span of the manuscript in UTF-16 code units. */
  start: count,
  end: count,
  /** The manuscript's text there: all of them one behind the other are the manuscript. */
  text: z.string(),
  spoken: z.string(),
  state: z.enum(['spoken', 'silence', 'fallback']),
  reason: z.string().optional(),
  key: z.string(),
  voice: z.string(),
  voiceDigest: z.string(),
  /** Place of its first sample in the book. */
  position: count,
  samples: count,
  /** Silence behind it. */
  pauseSamples: count,
  /** Largest absolute sample as it was spoken, before the book's gain. */
  peak: z.int().min(0).max(32_768),
  /** Who made it. The only facts that differ between two runs of the same book. */
  attempt: count,
  worker: z.string(),
});
export type ManifestSentence = z.infer<typeof manifestSentence>;

export const manifestChapter = z.strictObject({
  index: count,
  title: z.string(),
  startSample: count,
  /** The chapters tile the book: each begins where the one before it ends. */
  samples: count,
  /** Of these, silence behind the last sentence's own pause. */
  closingSamples: count,
  sentences: count,
});

export const manifestFile = z.strictObject({
  /** Relative to the folder that `book.json` is in. */
  path: z.string().min(1),
  kind: z.enum(['audio', 'captions', 'timings', 'metadata', 'cover']),
  format: z.string(),
  contentType: z.string(),
  bytes: count,
  sha256,
  samples: count.optional(),
  sampleRateHz: z.int().min(1).optional(),
  chapter: count.optional(),
});
export type ManifestFile = z.infer<typeof manifestFile>;

/** `book.json`, as docs/book-manifest.md describes it. */
export const manifest = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  metadata: bookMetadata,
  settings: outputSettings.extend({ audio: z.array(z.enum(bookAudioFormats)) }),
  gain,
  sampleRateHz: z.int().min(1),
  samples: count,
  textLength: count,
  chapters: z.array(manifestChapter),
  sentences: z.array(manifestSentence),
  files: z.array(manifestFile),
  /** SHA-256 of this file's lines up to here, without `attempt` and `worker`. */
  contentDigest: sha256,
});
export type Manifest = z.infer<typeof manifest>;
