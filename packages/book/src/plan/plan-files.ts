import { createHash } from 'node:crypto';
import { RhapsodeError } from '@rhapsode/contracts';
import { type ArtefactStore, readWhole } from '@rhapsode/store';
import { contentKey, type VoiceChoice } from '../content-key.ts';
import { partKey } from '../layout.ts';
import type { BookSettings } from '../request.ts';

/** A sentence as it was planned: a line of a part. */
export interface PlannedSentence {
  /** Counted through the book, from 0. */
  readonly n: number;
  readonly start: number;
  readonly end: number;
  readonly source: string;
  readonly spoken: string;
  readonly pauseSamples: number;
  readonly estimatedMs: number;
  /** Place in the book's `voices`. */
  readonly voice: number;
}

export interface PlannedChapter {
  /** From 0. */
  readonly index: number;
  readonly title: string;
  readonly firstSentence: number;
  readonly sentences: number;
  /** UTF-16 code units of the manuscript. */
  readonly characters: number;
  readonly estimatedMs: number;
  /** How many sentences each part has. */
  readonly parts: readonly number[];
}

/** `plan.json`: all that is known of a book before a word of it is spoken. It grows with the chapters, hardly with the text. */
export interface BookPlan {
  readonly v: 1;
  readonly title?: string;
  readonly authors?: readonly string[];
  readonly language?: string;
  readonly cover?: { readonly mediaType: string };
  /** Of the book: all its samples are counted at it, whatever its voices' are. */
  readonly sampleRateHz: number;
  readonly chapters: readonly PlannedChapter[];
  readonly sentences: number;
  readonly characters: number;
  readonly estimatedMs: number;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

/** Raised when settings are written otherwise. */
export const requestVersion = 2;

/** `request.json`: what was asked for, with everything found that it names, so that nothing can change under the book. */
export interface BookRequest {
  readonly v: typeof requestVersion;
  readonly settings: BookSettings;
  /** The first speaks unless something else is said. */
  readonly voices: readonly VoiceChoice[];
  /** Place in `voices`. */
  readonly fallback?: number;
}

/** Sentences of a part: few enough to be held in memory by the dozen, enough that one utterance keeps many slots busy. */
export const partSentences = 128;

async function readJson<T>(artefacts: ArtefactStore, key: string): Promise<T> {
  const bytes = await readWhole(artefacts, key);
  if (!bytes)
    throw new RhapsodeError('book_damaged', {
      message: 'a part of the plan of this book is gone; create it again',
      cause: key,
    });
  return JSON.parse(bytes.toString()) as T;
}

export const readPlan = (artefacts: ArtefactStore, folder: string) =>
  readJson<BookPlan>(artefacts, `${folder}plan.json`);
export async function readRequest(artefacts: ArtefactStore, folder: string): Promise<BookRequest> {
  const request = await readJson<BookRequest>(artefacts, `${folder}request.json`);
  if (request.v === requestVersion) return request;
  throw new RhapsodeError('book_damaged', {
    message: 'the settings of this book were written by another version; create it again',
  });
}

export async function readPart(
  artefacts: ArtefactStore,
  folder: string,
  chapter: number,
  part: number,
): Promise<PlannedSentence[]> {
  const key = partKey(folder, chapter, part);
  const bytes = await readWhole(artefacts, key);
  if (!bytes)
    throw new RhapsodeError('book_damaged', {
      message: 'a part of the plan of this book is gone; create it again',
      cause: key,
    });
  return bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PlannedSentence);
}

/** An edit as it is kept: the text is what is to be said, its normalisation done. */
export interface KeptEdit {
  readonly spoken?: string;
  readonly estimatedMs?: number;
  readonly take?: number;
}

/** What is to be spoken for a sentence, and the name of its audio. */
export interface WantedSentence extends PlannedSentence {
  readonly seed: number;
  /** Empty where there is nothing to say. */
  readonly key: string;
}

export function wantedOf(
  sentence: PlannedSentence,
  { settings, voices }: BookRequest,
  edit: KeptEdit = {},
): WantedSentence {
  const spoken = edit.spoken ?? sentence.spoken;
  const seed = (settings.seed + (edit.take ?? 0)) >>> 0;
  return {
    ...sentence,
    spoken,
    estimatedMs: edit.estimatedMs ?? sentence.estimatedMs,
    seed,
    key: spoken === '' ? '' : contentKey(spoken, voices[sentence.voice]!, seed),
  };
}

/** Equal for two parts of which the same becomes. */
export function partDigest(
  sentences: readonly WantedSentence[],
  { settings, fallback, voices }: BookRequest,
  sampleRateHz: number,
): string {
  const fallbackVoice = fallback === undefined ? null : voices[fallback]!;
  const hash = createHash('sha256').update(JSON.stringify([settings.on_error, fallbackVoice, sampleRateHz]));
  for (const { n, start, end, source, spoken, key, pauseSamples, estimatedMs } of sentences)
    hash.update(JSON.stringify([n, start, end, source, spoken, key, pauseSamples, estimatedMs]));
  return hash.digest('hex');
}
