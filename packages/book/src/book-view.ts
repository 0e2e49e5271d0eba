import type { BookRecord } from '@rhapsode/store';
import { bookFacts, bookOutcome, progressOf, readJson } from './book-facts.ts';

export type BookState =
  | 'queued'
  | 'running'
  | 'paused'
  | 'succeeded'
  | 'partially_succeeded'
  | 'failed'
  | 'cancelled';

/** What is said of a book to whoever asks, in the words of the HTTP interface. */
export interface BookView {
  readonly id: string;
  readonly object: 'book';
  readonly state: BookState;
  readonly edition: number;
  readonly title: string;
  readonly voice: string;
  readonly created_at: string;
  readonly chapters: number;
  readonly sentences: number;
  readonly characters: number;
  readonly estimated_audio_seconds: number;
  readonly progress: {
    readonly stage: 'waiting' | 'speaking' | 'rendering' | 'done';
    readonly chapters: number;
    readonly sentences: number;
    readonly sentences_synthesized: number;
    readonly characters: number;
    readonly audio_seconds: number;
    readonly characters_per_second: number | null;
  };
  readonly eta_seconds: number | null;
  /** 1: it is claimed next. Null if it does not wait. */
  readonly queue_position: number | null;
  readonly result: {
    readonly sentences_spoken: number;
    readonly sentences_silent: number;
    readonly sentences_fallback: number;
    readonly sentences_synthesized: number;
    readonly audio_seconds: number;
    readonly elapsed_seconds: number;
    readonly ended_at: string;
    readonly error: {
      readonly code: string;
      readonly message: string;
      readonly sentence?: number | undefined;
    } | null;
  } | null;
}

export function stateOf({ control, leased, outcome }: BookRecord): BookState {
  if (outcome !== undefined) return readJson(bookOutcome, outcome).state;
  if (control === 'cancel') return 'cancelled';
  if (control === 'pause') return 'paused';
  return leased ? 'running' : 'queued';
}

export function viewOf(record: BookRecord, ahead: number | undefined): BookView {
  const facts = readJson(bookFacts, record.facts);
  const outcome = record.outcome === undefined ? undefined : readJson(bookOutcome, record.outcome);
  const told = progressOf(record);
  const whole = outcome !== undefined && outcome.state !== 'failed';
  const state = stateOf(record);
  return {
    id: record.id,
    object: 'book',
    state,
    edition: record.edition,
    title: facts.title,
    voice: facts.voice,
    created_at: new Date(record.createdAtMs).toISOString(),
    chapters: facts.chapters,
    sentences: facts.sentences,
    characters: facts.characters,
    estimated_audio_seconds: facts.estimatedMs / 1000,
    progress: {
      stage: outcome ? 'done' : (told?.stage ?? 'waiting'),
      chapters: whole ? facts.chapters : (told?.chapters ?? 0),
      sentences: whole ? facts.sentences : (told?.sentences ?? 0),
      sentences_synthesized: outcome?.synthesized ?? told?.synthesized ?? 0,
      characters: whole ? facts.characters : (told?.characters ?? 0),
      audio_seconds: (whole ? outcome.audioMs : (told?.audioMs ?? 0)) / 1000,
      characters_per_second: outcome ? null : (told?.charactersPerSecond ?? null),
    },
    eta_seconds: outcome ? 0 : state === 'running' ? (told?.etaSeconds ?? null) : null,
    queue_position: ahead === undefined ? null : ahead + 1,
    result: outcome
      ? {
          sentences_spoken: outcome.sentences.spoken,
          sentences_silent: outcome.sentences.silence,
          sentences_fallback: outcome.sentences.fallback,
          sentences_synthesized: outcome.synthesized,
          audio_seconds: outcome.audioMs / 1000,
          elapsed_seconds: outcome.elapsedMs / 1000,
          ended_at: new Date(outcome.endedAtMs).toISOString(),
          error: outcome.error ?? null,
        }
      : null,
  };
}
