import type { Segment, Utterance, UtteranceClass, VoiceInfo } from '@rhapsode/contracts';

/**
 * The request store: utterances, their segments, and who may be worked on next.
 *
 * Promises
 * - Every call is atomic, and idempotent unless it says otherwise: it may be repeated after a lost answer.
 * - A segment is released at most once by `release`, in order within its utterance, and only while fewer than `window`
 *   segments lie between released and consumed.
 * - Rooms: of each lane at most `room[lane]` sentences are in flight (released, not finished), except that a tenant with
 *   none in flight in that lane may always have one.
 * - Shares: in each lane, the next sentence goes to the tenant that was given the least audio divided by its weight. Who
 *   comes or comes back starts level with the one that is next, so nobody saves up credit and nobody is in debt for room
 *   that others left unused. Within a tenant, utterances take turns.
 * - Utterances are forgotten `ttlMs` after they were last touched: named by a call other than `isCancelled`, or returned
 *   by one. Nothing is left behind of those, nor in any count.
 * - Calls reject with `store_unavailable` when the server can't be reached or can't serve; with `store_full` when it has no room:
 *   then only what takes new texts is refused. `ping` asks for room, too.
 */
export interface RequestStore {
  /** `over_limit`: the tenant has `maxOpen` utterances that are neither finished nor cancelled; nothing was created. */
  create(utterance: Utterance, limits: { maxOpen: number }): Promise<'created' | 'exists' | 'over_limit'>;
  get(id: string): Promise<UtteranceState | undefined>;
  /**
   * Adds segments at the end; `at` is the index of the first of them, which makes repeating harmless: what is stored
   * already is not stored again. `seal` says that no more will come. Very many segments are added in pieces, each of them
   * atomic; a repeat goes on where the first call stopped. Rejects with `utterance_not_found`, `utterance_sealed` or
   * `cancelled`; and with `internal_error` if `at` leaves a gap or other segments are stored there.
   */
  append(id: string, segments: readonly Segment[], options: { at: number; seal: boolean }): Promise<void>;
  /**
   * Adds a piece to the text of an utterance that has `idleMs`, and holds it as its writer. The place of the piece makes
   * repeating harmless, and of many writers one wins each place: see `TextOutcome`. Rejects with `utterance_not_found` or
   * `cancelled`.
   */
  addText(id: string, piece: TextPiece, limits: { maxLength: number }): Promise<TextOutcome>;
  /**
   * The pieces as they were stored, which may be fewer and longer or shorter than they were sent; ends early where there are
   * no more; empty if the utterance is unknown or cancelled.
   */
  texts(id: string, from: number, count: number): Promise<StoredPiece[]>;
  /**
   * Says that somebody is there for an utterance with `idleMs`, for that long: a writer, who may send more text and hears
   * it, or a mere listener, who counts only when the text is complete, for one that waits for text which will never come
   * must hear of it. No effect on others.
   */
  hold(id: string, as: 'writer' | 'listener'): Promise<void>;
  /**
   * Says that somebody listens who did not ask for the utterance, for so long: who asked for it may then go without cancelling
   * it.
   */
  attend(id: string, forMs: number): Promise<void>;
  /**
   * Utterances that nobody holds any more, not returned by this call within `retryMs`, so that of many processes one gets
   * each; they are to be cancelled. One that is not `transient` needs nobody once it is sealed.
   */
  abandoned(pool: string, options: { retryMs: number; limit: number }): Promise<string[]>;
  /** Ends early where there are no more; empty if the utterance is unknown or cancelled. */
  segments(id: string, from: number, count: number): Promise<Segment[]>;

  /** Takes the next sentences of a pool, at most `limit`. Not idempotent: an answer that is lost is healed by `overdue`. */
  release(pool: string, options: { room: Room; limit: number }): Promise<Released[]>;
  /** All segments below `segment` have been consumed; more than are stored counts as all. Lower than before: no effect. */
  consumed(id: string, segment: number): Promise<void>;
  /**
   * The segment's audio (or its failure) is on the log. The first outcome of a generation stays. No effect if the utterance
   * is unknown or cancelled, if the segment is not released, or if it has been regenerated since.
   */
  finished(id: string, segment: number, generation: number, outcome: Outcome): Promise<void>;
  /** Of released segments only: the array ends where the utterance has no released segment any more. Cancelled: empty. */
  progress(id: string, from: number, count: number): Promise<Progress[]>;
  /**
   * Sentences released at least `olderThanMs` ago, not finished, not returned by this call within `olderThanMs`; oldest
   * first. So of many processes that sweep, one gets each.
   */
  overdue(pool: string, options: { olderThanMs: number; limit: number }): Promise<Released[]>;
  /**
   * Raises the segment's generation from `expected` by one, forgets its outcome and returns the released sentence; or
   * undefined if the generation is not `expected` (somebody else did it), the segment is not released, or the utterance is
   * gone or cancelled. It is in flight again, so an answer that is lost is healed by `overdue`. Rejects with `audio_lost`
   * when there are no more generations.
   */
  regenerate(id: string, segment: number, expected: number): Promise<Released | undefined>;

