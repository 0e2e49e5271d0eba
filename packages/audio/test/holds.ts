import { type AudioFormat, samplesAtRate } from '../src/index.ts';

/** A stream as its encoder was given it. */
export interface Stream {
  /** Before they were brought to another rate. */
  readonly samples: number;
  readonly sampleRateHz: number;
  /** Of the stream itself; the same if nothing else was asked for. */
  readonly encodedHz: number;
  /** Whether its header was told how long it would be. */
  readonly isKnown: boolean;
}

/** What ffmpeg calls a format, and what any decoder gets from it. */
export interface Holds {
  readonly codec: string;
  readonly container: string;
  /** What decoders give, where it is always the same. */
  readonly decodedHz?: number;
  /** How many samples too late the sound is, and stays. */
  readonly delay: number;
  /** Samples in a frame of the codec, where there are any. */
  frameSamples(encodedHz: number): number;
  /** Exactly so many come out of a decoder. */
  decoded(stream: Stream): number;
}

const encodedSamples = ({ samples, sampleRateHz, encodedHz }: Stream): number =>
  samplesAtRate(samples, sampleRateHz, encodedHz);

const mp3Frame = (encodedHz: number): number => (encodedHz >= 32_000 ? 1152 : 576);
/** LAME's delay and a decoder's own: a decoder leaves out as many in any case. */
const mp3Delay = 576 + 529;
const aacFrame = 1024;

/** Every sample, and nothing else. */
const lossless = { delay: 0, frameSamples: () => 1024, decoded: encodedSamples };

export const holds: Record<AudioFormat, Holds> = {
  mp3: {
    codec: 'mp3',
    container: 'mp3',
    delay: 0,
    frameSamples: mp3Frame,
    /** All of its frames but what leads in; or, where the tag tells the end, not one sample more. */
    decoded(stream) {
      const samples = encodedSamples(stream);
      const frame = mp3Frame(stream.encodedHz);
      const frames = Math.max(2, Math.ceil((mp3Delay + samples) / frame));
      if (!stream.isKnown) return frames * frame - mp3Delay;
      // Of less than 2 or 4 ms ffmpeg leaves out what is before the sound, or what is behind it, but not both.
      return frame === 576 && samples < 2 * frame - mp3Delay ? samples + 529 : samples;
    },
  },
  opus: {
    codec: 'opus',
    container: 'ogg',
    decodedHz: 48_000,
    delay: 0,
    frameSamples: (encodedHz) => encodedHz / 50,
    decoded: ({ samples, sampleRateHz }) => samplesAtRate(samples, sampleRateHz, 48_000),
  },
  /** ADTS can't say that the first frame leads in, nor that the last one is not full: all of its frames. */
  aac: {
    codec: 'aac',
    container: 'aac',
    delay: aacFrame,
    frameSamples: () => aacFrame,
    decoded: (stream) => (1 + Math.max(1, Math.ceil(encodedSamples(stream) / aacFrame))) * aacFrame,
  },
  flac: { ...lossless, codec: 'flac', container: 'flac' },
  wav: { ...lossless, codec: 'pcm_s16le', container: 'wav' },
  pcm: { ...lossless, codec: 'pcm_s16le', container: 's16le' },
};
