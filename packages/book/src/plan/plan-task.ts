import type { DocumentLimits, DocumentType, LexiconRule, Pauses } from '@rhapsode/text';
import type { BookPlan } from './plan-files.ts';

/** What the planning process is told. Plain data: it travels as it is. */
export interface PlanTask {
  /** Its ending says what it is, where `type` and the first bytes do not. */
  readonly path: string;
  readonly type?: DocumentType;
  readonly locale?: string;
  readonly normalise?: 'auto' | 'on' | 'off';
  readonly inline: boolean;
  readonly notes: boolean;
  readonly phonemes: boolean;
  readonly pauses: Partial<Pauses>;
  readonly lexicon: readonly LexiconRule[];
  readonly limits: Partial<DocumentLimits>;
  readonly maxCharacters: number;
  readonly sampleRateHz: number;
  readonly partSentences: number;
  /** Place in the book's voices: by the number of the chapter from 1, and by the speaker's name. */
  readonly chapterVoices: Readonly<Record<string, number>>;
  readonly speakerVoices: Readonly<Record<string, number>>;
  /** Of each voice. */
  readonly speeds: readonly number[];
}

/** What it says, a line of JSON each. */
export type PlanLine =
  | { readonly type: 'part'; readonly chapter: number; readonly part: number; readonly lines: string }
  | { readonly type: 'cover'; readonly mediaType: string; readonly base64: string }
  | { readonly type: 'end'; readonly plan: BookPlan }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly param?: string };
