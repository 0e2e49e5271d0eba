import { asRhapsodeError, RhapsodeError } from '@rhapsode/contracts';
import { decodeText, parseJson } from '@rhapsode/service';
import type { GatewayDeps } from '../deps.ts';
import { type LiveSpeech, openLive } from '../live-speech.ts';
import { type AudioOut, createAudioOut } from './audio-out.ts';
import { failureBody } from './failure.ts';
import {
  type Command,
  type Generation,
  generationOf,
  type Init,
  type Nonce,
  parseCommand,
  parseInit,
} from './messages.ts';
import { type Word, wordsOf } from './words.ts';

/** The client's socket, as far as a session needs it. Sending resolves when the client is near enough for more. */
export interface Line {
  readonly closed: AbortSignal;
  text(message: object): Promise<void>;
  audio(bytes: Uint8Array): Promise<void>;
  close(code: number, reason: string): void;
}

export interface LmntSession {
  /** Messages are done in their order. */
  take(data: Uint8Array, isBinary: boolean): Promise<void>;
}

/**
 * One socket of an LMNT client.
 *
 * - *New*: the first message says which generation, voice and format; anything wrong with it ends the session.
 * - *Open*: text is spoken as its sentences are complete. All text between the beginning, or a reset, and the end is one
 *   utterance, opened with its first piece. A flush speaks what is held and is acknowledged behind its audio. A reset drops what
 *   was not sent, and the flushes under way, and is acknowledged when no more of it will come.
 * - *Finishing*: what is left is sent, then the socket is closed with 1000. More messages are dropped.
 *
 * Whatever fails is told in the generation's way, and ends the session: its socket is closed with another code.
 */
export function createLmntSession(deps: GatewayDeps, line: Line, requestId: string): LmntSession {
  const { voices, metrics, log } = deps;
  const over = new AbortController();
  const signal = AbortSignal.any([line.closed, over.signal]);
  let generation: Generation = 3;
  let init: Init | undefined;
  let speech: LiveSpeech<Nonce> | undefined;
  let out: AudioOut | undefined;
  let playing: Promise<void> = Promise.resolve();
  let finishing = false;
  /** Samples that were given on this socket: times count from its beginning. */
  let given = 0;
  let warning: string | undefined;

  async function fail(thrown: unknown): Promise<void> {
    if (signal.aborted) return;
    const error = asRhapsodeError(thrown);
    metrics.rejectedTotal.add(1, { reason: error.code });
    const severe = error.status >= 500 && error.status !== 503;
    log[severe ? 'warn' : 'debug']({ requestId, error: thrown, code: error.code }, 'LMNT session failed');
    over.abort(error);
    await line.text(failureBody(error, generation === 3 ? '1.1' : 'old', requestId)).catch(() => {});
    line.close(error.status < 500 ? 1008 : 1011, error.code);
  }

  const hasExtras = () => generation < 3 && init?.times === true;

  /** In the first generation a client with extras reads a message and a frame in turn, always. */
  async function send(bytes: Uint8Array, words: readonly Word[] = [], bufferEmpty = false): Promise<void> {
    if (hasExtras()) {
      if (bytes.length === 0 && words.length === 0 && !bufferEmpty) return;
      const warned = warning === undefined ? {} : { warning };
      warning = undefined;
      await line.text({ durations: words, buffer_empty: bufferEmpty, ...warned });
      if (bytes.length > 0 || generation === 1) await line.audio(bytes);
      return;
    }
    if (bytes.length > 0) await line.audio(bytes);
    if (generation === 3 && init?.times && words.length > 0)
      await line.text({ type: 'timestamps', timestamps: words });
  }

  async function acknowledge(what: 'flush' | 'reset', nonce: Nonce): Promise<void> {
    if (generation === 2) await line.text({ type: 'complete', complete: what, nonce });
    if (generation === 3) await line.text({ type: `${what}_complete`, nonce });
  }

  async function play({ utterance, pieces }: LiveSpeech<Nonce>, audio: AudioOut): Promise<void> {
    let begun = given;
    metrics.streamsOpen.add(1);
    try {
      for await (const piece of pieces)
        switch (piece.type) {
          case 'audio':
          case 'pause':
            given += piece.pcm.length / 2;
            await send(await audio.push(piece.pcm));
            break;
          case 'segment':
            await send(await audio.endSentence(), wordsOf(piece, begun, utterance.sampleRateHz));
            begun = given;
            break;
          case 'flushed':
            await send(await audio.flush(), [], true);
            await acknowledge('flush', piece.token);
        }
    } finally {
      metrics.streamsOpen.add(-1);
    }
  }

  async function start({ voice, wanted, speed, seed }: Init): Promise<LiveSpeech<Nonce>> {
    const opened = await openLive<Nonce>({ voice, speed, seed, class: 'interactive' }, deps, signal);
    out ??= createAudioOut(wanted, opened.utterance.sampleRateHz);
    speech = opened;
    playing = play(opened, out);
    playing.catch(fail);
    return opened;
  }

  async function begin(message: unknown): Promise<void> {
    generation = generationOf(message);
    init = parseInit(message);
    await voices.find(init.voice, 'voice');
    if (init.notHonoured.length > 0) warning = `not honoured by this voice: ${init.notHonoured.join(', ')}`;
    if (generation === 3) await line.text({ type: 'ready', request_id: requestId });
  }

  async function obey(command: Command, given: Init): Promise<void> {
    switch (command.type) {
      case 'text':
        if (command.text !== '') await (speech ?? (await start(given))).write(command.text);
        return;
      case 'flush':
        if (speech) return speech.flush(command.nonce);
        await send(new Uint8Array(0), [], true);
        return acknowledge('flush', command.nonce);
      case 'reset':
        await speech?.cancel();
        await playing;
        speech = undefined;
        // What the codec still holds was never heard.
        await out?.close();
        return acknowledge('reset', command.nonce);
      case 'finish':
        finishing = true;
        void end().catch(fail);
    }
  }

  async function end(): Promise<void> {
    await speech?.finish();
    await playing;
    await send((await out?.flush()) ?? new Uint8Array(0), [], true);
    over.abort(new Error('the session has ended'));
    line.close(1000, '');
  }

  async function take(data: Uint8Array, isBinary: boolean): Promise<void> {
    if (signal.aborted || finishing) return;
    try {
      if (isBinary)
        throw new RhapsodeError('invalid_request', { message: 'a message is JSON in a text frame' });
      const message = parseJson(decodeText(data));
      if (init) await obey(parseCommand(message), init);
      else await begin(message);
    } catch (error) {
      await fail(error);
    }
  }

  signal.addEventListener('abort', () => void playing.catch(() => {}).then(() => out?.close()), {
    once: true,
  });

  let turn: Promise<void> = Promise.resolve();
  return {
    take(data, isBinary) {
      turn = turn.then(() => take(data, isBinary));
      return turn;
    },
  };
}
