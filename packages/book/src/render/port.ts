import type { Mark } from '@rhapsode/contracts';
import type { BookMetadata, OutputSettings } from './settings.ts';

/**
 * What the files of a book are made of. Renderers are pure: the same sentences, settings and metadata give the same bytes, at
 * any time, on any machine, after any number of crashes. Nothing here grows with the length of a chapter or of the book.
 */
export interface BookAudio {
  readonly id: string;
  readonly metadata: BookMetadata;
  readonly outputs: OutputSettings;
  /** In reading order; all of one sample rate. */
  readonly chapters: readonly ChapterAudio[];
}

/** A chapter whose sentences are all settled: each is spoken, declared silent, or spoken by a fallback voice. */
export interface ChapterAudio {
  /** From 0. */
  readonly index: number;
  readonly title: string;
  /** Changes when, and only when, a sample of the chapter does: the audio of a sentence, its length, its pause. Not with its place in the book. */
  readonly audioDigest: string;
  /** Changes when anything of a sentence does: its audio, its text, its place in the manuscript. Not with who made it. */
  readonly digest: string;
  readonly sampleRateHz: number;
  /** Of all sentences, pauses included. */
  readonly samples: number;
  readonly sentenceCount: number;
  /** In order; may be read any number of times. Without marks it is a third of the work: those are kept with the audio. */
  sentences(signal?: AbortSignal, options?: { readonly marks: boolean }): AsyncIterable<RenderedSentence>;
  /** Exactly `samples` samples, mono, signed 16-bit little-endian, in pieces of whole samples; may be read any number of times. */
  pcm(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** `silence`: it could not be spoken and is that long a silence. `fallback`: another voice speaks it. */
export type SentenceState = 'spoken' | 'silence' | 'fallback';

export interface RenderedSentence {
  /** Counted through the book, from 0. */
  readonly n: number;
  /** Span of the manuscript in UTF-16 code units, [start, end). The spans of a book tile its text. */
  readonly start: number;
  readonly end: number;
  /** The manuscript's text in that span. */
  readonly source: string;
  /** What was said for it; empty where there is nothing to say. */
  readonly spoken: string;
  /** Content key of its audio. */
  readonly key: string;
  readonly voice: string;
  readonly voiceDigest: string;
  readonly state: SentenceState;
  /** Why it is not simply spoken: a code of the error catalogue. */
  readonly reason?: string;
  /** Place of its first sample in the chapter. */
  readonly startSample: number;
  readonly samples: number;
  /** Silence after it. */
  readonly pauseSamples: number;
  /** Largest absolute sample, 0 to 32768. */
  readonly peak: number;
  /** Within the sentence's samples, spans in `spoken`; none where they were not asked for. */
  readonly marks: readonly Mark[];
  /** Who made the audio, at which attempt. The only facts here that differ between two runs of one book. */
  readonly attempt: number;
  readonly worker: string;
}

/** Named files, written whole or not at all: nobody ever sees half of one under its name. Names are paths with `/`. */
export interface RenderFiles {
  /** Resolves when the file is durable; replaces what had the name. */
  put(name: string, bytes: AsyncIterable<Uint8Array>, options: PutOptions): Promise<PutResult>;
  /** Undefined where there is none. */
  get(name: string, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** In bytes; undefined where there is none. */
  size(name: string): Promise<number | undefined>;
  /** Harmless where there is none. */
  delete(name: string): Promise<void>;
}

export interface PutOptions {
  readonly contentType: string;
  readonly signal?: AbortSignal;
}

export interface PutResult {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface RenderDeps {
  /** What the listener gets. */
  readonly outputs: RenderFiles;
  /** What is kept to make the next rendering cheap: encoded chapters, what was measured. May be lost; then it is made again. */
  readonly parts: RenderFiles;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RenderProgress) => void;
  /** Chapters that are encoded at once; as many as there are cores, up to 8, if not given. Changes no byte. */
  readonly concurrency?: number;
}

export interface RenderProgress {
  readonly stage: 'measure' | 'encode' | 'assemble';
  readonly chapter: number;
  readonly chapters: number;
}

/** What `renderBook` made: also in `book.json`, which holds every sentence besides. */
export interface RenderedBook {
  /** `book.json`, which lists the others, is the last. */
  readonly files: readonly OutputFile[];
  /** In audio seconds × sample rate, closing silences of chapters included. */
  readonly samples: number;
  readonly sampleRateHz: number;
  readonly gainDb: number;
  /** SHA-256 of `book.json` without who made what: the same for two runs of the same book. */
  readonly contentDigest: string;
}

export interface OutputFile {
  /** Path under the book's place. */
  readonly name: string;
  readonly kind: 'audio' | 'captions' | 'timings' | 'metadata' | 'cover' | 'manifest';
  readonly format: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of an audio file: what it decodes to, at its own rate. */
  readonly samples?: number;
  readonly sampleRateHz?: number;
  /** Absent where the file is of the whole book. */
  readonly chapter?: number;
}

/**
 * Does ahead what can be done as soon as one chapter is settled (its loudness is measured, and it is encoded if the gain is
 * known). Never needed: `renderBook` does what is missing. Harmless to repeat, and to run beside `renderBook`.
 */
export type RenderChapter = (
  book: Omit<BookAudio, 'chapters'> & { readonly chapterCount: number },
  chapter: ChapterAudio,
  deps: RenderDeps,
) => Promise<void>;

/** Makes every file of the book that is not there already, `book.json` last. Harmless to repeat: what is made is not made again. */
export type RenderBook = (book: BookAudio, deps: RenderDeps) => Promise<RenderedBook>;
