import type { Envelope } from '@rhapsode/contracts';
import type { Entry, LogLost, LogReader } from './port.ts';
import { backoffMs, isTransient, pause } from './retry.ts';

/** A message of one utterance, not yet decoded. */
export interface Stored {
  readonly sequence: number;
  /** Throws `bad_message`. */
  open(): Envelope;
}

/** A copy of a message, sent at its storing. Copies get lost, doubled and out of order. */
export interface LiveCopy extends Stored {
  readonly incarnation: number;
  /** The utterance's last stored message before this one, 0 if there was none: nothing is, or ever will be, between them. */
  readonly previous: number;
}

export interface Answer {
  /** Which log answered: a higher number is a log that began anew. */
  readonly incarnation: number;
  readonly message: Stored | undefined;
  /** A sequence that the log has reached. */
  readonly last: number;
}

/** What a reader needs of a log for one utterance. */
export interface LogSource {
  /**
   * The first stored message behind `after`. Waits while there is no connection; a rejection with `log_unavailable`
   * means "ask again".
   */
  ask(after: number, signal: AbortSignal): Promise<Answer>;
  /** Starts the live copies; the answer stops them. */
  follow(follower: Follower): () => void;
}

export interface Follower {
  live(copy: LiveCopy): void;
  /** Copies may have been missed: the connection was away, or the log began anew. */
  interrupted(): void;
}

export interface ReaderOptions {
  readonly after?: number | undefined;
  readonly readAhead: number;
  readonly pollMs: number;
  /** The reader ends, with the reason, when any of these is aborted. */
  readonly signals: readonly AbortSignal[];
}

export interface BufferedReader extends LogReader {
  /** Messages in memory, never more than `readAhead`. */
  readonly kept: number;
}

/** What the reader knew when it asked. */
interface Question {
  readonly asked: number;
  readonly heard: number;
  readonly cursor: number;
  readonly incarnation: number | undefined;
}

/**
 * The one reader, over whatever live copies and answers a log gives.
 *
 * `cursor` is the sequence up to which everything was queued. A live copy is queued when nothing is missing between the
 * cursor and it (`previous <= cursor < sequence`; `<=` because `previous` is 0 after a purge) and there is room. Of any
 * other copy only the sequence is kept, in `heard`: it proves that the log holds more than was queued.
 *
 * The reader is *behind* while `heard > cursor`, or while a question is open: one is asked at the start, after an
 * interruption, after `pollMs` without a message, and before `next` says that there is nothing. Behind and with room it
 * asks the log for the message behind the cursor, again and again, until the log says that there is none. A full reader
 * asks nothing: the log is the buffer.
 *
 * When an answer or a copy comes from a later incarnation, or the log has not reached the cursor, the log began anew:
 * what is queued stays (it is good audio), `{ lost: true }` follows it, and the cursor is 0.
 */
export function createReader(source: LogSource, options: ReaderOptions): BufferedReader {
  const { readAhead, pollMs, signals } = options;
  const queue: (Stored | LogLost)[] = [];
  const ending = new AbortController();
  let kept = 0;
  let cursor = options.after ?? 0;
  let heard = 0;
  let incarnation: number | undefined;
  /** Questions are numbered: `answered` is the last one that the log has said "nothing more" to. */
  let asked = 1;
  let answered = 0;
  let pumping = false;
  let failure: { error: unknown } | undefined;
  let waiting = false;
  let wake = () => {};

  const behind = () => answered < asked || heard > cursor;

  function take(message: Stored): void {
    if (message.sequence <= cursor) return;
    if (kept >= readAhead) {
      heard = Math.max(heard, message.sequence);
      return;
    }
    queue.push(message);
    kept++;
    cursor = message.sequence;
  }

  function beginAnew(next: number): void {
    incarnation = next;
    cursor = 0;
    heard = 0;
    asked++;
    if (!isLost(queue.at(-1))) queue.push({ lost: true });
  }

  const follower: Follower = {
    live(copy) {
      if (incarnation !== undefined && copy.incarnation > incarnation) beginAnew(copy.incarnation);
      if (copy.incarnation === incarnation && copy.previous <= cursor) take(copy);
      else heard = Math.max(heard, copy.sequence);
      wake();
      void pump();
    },
    interrupted() {
      asked++;
      void pump();
    },
  };

  function digest(answer: Answer, question: Question): void {
    // A live copy told of a later incarnation meanwhile: the question was about a sequence of the one before.
    if (incarnation !== question.incarnation) return;
    incarnation ??= answer.incarnation;
    const { message } = answer;
    if (answer.incarnation > incarnation) beginAnew(answer.incarnation);
    else if (message) take(message);
    else if (answer.last < question.cursor) beginAnew(incarnation);
    else {
      answered = question.asked;
      // What was heard of before the question was queued meanwhile, or is gone.
      if (heard === question.heard) heard = Math.min(heard, cursor);
    }
    wake();
  }

  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    let failures = 0;
    while (!ending.signal.aborted && behind() && kept < readAhead) {
      const question = { asked, heard, cursor, incarnation };
      try {
        digest(await source.ask(cursor, ending.signal), question);
        failure = undefined;
        failures = 0;
      } catch (error) {
        if (!isTransient(error)) {
          failure = { error };
          break;
        }
        await pause(backoffMs(failures++), ending.signal);
      }
    }
    pumping = false;
    wake();
  }

  function end(reason: unknown): void {
    if (ending.signal.aborted) return;
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
    ending.abort(reason);
    stopFollowing();
    queue.length = 0;
    kept = 0;
    wake();
  }
  const onAbort = () => end(signals.find((signal) => signal.aborted)?.reason);

  function changed(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => wake(), Math.max(0, withinMs));
      wake = () => {
        clearTimeout(timer);
        wake = () => {};
        resolve();
      };
    });
  }

  async function wait(waitMs: number): Promise<Entry | LogLost | undefined> {
    const deadlineMs = performance.now() + waitMs;
    let pollAtMs = performance.now() + pollMs * (0.8 + 0.4 * Math.random());
    /** A question put after the call: its answer ends the wait. */
    let ours = Number.POSITIVE_INFINITY;
    for (;;) {
      ending.signal.throwIfAborted();
      const item = queue.shift();
      if (item) {
        if (isLost(item)) return item;
        kept--;
        void pump();
        return { sequence: item.sequence, ...item.open() };
      }
      if (failure) {
        const { error } = failure;
        failure = undefined;
        throw error;
      }
      const nowMs = performance.now();
      const late = nowMs >= deadlineMs;
      if (late && answered >= ours && heard <= cursor) return undefined;
      if (nowMs >= pollAtMs || (late && ours > asked)) {
        ours = ++asked;
        pollAtMs = nowMs + pollMs;
      }
      void pump();
      await changed((late ? pollAtMs : Math.min(deadlineMs, pollAtMs)) - nowMs);
    }
  }

  const stopFollowing = source.follow(follower);
  for (const signal of signals) signal.addEventListener('abort', onAbort);
  if (signals.some((signal) => signal.aborted)) onAbort();
  void pump();

  return {
    get kept() {
      return kept;
    },
    async next(waitMs) {
      if (waiting) throw new Error('one next() at a time');
      waiting = true;
      try {
        return await wait(waitMs);
      } finally {
        waiting = false;
      }
    },
    close: () => end(new DOMException('the reader was closed', 'AbortError')),
  };
}

const isLost = (item: Stored | LogLost | undefined): item is LogLost => item !== undefined && 'lost' in item;
