import { RhapsodeError, type Segment, type Utterance } from '@rhapsode/contracts';
import type { StoredPiece, TextOutcome, UtteranceState } from '@rhapsode/store';
import type { PlanWarning } from '@rhapsode/text';
import { admit, type SubmitDeps, type SubmitRequest, submitLimits, utteranceOf } from './submit.ts';
import { countCharacters, createTextReader, type Reading } from './text-reader.ts';

/**
 * A text that arrives in pieces, from any process. The request store has the pieces; what is here is a reader of them that
 * plans: it can be dropped at any time and made again anywhere, and comes to the same sentences, because they follow from
 * the stored pieces, flushes and end alone. Many may be at work on one text at once.
 *
 *   piece ──▶ stored in its place ──▶ planned ──▶ sentences stored (again, if somebody else has done it) ──▶ released
 */
export interface ArrivingText {
  readonly utterance: Utterance;
  /** UTF-16 code units that are stored, as far as is known here. */
  readonly length: number;
  readonly complete: boolean;
  /** Whether there is anything to speak in it. */
  readonly hasWords: boolean;
  /** Number of sentences so far. */
  readonly segments: number;
  /** Where the last of them ends: what is behind is held until its sentence ends, or is flushed. */
  readonly plannedTo: number;
  readonly warnings: readonly PlanWarning[];
  /**
   * Resolves when the piece is stored, and the sentences that it completes are. Calls are done in their order. Rejects with
   * `utterance_sealed` behind the end; `invalid_request` if it leaves a gap or other text is stored in its place;
   * `text_too_long`. Nothing is stored then, and after any failure the call may be repeated if `at` says where.
   */
  add(piece: ArrivingPiece): Promise<void>;
  /** Reads what others have written, and stores its sentences. */
  catchUp(): Promise<void>;
  /** The text from `start` to `end`, unless it was forgotten. */
  source(start: number, end: number): string | undefined;
  forgetSource(before: number): void;
}

export interface ArrivingPiece {
  /** Its place in the whole text; the end if absent. */
  readonly at?: number | undefined;
  readonly text?: string;
  /** Speak what is held, although the sentence may not have ended. */
  readonly flush?: boolean;
  /** No more will come. */
  readonly end?: boolean;
}

export interface ArrivingRequest extends SubmitRequest {
  readonly idleMs: number;
  readonly transient?: boolean;
  /** What has to be kept of how the text is to be read. */
  readonly reading?: Utterance['reading'];
}

export interface ArrivingOptions {
  /** Keep the source of sentences until it is forgotten. */
  readonly keepSource?: boolean;
}

const page = 512;
/** Many small pieces are one text to the planner, up to a flush. */
const joinedLength = 2_048;

/** Admits an utterance whose text is still to come. */
export async function openArriving(
  request: ArrivingRequest,
  deps: SubmitDeps,
  options: ArrivingOptions = {},
): Promise<ArrivingText> {
  const { idleMs, transient, reading } = request;
  const utterance: Utterance = {
    ...utteranceOf(request),
    idleMs,
    ...(transient === undefined ? {} : { transient }),
    ...(reading === undefined ? {} : { reading }),
  };
  await admit(utterance, { ...submitLimits, ...deps.limits }, deps);
  return createArriving({ utterance, reading: request, stored: 0, sealed: false }, deps, options);
}

/** Goes on with one that was opened here or elsewhere. `reading` is as it was opened with; see `Utterance.reading`. */
export async function resumeArriving(
  { utterance, segments, sealed }: UtteranceState,
  reading: Reading,
  deps: SubmitDeps,
  options: ArrivingOptions = {},
): Promise<ArrivingText> {
  const arriving = createArriving({ utterance, reading, stored: segments, sealed }, deps, options);
  await arriving.catchUp();
  return arriving;
}

interface Known {
  readonly utterance: Utterance;
  readonly reading: Reading;
  /** Sentences in the store, and whether they are all. */
  readonly stored: number;
  readonly sealed: boolean;
}

