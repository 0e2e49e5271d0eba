import type { Boundary } from './boundaries.ts';
import type { StreamOptions, VoiceOptions } from './client.ts';
import { CancelledError, type StreamError } from './errors.ts';
import type { Player, Sink } from './player.ts';
import type { SpeechStream, SpokenSentence, StreamSummary } from './speech-stream.ts';

export interface SpeakOptions extends VoiceOptions {
  readonly player?: Player;
  readonly sink?: Sink;
}

export interface SpeakStreamedOptions extends SpeakOptions {
  /** A sentence has been made and is on its way to the ear. */
  readonly onChunkProcessed?: (sentence: SpokenSentence) => void;
  /** A word is heard. */
  readonly onBoundary?: (boundary: Boundary) => void;
}

/** Texts are heard one after the other, in the order of the calls. */
export interface Speaking {
  /** Resolves when it has been heard. */
  speak(text: string, options?: SpeakOptions): Promise<StreamSummary>;
  /** The same, with word of its progress. Without a player or a sink the audio is only counted. */
  speakStreamed(text: string, options?: SpeakStreamedOptions): Promise<StreamSummary>;
  pause(): void;
  resume(): void;
  /** Silence now, also for what was to come after it. */
  stop(): void;
}

export interface SpeakingDeps {
  readonly createStream: (options: StreamOptions) => SpeechStream;
  readonly hasPlayer: () => boolean;
  readonly noPlayer: () => StreamError;
}

/** Fed in pieces: a book does not lie in the stream's buffer as a whole. */
const pieceLength = 8_192;

export function createSpeaking({ createStream, hasPlayer, noPlayer }: SpeakingDeps): Speaking {
  let turn: Promise<unknown> = Promise.resolve();
  let current: SpeechStream | undefined;
  let isPaused = false;
  let stops = 0;

  async function hear(text: string, options: SpeakStreamedOptions): Promise<StreamSummary> {
    const { onChunkProcessed, onBoundary, player, sink, ...open } = options;
    const heardBy = sink ? { sink } : player ? { player } : hasPlayer() ? ({ player: true } as const) : {};
    const stream = createStream({ ...open, ...heardBy });
    current = stream;
    if (isPaused) stream.pause();
    if (onChunkProcessed) stream.on('sentence', onChunkProcessed);
    if (onBoundary) stream.on('boundary', onBoundary);
    const heard = stream.waitUntilDone();
    try {
      for (let at = 0; at < text.length; at += pieceLength)
        await stream.feed(text.slice(at, at + pieceLength));
      stream.done();
      return await heard;
    } finally {
      stream.close();
      current = undefined;
    }
  }

  function inTurn(text: string, options: SpeakStreamedOptions): Promise<StreamSummary> {
    const asked = stops;
    const result = turn.then(() => {
      options.signal?.throwIfAborted();
      if (asked !== stops)
        throw new CancelledError('cancelled', { message: 'stop() was called before its turn' });
      return hear(text, options);
    });
    turn = result.catch(() => {});
    return result;
  }

  return {
    async speak(text, options = {}) {
      if (!options.player && !options.sink && !hasPlayer()) throw noPlayer();
      return inTurn(text, options);
    },
    async speakStreamed(text, options = {}) {
      if (!options.player && !options.sink && !options.onChunkProcessed && !hasPlayer()) throw noPlayer();
      return inTurn(text, options);
    },
    pause() {
      isPaused = true;
      current?.pause();
    },
    resume() {
      isPaused = false;
      current?.resume();
    },
    stop() {
      stops += 1;
      isPaused = false;
      current?.stop();
    },
  };
}
