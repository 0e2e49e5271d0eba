import type { AudioFormat } from './format.ts';
import { createMp3Encoder } from './mp3.ts';
import { pcmBytes } from './pcm.ts';
import { wavHeader } from './wav.ts';

/**
 * Turns one utterance's PCM into one sequence of bytes.
 *
 * Promises
 * - The same samples give the same bytes, however they were divided into pushes.
 * - What `push` returns may share memory with what was pushed: use it before the next push.
 */
export interface AudioEncoder {
  /** What comes before the first sample. `samples`: the whole length, where it is known already. */
  header(samples?: number): Uint8Array;
  push(pcm: Int16Array): Uint8Array;
  /** What comes after the last sample. The encoder is of no use any more. */
  finish(): Uint8Array;
}

export interface EncoderOptions {
  readonly sampleRateHz: number;
}

const nothing = new Uint8Array(0);

const createPcmEncoder = (): AudioEncoder => ({
  header: () => nothing,
  push: pcmBytes,
  finish: () => nothing,
});

const createWavEncoder = ({ sampleRateHz }: EncoderOptions): AudioEncoder => ({
  ...createPcmEncoder(),
  header: (samples) => wavHeader(sampleRateHz, samples),
});

const creators: Record<AudioFormat, (options: EncoderOptions) => AudioEncoder | Promise<AudioEncoder>> = {
  pcm: createPcmEncoder,
  wav: createWavEncoder,
  mp3: createMp3Encoder,
};

export const createEncoder = async (format: AudioFormat, options: EncoderOptions): Promise<AudioEncoder> =>
  creators[format](options);
