import { once } from 'node:events';
import type { Socket } from 'node:net';
import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import { parseRequest } from '@rhapsode/service';
import { z } from 'zod';
import type { GatewayDeps } from '../deps.ts';
import { type LiveSpeech, openLive } from '../live-speech.ts';
import { version } from '../version.ts';
import { encodeEvent, readEvents, type WyomingEvent } from './event.ts';
import { infoEvent } from './info.ts';
import { chooseVoice, wantedVoice } from './voice-choice.ts';

const start = z.looseObject({
  voice: wantedVoice,
  text_format: z.enum(['text', 'ssml']).nullish(),
});
const chunk = z.looseObject({ text: z.string() });
const whole = z.looseObject({ ...start.shape, ...chunk.shape });

/** Requests of one connection that wait for the answer of an earlier one. */
const mostWaiting = 8;
/** A client that was told of the end closes its side, or is cut off. */
const farewellMs = 5_000;

export interface Conversation {
  /** Resolves when the connection is closed. */
  readonly done: Promise<void>;
  /** Answers what was asked already, then closes. */
  drain(): void;
}

/**
 * One connection of a Wyoming client.
 *
 * - *Quiet*: `describe` and `ping` are answered; `synthesize` speaks a whole text; `synthesize-start` moves to *streaming*.
 * - *Streaming*: each `synthesize-chunk` is the next piece of the text. A `synthesize` repeats the whole text for servers that
 *   can't stream, and is ignored. `synthesize-stop` moves back to *quiet*.
 *
 * Answers are sent in the order of the requests, while more is read. What goes wrong is told by an `error` and the end of the
 * connection, never by an `audio-stop`: a client that only waits for that one takes no part of a speech for the whole.
 */
export function converse(socket: Socket, deps: GatewayDeps): Conversation {
  const { log, metrics, drain, voices, limits } = deps;
  const gone = new AbortController();
  const { signal } = gone;
  socket.on('error', (error) => log.debug({ error }, 'a Wyoming connection broke'));
  socket.once('close', () => gone.abort(new Error('the client has gone')));

  let streaming: LiveSpeech<never> | undefined;
  let idle: NodeJS.Timeout | undefined;
  let answers: Promise<void> = Promise.resolve();
  let waiting = 0;
  let draining = false;

  async function send(event: WyomingEvent): Promise<void> {
    signal.throwIfAborted();
    if (!socket.write(encodeEvent(event))) await once(socket, 'drain', { signal });
    await drain.settle(socket, signal);
  }

  function close(last?: Buffer): void {
    if (last) socket.end(last);
    else socket.end();
    const timer = setTimeout(() => socket.destroy(), farewellMs).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  function fail(thrown: unknown): void {
    if (signal.aborted) return;
    const error = asRhapsodeError(thrown);
    metrics.rejectedTotal.add(1, { reason: error.code });
    log[error.status >= 500 ? 'warn' : 'debug'](
      { error: thrown, code: error.code },
      'Wyoming request failed',
    );
    close(encodeEvent({ type: 'error', data: { text: error.message, code: error.code } }));
    gone.abort(error);
  }

  function answer(work: () => Promise<void>): void {
    if (waiting >= mostWaiting)
      throw new RhapsodeError('rate_limited', {
        message: `${mostWaiting} requests of this connection wait already; read their answers first`,
      });
    waiting += 1;
    answers = answers.then(work).catch(fail);
    void answers.then(() => {
      waiting -= 1;
      if (draining && waiting === 0 && !streaming) close();
    });
  }

  async function deliver({ utterance, pieces }: LiveSpeech<never>, stopped: boolean): Promise<void> {
    const rate = utterance.sampleRateHz;
    const format = { rate, width: 2, channels: 1 };
    let samples = 0;
    let started = false;
    const timestamp = () => Math.floor((samples * 1000) / rate);
    const begin = () => send({ type: 'audio-start', data: { ...format, timestamp: 0 } });
    metrics.streamsOpen.add(1);
    try {
      for await (const piece of pieces) {
        if (piece.type !== 'audio' && piece.type !== 'pause') continue;
        if (!started) await begin();
        started = true;
        const data = { ...format, timestamp: timestamp() };
        await send({ type: 'audio-chunk', data, payload: piece.pcm });
        samples += piece.pcm.length / 2;
      }
    } finally {
      metrics.streamsOpen.add(-1);
    }
    if (!started) await begin();
    await send({ type: 'audio-stop', data: { timestamp: timestamp() } });
    if (stopped) await send({ type: 'synthesize-stopped', data: {} });
  }

  async function open({ voice, text_format }: z.infer<typeof start>, stopped: boolean) {
    if (draining) throw new RhapsodeError('draining');
    const chosen = await chooseVoice(voice, voices);
    const inputType = text_format ?? 'text';
    const speech = await openLive<never>({ ...chosen, inputType, class: 'interactive' }, deps, signal);
    answer(() => deliver(speech, stopped));
    return speech;
  }

  function stopStreaming(): void {
    clearTimeout(idle);
    streaming = undefined;
  }

  async function take({ type, data }: WyomingEvent): Promise<void> {
    switch (type) {
      case 'describe':
        return answer(async () => send(infoEvent(await voices.list(), version)));
      case 'ping':
        return answer(() => send({ type: 'pong', data: data.text === undefined ? {} : { text: data.text } }));
      case 'synthesize': {
        if (streaming) return;
        const { text, ...rest } = parseRequest(whole, data);
        const speech = await open(rest, false);
        await speech.write(text);
        return speech.finish();
      }
      case 'synthesize-start':
        if (streaming)
          throw new RhapsodeError('invalid_request', {
            message: "'synthesize-start' came before the 'synthesize-stop' of the one before",
          });
        streaming = await open(parseRequest(start, data), true);
        idle = setTimeout(() => {
          fail(
            new RhapsodeError('request_timeout', {
              message: `no text came for ${limits.textIdleSeconds} s, and no 'synthesize-stop'`,
            }),
          );
        }, limits.textIdleSeconds * 1000).unref();
        return;
      case 'synthesize-chunk':
        if (!streaming)
          throw new RhapsodeError('invalid_request', {
            message: "'synthesize-chunk' came without a 'synthesize-start'",
          });
        idle?.refresh();
        return streaming.write(parseRequest(chunk, data).text);
      case 'synthesize-stop': {
        // Home Assistant sends one behind a request that it gave up.
        const speech = streaming;
        stopStreaming();
        return speech?.finish();
      }
    }
  }

  async function listen(): Promise<void> {
    try {
      // What comes behind a failure is read and dropped: unread bytes would take the error away from the client.
      for await (const event of readEvents(socket.iterator({ destroyOnReturn: false })))
        if (!signal.aborted) await take(event);
      // A client may close its side when it has asked for all, and still take the answers.
      if (streaming) gone.abort(new Error('the client has gone in the middle of its text'));
      await answers;
      close();
    } catch (error) {
      fail(error);
      socket.resume();
    } finally {
      stopStreaming();
      await answers;
    }
  }

  return {
    done: listen(),
    drain() {
      draining = true;
      if (waiting === 0 && !streaming) close();
    },
  };
}
