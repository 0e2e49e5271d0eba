import { type ClientMessage, mainContext as context } from '@rhapsode/contracts/session';
import { type Deferred, deferred } from './deferred.ts';
import { createTextQueue } from './text-queue.ts';

/** What a session has to say to whichever server it is linked to: text, flushes at their places in it, its end. */
export interface OutgoingText {
  /** UTF-16 code units fed so far. */
  readonly length: number;
  /** Of them, what a server has confirmed. */
  readonly confirmed: number;
  readonly isFinished: boolean;
  add(text: string): void;
  /** Resolves when all audio of the text so far has come. */
  flush(): Promise<void>;
  finish(): void;
  confirm(offset: number): void;
  /** A server is there that has the text up to `offset`: what it lacks is sent, now and as it is fed. */
  link(send: (message: ClientMessage) => void, offset: number, isComplete: boolean): void;
  unlink(): void;
  /** The server has answered a flush. */
  flushed(nonce: string | number): void;
  /** All audio up to the offset has come. */
  spoken(offset: number): void;
  /** All audio has come. */
  ended(): void;
  fail(error: unknown): void;
}

interface Flush {
  readonly nonce: number;
  readonly offset: number;
  /** To the server that is there now. */
  sent: boolean;
  /** A server did it whose answer was lost: the audio tells when. */
  isDone: boolean;
  readonly done: Deferred<void>;
}

export function createOutgoingText(maxTextChunk: () => number): OutgoingText {
  const text = createTextQueue();
  let flushes: Flush[] = [];
  let nonces = 0;
  let isFinished = false;
  let say: ((message: ClientMessage) => void) | undefined;
  let sent = 0;
  let isFinishSent = false;

  /** Says what is due, in its order. */
  function sayPending(): void {
    if (!say) return;
    for (;;) {
      const flush = flushes.find((one) => !one.sent);
      const until = flush?.offset ?? text.end;
      while (sent < until) {
        const piece = text.piece(sent, until, maxTextChunk());
        say({ type: 'text', context, text: piece, offset: sent });
        sent += piece.length;
      }
      if (!flush) break;
      flush.sent = true;
      say({ type: 'flush', context, nonce: flush.nonce });
    }
    if (!isFinished || isFinishSent) return;
    isFinishSent = true;
    say({ type: 'finish', context });
  }

  function settle(isSettled: (flush: Flush) => boolean): void {
    for (const flush of flushes) if (isSettled(flush)) flush.done.resolve();
    flushes = flushes.filter((flush) => !isSettled(flush));
  }

  return {
    get length() {
      return text.end;
    },
    get confirmed() {
      return text.confirmed;
    },
    get isFinished() {
      return isFinished;
    },
    add(piece) {
      text.add(piece);
      sayPending();
    },
    flush() {
      const done = deferred<void>();
      done.promise.catch(() => {});
      flushes.push({ nonce: ++nonces, offset: text.end, sent: false, isDone: false, done });
      sayPending();
      return done.promise;
    },
    finish() {
      isFinished = true;
      sayPending();
    },
    confirm: text.confirm,
    link(send, offset, isComplete) {
      say = send;
      text.confirm(offset);
      sent = offset;
      isFinishSent = isComplete;
      // Text behind a flush has arrived, so it was done. One at the very end may be done again: nothing is held then.
      for (const flush of flushes) flush.isDone = flush.sent = flush.offset < offset || isComplete;
      sayPending();
    },
    unlink() {
      say = undefined;
    },
    flushed: (nonce) => settle((flush) => flush.nonce === nonce),
    spoken: (offset) => settle((flush) => flush.isDone && flush.offset <= offset),
    ended: () => settle(() => true),
    fail(error) {
      for (const { done } of flushes) done.reject(error);
    },
  };
}