  /**
   * Marks it cancelled and drops its segments. Returns the sentences that were in flight and how many had no outcome; a
   * repeat returns the same. Undefined if it is unknown.
   */
  cancel(id: string): Promise<Cancelled | undefined>;
  isCancelled(id: string): Promise<boolean>;

  /**
   * Keeps a text under a name of a tenant for ever, or puts it in the place of the one that is there; `over_limit`: the tenant
   * has `most` others, and nothing was changed.
   */
  putLexicon(
    tenant: string,
    name: string,
    text: string,
    limits: { most: number },
  ): Promise<'created' | 'replaced' | 'over_limit'>;
  lexicon(tenant: string, name: string): Promise<string | undefined>;
  /** Their names, in order. */
  lexicons(tenant: string): Promise<string[]>;
  /** Whether there was one. */
  deleteLexicon(tenant: string, name: string): Promise<boolean>;

  /** A worker says that it is there. Forgotten after `ttlMs`; its voices are remembered for `voicesTtlMs`. */
  announce(worker: WorkerRecord, ttlMs: number): Promise<void>;
  withdraw(workerId: string, pool: string): Promise<void>;
  /** Ordered by id. With all that they said of their voices: who needs to know how many there are asks for `slots`. */
  workers(pool: string): Promise<WorkerRecord[]>;
  /** Of all workers of a pool that are there. */
  slots(pool: string): Promise<number>;
  /** Voices announced by workers, alive or not; ordered by id, each as it was announced last. */
  voices(pool: string): Promise<VoiceInfo[]>;
  /** Audio released or waiting, not finished, by class, in seconds (estimated). */
  backlog(pool: string): Promise<Record<UtteranceClass, number>>;

  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface UtteranceState {
  readonly utterance: Utterance;
  /** Number of segments stored so far; final when `sealed`. */
  readonly segments: number;
  readonly sealed: boolean;
  readonly released: number;
  readonly consumed: number;
  /** Number of segments with an outcome. */
  readonly finished: number;
  /** How many of those failed. */
  readonly failed: number;
  readonly cancelled: boolean;
  /** Somebody listens who did not ask for it: see `attend`. */
  readonly attended: boolean;
  /** Of an utterance with `idleMs`. */
  readonly text: ArrivedText | undefined;
}

export interface ArrivedText {
  /** UTF-16 code units. */
  readonly length: number;
  readonly pieces: number;
  /** No more will come. */
  readonly complete: boolean;
}

export interface StoredPiece {
  readonly text: string;
  /** What is held behind the text is to be spoken, although its sentence may go on. */
  readonly flush: boolean;
  /** The text ends here. */
  readonly end: boolean;
}

export interface TextPiece extends StoredPiece {
  /** Its place in the whole text, in UTF-16 code units; undefined: the end, whatever it is. */
  readonly at: number | undefined;
}

/**
 * `stored`: the piece, or what was missing of it (the text may have been there, and the flush or the end not).
 * `there`: all of it was there, or is without effect: a repeat, or another writer has been faster.
 * `refused`: it leaves a gap, overlaps the end, or lies behind the end of a complete text; or the text would be too long.
 * The state is that after the call.
 */
export interface TextOutcome extends ArrivedText {
  readonly result: 'stored' | 'there' | 'refused';
}

export interface Released {
  readonly utterance: Utterance;
  readonly index: number;
  readonly segment: Segment;
  readonly generation: number;
}

export interface Progress {
  readonly generation: number;
  /** Undefined while the sentence is in flight. */
  readonly outcome: Outcome | undefined;
}

export type Outcome = { readonly samples: number } | { readonly failed: string };

export interface Cancelled {
  readonly inFlight: { segment: number; generation: number }[];
  readonly unfinished: number;
}

/** `head`: the first two sentences of a listener; `listener`: the rest; `bulk`: nobody is waiting. Served in this order. */
export const lanes = ['head', 'listener', 'bulk'] as const;
export type Lane = (typeof lanes)[number];
export type Room = Readonly<Record<Lane, number>>;

export const laneOf = (utteranceClass: UtteranceClass, index: number): Lane =>
  utteranceClass === 'bulk' ? 'bulk' : index < 2 ? 'head' : 'listener';

export interface WorkerRecord {
  readonly id: string;
  readonly pool: string;
  readonly slots: number;
  readonly voices: readonly VoiceInfo[];
}

export const storeDefaults = {
  ttlMs: 24 * 60 * 60_000,
  voicesTtlMs: 24 * 60 * 60_000,
} as const;
