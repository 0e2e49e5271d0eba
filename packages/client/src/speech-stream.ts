import type { AudioChunk } from './audio-chunk.ts';
import type { Boundary } from './boundaries.ts';
import type { Events } from './events.ts';
import type { StreamFacts } from './session.ts';
import type { StreamConfig } from './stream-config.ts';

/** A sentence whose audio has been given, or written to the player. */
export interface SpokenSentence {
  readonly segment: number;
  /** As it stands in the text that was fed. */
  readonly text: string;
  /** As it was spoken: numbers and abbreviations in words. */
  readonly spoken: string;
  readonly start: number;
  readonly end: number;
  /** Seconds, with the pause behind it. */
  readonly duration: number;
  readonly samples: number;
  readonly pauseSamples: number;
}

export interface StreamSummary {
  readonly utterance: string;
  readonly segments: number;
  readonly samples: number;
  readonly seconds: number;
  readonly underruns: number;
}

export interface StreamEvents {
  readonly start: StreamFacts;
  readonly chunk: AudioChunk;
  /** When it is heard, if there is a player; otherwise when its audio is given. */
  readonly boundary: Boundary;
  readonly sentence: SpokenSentence;
  readonly end: StreamSummary;
  readonly error: unknown;
}

/**
 * Text goes in piece by piece, exact audio comes out while it is made, over any number of broken connections.
 *
 * The audio goes to the player, if there is one, then to whoever iterates, or to the listeners of `chunk`. Nobody takes it
 * while there is none of them: then it waits, and the server with it, until `waitUntilDone()` lets it pass.
 */
export interface SpeechStream
  extends AsyncIterable<AudioChunk>,
    Pick<Events<StreamEvents>, 'on' | 'off' | 'once'> {
  readonly utterance: string;
  readonly underruns: number;
  /**
   * Takes the next piece of text. The promise resolves when there is room for more, which need not be waited for. What can't be
   * taken is thrown by the call itself, a `BufferError` if the stream holds no more: `try` catches it with `await` and without,
   * and who does not wait gets no unhandled rejection. The promise rejects only when the stream fails meanwhile.
   */
  feed(text: string): Promise<void>;
  /** Speaks what was fed although the sentence has not ended; resolves when all of it came. Throws as `feed` does. */
  flush(): Promise<void>;
  /** No more text will come. */
  done(): void;
  /** Resolves when everything was given, or heard where there is a player; rejects with what kept it from that. */
  waitUntilDone(): Promise<StreamSummary>;
  bufferFull(): boolean;
  setStreamConfig(changes: Partial<StreamConfig>): void;
  /** Holds the audio back; nothing is lost. */
  pause(): void;
  resume(): void;
  /** Ends it now: the server stops speaking, whoever waits gets a `CancelledError`. */
  stop(): void;
  /** `stop`, if it has not come to its end. */
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}
