import { setImmediate } from 'node:timers/promises';
import { RhapsodeError, type Utterance } from '@rhapsode/contracts';
import { type AudioPiece, hasWords } from '@rhapsode/pipeline';
import { checkLength, checkText } from '@rhapsode/service';
import { acceptArriving, type SpokenRequest } from './accept.ts';
import type { GatewayDeps } from './deps.ts';

/** All audio of the text before the `flush` that carried this token has been given. */
export interface Flushed<Token> {
  readonly type: 'flushed';
  readonly token: Token;
}

export type LivePiece<Token> = AudioPiece | Flushed<Token>;

/**
 * A text that arrives piece by piece and, meanwhile, its audio: one utterance that belongs to one connection.
 *
 * Promises
 * - `write`, `flush` and `finish` are done in the order of the calls. One that fails ends the speech: `pieces` throws its error.
 * - `pieces` gives every sample once, in order, and ends when all of a finished text was given. Who asks for the next piece has
 *   taken the one before: that is the credit on which sentences are released, so a slow client costs neither memory nor work.
 * - Whatever ends it (the last piece, an error, `cancel`, or the connection's signal), nothing more is made and nothing is kept.
 */
export interface LiveSpeech<Token> {
  readonly utterance: Utterance;
  write(text: string): Promise<void>;
  /** Speaks what is held, although the sentence may not have ended; `pieces` tells when that was given. */
  flush(token: Token): Promise<void>;
  /** Speaks what is held; no more text will come. */
  finish(): Promise<void>;
  /** Resolves when nothing is made any more. `pieces` ends, without an error. */
  cancel(): Promise<void>;
  readonly pieces: AsyncGenerator<LivePiece<Token>, void, undefined>;
}

/** That a client may ask for before it has taken the audio of the first. */
const mostFlushes = 1_000;

export async function openLive<Token>(
  request: SpokenRequest,
  deps: GatewayDeps,
  signal: AbortSignal,
): Promise<LiveSpeech<Token>> {
  signal.throwIfAborted();
  const { log, metrics, store, dispatcher, limits } = deps;
  // Should this process die, it is forgotten too.
  const text = await acceptArriving({ ...request, transient: true }, deps);
  const { utterance } = text;
  const { id } = utterance;
  const stop = new AbortController();
  const trouble = (what: string) => (error: unknown) => log.warn({ utterance: id, error }, what);
  const forget = () => dispatcher.cancel(id).catch(trouble('not cancelled'));
  const listening = await deps.hear(id, { signal: stop.signal }).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  // The client is there, though it may say nothing for long.
  const holding = setInterval(
    () => void store.hold(id, 'writer').catch(trouble('not held')),
    (limits.textIdleSeconds * 1000) / 3,
  ).unref();

  let ended: Promise<void> | undefined;
  function end(reason: unknown): Promise<void> {
    signal.removeEventListener('abort', leave);
    clearInterval(holding);
    stop.abort(reason);
    ended ??= forget().then(() => listening.close());
    return ended;
  }
  const leave = () => void end(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  // The client may have gone while the utterance was opened.
  if (signal.aborted) leave();

  const cancelled = new RhapsodeError('cancelled');
  const marks: { segments: number; token: Token }[] = [];
  let wake = () => {};
  let textAtMs: number | undefined;
  let half = '';
  let characters = 0;

  let turn: Promise<unknown> = Promise.resolve();
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(async () => {
      stop.signal.throwIfAborted();
      await work();
    });
    turn = done.catch((error: unknown) => void end(error));
    return done;
  }

  async function* give(): AsyncGenerator<LivePiece<Token>, void, undefined> {
    let heard = 0;
    let first = true;
    let coming: ReturnType<typeof listening.pieces.next> | undefined;
    try {
      for (;;) {
        while (marks[0] && marks[0].segments <= heard) yield { type: 'flushed', token: marks.shift()!.token };
        if (!coming) {
          coming = listening.pieces.next();
          coming.catch(() => {});
        }
        const woken = new Promise<undefined>((resolve) => {
          wake = () => resolve(undefined);
        });
        const next = await Promise.race([coming, woken]);
        if (!next) continue;
        coming = undefined;
        if (next.done) {
          for (const { token } of marks.splice(0)) yield { type: 'flushed', token };
          return;
        }
        const piece = next.value;
        if (first && piece.type === 'audio' && textAtMs !== undefined) {
          first = false;
          const seconds = (performance.now() - textAtMs) / 1000;
          metrics.timeToFirstAudioSeconds.observe(seconds, { class: utterance.class });
        }
        yield piece;
        if (piece.type !== 'segment') continue;
        heard = piece.segment + 1;
        listening.consumed(heard);
      }
    } catch (error) {
      const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
      if (reason !== cancelled) throw reason;
    } finally {
      await end(cancelled);
    }
  }

  return {
    utterance,
    write: (piece) =>
      inTurn(async () => {
        // A client that cuts by code units may cut a character in two.
        const whole = half + piece;
        half = /[\ud800-\udbff]$/.test(whole) ? whole.slice(-1) : '';
        const ready = half === '' ? whole : whole.slice(0, -1);
        checkText(ready, 'text');
        for (const _ of ready) characters += 1;
        if (characters > limits.maxSpeechCharacters)
          throw new RhapsodeError('text_too_long', {
            message: `the text has more than ${limits.maxSpeechCharacters} characters; end it and go on with another`,
            param: 'text',
          });
        if (/\S/.test(ready)) textAtMs ??= performance.now();
        if (ready !== '') await text.add({ text: ready });
      }),
    flush: (token) =>
      inTurn(async () => {
        if (marks.length >= mostFlushes)
          throw new RhapsodeError('rate_limited', {
            message: `${mostFlushes} flushes wait already; take the audio of the earlier ones first`,
          });
        await text.add({ flush: true });
        marks.push({ segments: text.segments, token });
        wake();
      }),
    finish: () =>
      inTurn(async () => {
        checkText(half, 'text');
        await text.add({ end: true });
      }),
    cancel: () => end(cancelled),
    pieces: give(),
  };
}

const sliceLength = 2_048;

/** The same for a text that is there as a whole: it is refused before anything is kept, or spoken to its end. */
export async function speakWhole(
  { input, ...request }: SpokenRequest & { readonly input: string },
  deps: GatewayDeps,
  signal: AbortSignal,
): Promise<LiveSpeech<never>> {
  checkLength(input, deps.limits.maxSpeechCharacters, 'text');
  checkText(input, 'text');
  if (!hasWords(input))
    throw new RhapsodeError('text_empty', { message: 'the text has nothing to speak', param: 'text' });
  const speech = await openLive<never>(request, deps, signal);
  async function write(): Promise<void> {
    for (let at = 0; at < input.length; at += sliceLength) {
      // Others are answered in between.
      if (at > 0) await setImmediate();
      await speech.write(input.slice(at, at + sliceLength));
    }
    await speech.finish();
  }
  // What goes wrong is thrown by the pieces.
  write().catch(() => {});
  return speech;
}