function createArriving(
  { utterance, reading, stored, sealed }: Known,
  deps: SubmitDeps,
  { keepSource = false }: ArrivingOptions,
): ArrivingText {
  const { store, dispatcher } = deps;
  const limits = { ...submitLimits, ...deps.limits };
  const { id, pool } = utterance;
  const reader = createTextReader({ utterance, reading, keepSource, limits });
  let readPieces = 0;
  /** Planned and not known to be stored. */
  let unstored: Segment[] = [];
  let unsealed = false;
  let lastStoredEnd = 0;
  let checked = stored === 0;
  /** Stored text that can't be planned: nothing that is sent later mends it. */
  let broken: unknown;

  async function feed(piece: StoredPiece): Promise<void> {
    try {
      for await (const planned of reader.read(piece)) {
        const fresh = Math.max(0, planned.length - Math.max(0, reader.segments - stored));
        lastStoredEnd = planned[fresh - 1]?.end ?? lastStoredEnd;
        unstored.push(...planned.slice(fresh));
      }
      unsealed ||= piece.end && !sealed;
    } catch (error) {
      broken = error;
      throw error;
    }
  }

  async function keep(): Promise<void> {
    if (unstored.length === 0 && !unsealed) return;
    const seal = unsealed;
    await store.append(id, unstored, { at: reader.segments - unstored.length, seal });
    unstored = [];
    void dispatcher.kick(pool);
    if (!seal) return;
    // The end record lets a listener know that nothing follows.
    await dispatcher.heal(id, reader.segments, []);
    unsealed = false;
  }

  async function readOn(): Promise<string> {
    let fresh = '';
    for (;;) {
      const pieces = await store.texts(id, readPieces, page);
      let joined = '';
      for (const piece of pieces) {
        readPieces += 1;
        joined += piece.text;
        fresh += piece.text;
        if (!piece.flush && !piece.end && joined.length < joinedLength) continue;
        await feed({ ...piece, text: joined });
        joined = '';
      }
      if (joined !== '') await feed({ text: joined, flush: false, end: false });
      if (pieces.length < page) return fresh;
    }
  }

  /** Sentences that are stored must be those that are planned here, or words would be lost or said twice. */
  async function check(): Promise<void> {
    if (checked) return;
    const last = (await store.segments(id, stored - 1, 1))[0];
    if (last !== undefined && (reader.segments < stored || last.end !== lastStoredEnd)) {
      broken = new RhapsodeError('internal_error', {
        message: 'the text was cut into other sentences by another version of this service; send it again',
      });
      throw broken;
    }
    checked = true;
  }

  function refusal(piece: ArrivingPiece, outcome: TextOutcome): RhapsodeError {
    const { at = outcome.length, text = '' } = piece;
    if (outcome.complete)
      return new RhapsodeError('utterance_sealed', { message: 'the text is complete; it takes no more' });
    if (at + text.length > limits.textLength) return tooLong();
    return new RhapsodeError('invalid_request', {
      message: `'offset' is ${at}, but ${outcome.length} characters have been received; the next piece begins there`,
      param: 'offset',
    });
  }

  const tooLong = () =>
    new RhapsodeError('text_too_long', {
      message: `the text would have more than ${limits.characters} characters; finish it and go on with another`,
      param: 'input',
    });

  /** What is there already counts no second time. */
  async function checkLength({ at, text = '' }: ArrivingPiece): Promise<void> {
    if (at !== undefined && at > reader.length) await readOn();
    const fresh = at === undefined ? text : text.slice(Math.max(0, reader.length - at));
    if (fresh !== '' && reader.characters + countCharacters(fresh) > limits.characters) throw tooLong();
  }

  async function addNow(piece: ArrivingPiece): Promise<void> {
    const { at, text = '', flush = false, end = false } = piece;
    await checkLength(piece);
    const before = reader.length;
    const outcome = await store.addText(id, { at, text, flush, end }, { maxLength: limits.textLength });
    if (
      outcome.result === 'stored' &&
      outcome.pieces === readPieces + 1 &&
      outcome.length === reader.length + text.length
    ) {
      readPieces += 1;
      await feed({ text, flush, end });
      return keep();
    }
    const fresh = outcome.pieces > readPieces ? await readOn() : '';
    await keep();
    if (at !== undefined && at < outcome.length) {
      // What is there was written by another call of this one, or by somebody else who has something else to say.
      const from = Math.max(at, before);
      const theirs = fresh.slice(from - before, at + text.length - before);
      if (theirs !== text.slice(from - at, from - at + theirs.length))
        throw new RhapsodeError('invalid_request', {
          message: `other text than this was received for 'offset' ${at}`,
          param: 'offset',
        });
    }
    if (outcome.result !== 'refused') return;
    const overlap = at === undefined || outcome.complete ? 0 : outcome.length - at;
    if (overlap <= 0 || overlap >= text.length) throw refusal(piece, outcome);
    return addNow({ at: outcome.length, text: text.slice(overlap), flush, end });
  }

  let turn: Promise<unknown> = Promise.resolve();
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(async () => {
      if (broken !== undefined) throw broken;
      await work();
    });
    turn = done.catch(() => {});
    return done;
  }

  return {
    utterance,
    get length() {
      return reader.length;
    },
    get complete() {
      return reader.complete;
    },
    get hasWords() {
      return reader.hasWords;
    },
    get segments() {
      return reader.segments;
    },
    get plannedTo() {
      return reader.plannedTo;
    },
    get warnings() {
      return reader.warnings;
    },
    add: (piece) => inTurn(() => addNow(piece)),
    catchUp: () =>
      inTurn(async () => {
        await readOn();
        await check();
        await keep();
      }),
    source: reader.source,
    forgetSource: reader.forgetSource,
  };
}
