import { z } from 'zod';

const line = z.string().trim().min(1).max(1_000);
const digits = (least: number, most: number) => z.int().min(least).max(most);

/** What a caller says about the book; what is left out the manuscript may say. */
export const givenMetadata = z.strictObject({
  title: line.optional(),
  subtitle: line.optional(),
  authors: z.array(line).max(50).optional(),
  narrator: line.optional(),
  series: line.optional(),
  /** Place in the series, as it is written: `2`, `2.5`. */
  seriesNumber: line.optional(),
  year: digits(0, 9999).optional(),
  /** BCP 47. */
  language: z.string().min(1).max(35).optional(),
  publisher: line.optional(),
  description: z.string().max(100_000).optional(),
  genre: line.optional(),
});

const { title, authors, language, genre } = givenMetadata.shape;

/** What is said about the book, not in it. */
export const bookMetadata = givenMetadata.extend({
  title: title.unwrap().default('Untitled'),
  authors: authors.unwrap().default([]),
  language: language.unwrap().default('en'),
  genre: genre.unwrap().default('Audiobook'),
});

export const coverTypes = ['image/jpeg', 'image/png'] as const;

/** What a caller gives, and what a book has besides: its picture, which is bytes and so in no JSON. */
export type BookMetadata = z.infer<typeof bookMetadata> & {
  readonly cover?: { readonly mediaType: (typeof coverTypes)[number]; readonly bytes: Uint8Array };
};

/** `mp3` and the others are a file per chapter unless `single` asks for one; `m4b` is always one. */
export const bookAudioFormats = ['m4b', 'mp3', 'opus', 'flac', 'wav'] as const;
export const bookCaptionFormats = ['srt', 'vtt', 'json'] as const;

export const outputSettings = z.strictObject({
  audio: z.array(z.enum(bookAudioFormats)).min(1).max(bookAudioFormats.length).default(['m4b']),
  /** Formats of which one file holds the whole book. */
  single: z.array(z.enum(['mp3'])).default([]),
  /** Of all files; if not given, the highest of the book's voices. */
  sampleRateHz: z.int().min(8_000).max(48_000).optional(),
  captions: z.array(z.enum(bookCaptionFormats)).default(['srt', 'vtt', 'json']),
  loudness: z
    .strictObject({
      /** Integrated loudness of the book (EBU R128); -23 is broadcast's, -18 the usual of audiobooks. */
      targetLufs: z.number().min(-40).max(-8).default(-18),
      /** No sample and no curve between samples goes above it: the gain is smaller where it would. */
      truePeakDb: z.number().min(-20).max(0).default(-1),
    })
    .nullable()
    .default({ targetLufs: -18, truePeakDb: -1 }),
});
export type OutputSettings = z.infer<typeof outputSettings>;
