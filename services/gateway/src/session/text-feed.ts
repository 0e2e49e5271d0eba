import { RhapsodeError } from '@rhapsode/contracts';
import type { ArrivingText } from '@rhapsode/pipeline';
import { checkText } from '@rhapsode/service';
import { persist } from './persist.ts';

/**
 * The text of one context on its way to the store. What comes while a piece is being stored waits and is stored together, so
 * token by token costs one call at a time. While the store is away, it is tried again.
 */
export interface TextFeed {
  /** UTF-16 code units, those that wait among them. */
  readonly end: number;
  /** Throws if the piece can't follow; then nothing has changed. */
  write(text: string, offset: number | undefined): void;
  /** `then` is called when all sentences of the text so far are stored, with their number. */
  flush(then?: (segments: number) => void): void;
  finish(): void;
  /** Resolves when little waits. */
  room(): Promise<void>;
  /** Stops what is timed. */
  close(): void;
}

export interface TextFeedOptions {
  readonly maxCharacters: number;
  readonly idleFlushMs: number | undefined;
  readonly signal: AbortSignal;
  /** Text up to here is kept. */
  readonly onStored: (offset: number) => void;
  /** The text can't go on. */
  readonly onFailure: (error: unknown) => void;
}

interface Batch {
  text: string;
  readonly at: number;
  mark: 'none' | 'flush' | 'end';
  readonly told: ((segments: number) => void)[];
}

const mostWaiting = 64 * 1024;

export function createTextFeed(texts: ArrivingText, options: TextFeedOptions): TextFeed {
  const { maxCharacters, idleFlushMs, signal, onStored, onFailure } = options;
  let end = texts.length;
  let complete = texts.complete;
  // What was stored may end there, too.
  let half = highHalf(texts.source(end - 1, end) ?? '');
  let waiting: Batch[] = [];
  let waitingLength = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const thirsty: (() => void)[] = [];

  async function run(): Promise<void> {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
      const { at, text, mark, told } = batch;
      waitingLength -= text.length;
      await persist(() => texts.add({ at, text, flush: mark === 'flush', end: mark === 'end' }), signal);
      if (text !== '') onStored(texts.length);
      for (const tell of told) tell(texts.segments);
      if (waitingLength < mostWaiting) for (const go of thirsty.splice(0)) go();
    }
  }

  function start(): void {
    running ??= run()
      .catch((error: unknown) => {
        waiting = [];
        waitingLength = 0;
        for (const go of thirsty.splice(0)) go();
        if (!signal.aborted) onFailure(error);
      })
      .finally(() => {
        running = undefined;
        if (waiting.length > 0) start();
      });
  }

  function batch(): Batch {
    const last = waiting.at(-1);
    if (last?.mark === 'none') return last;
    const next: Batch = { text: '', at: end, mark: 'none', told: [] };
    waiting.push(next);
    return next;
  }

  function rest(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** Its time begins anew with every piece. */
  function wait(): void {
    rest();
    if (idleFlushMs === undefined || complete) return;
    timer = setTimeout(() => {
      if (waiting.length > 0 || running || texts.plannedTo < texts.length) feed.flush();
    }, idleFlushMs).unref();
  }

  const feed: TextFeed = {
    get end() {
      return end;
    },
    write(given, offset) {
      if (offset !== undefined && offset > end)
        throw new RhapsodeError('invalid_request', {
          message: `'offset' is ${offset}, but ${end} characters have been received; the next piece begins there`,
          param: 'offset',
        });
      const text = offset === undefined ? given : given.slice(end - offset);
      if (text === '') {
        if (waiting.length === 0 && !running) onStored(texts.length);
        return;
      }
      if (complete)
        throw new RhapsodeError('utterance_sealed', {
          message: 'the context has been finished',
          param: 'text',
        });
      if (end + text.length > maxCharacters)
        throw new RhapsodeError('text_too_long', {
          message: `the context would have more than ${maxCharacters} characters; finish it and open another`,
          param: 'text',
        });
      // A client that cuts by code units may cut a character in two.
      const whole = half + text;
      const next = highHalf(whole);
      checkText(whole.slice(0, whole.length - next.length), 'text');
      half = next;
      batch().text += text;
      waitingLength += text.length;
      end += text.length;
      start();
      wait();
    },
    flush(then) {
      rest();
      const last = batch();
      last.mark = 'flush';
      if (then) last.told.push(then);
      start();
    },
    finish() {
      rest();
      checkText(half, 'text');
      if (complete) return;
      complete = true;
      batch().mark = 'end';
      start();
    },
    async room() {
      if (waitingLength >= mostWaiting) await new Promise<void>((resolve) => thirsty.push(resolve));
    },
    close() {
      rest();
      for (const go of thirsty.splice(0)) go();
    },
  };
  wait();
  return feed;
}

/** The first half of a character, if the text ends with one. */
const highHalf = (text: string): string => (/[\ud800-\udbff]$/.test(text) ? text.slice(-1) : '');
