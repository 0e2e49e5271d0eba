import { type Codec, nothing } from './codec.ts';
import { pcmBytes } from './pcm.ts';
import { wavHeader } from './wav.ts';

/** Samples as they are. */
export const createPcmCodec = (): Codec => ({
  header: () => nothing,
  push: pcmBytes,
  finish: () => nothing,
  close() {},
});

/** Samples as they are, behind a header that says what they are. */
export const createWavCodec = (sampleRateHz: number): Codec => ({
  ...createPcmCodec(),
  header: (samples) => wavHeader(sampleRateHz, samples),
});
