import type { AudioChunk } from './audio-chunk.ts';
import { type Boundary, createBoundaryLine } from './boundaries.ts';

/** Lets a listener hear. In a browser it is Web Audio (`createWebAudioPlayer`); in Node whatever takes samples. */
export interface Player {
  play(options: PlayOptions): Playback | Promise<Playback>;
}

export interface PlayOptions {
  readonly sampleRateHz: number;
  /** The boundary's first sample is being heard. */
  readonly onBoundary: (boundary: Boundary) => void;
}

/** One utterance that is being heard. Nothing that was written is lost or repeated by `pause`. */
export interface Playback {
  /** Resolves when it can take the next chunk. */
  write(chunk: AudioChunk): Promise<void>;
  /** May come before the audio they belong to, or when it has been heard already. */
  mark(boundaries: readonly Boundary[]): void;
  /** A sentence is complete: silence from here to the next chunk is nobody's fault but the text's, if that is not `complete`. */
  sentenceEnd(isTextComplete: boolean): void;
  /** Resolves when everything has been heard. */
  end(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Silence at once; whoever waits goes on. */
  stop(): void;
  /** How often there was nothing to play although the listener waited for it. */
  readonly underruns: number;
}

export type Sink = (chunk: AudioChunk) => void | Promise<void>;

/** Gives the audio to a function, which makes it wait by the promise it returns. */
export const createSinkPlayer = (sink: Sink): Player => ({
  play({ onBoundary }) {
    const line = createBoundaryLine(onBoundary);
    return {
      async write(chunk) {
        await sink(chunk);
        line.reach(chunk.sample + chunk.pcm.length);
      },
      mark: (boundaries) => line.add(boundaries),
      sentenceEnd() {},
      async end() {},
      pause() {},
      resume() {},
      stop() {},
      underruns: 0,
    };
  },
});
