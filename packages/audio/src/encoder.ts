import { setImmediate } from 'node:timers/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { type Codec, nothing } from './codec.ts';
import type { AudioFormat } from './format.ts';
import type { Mp3Rate } from './mp3-info.ts';
import { createPcmCodec, createWavCodec } from './raw.ts';
import { createResampler, type Resampler } from './resampler.ts';
import { encodedRateHz, samplesAtRate } from './sample-rates.ts';

/**
 * Turns one utterance's PCM into one sequence of bytes.
 *
 * Promises
 * - The same sentences give the same bytes, however they were divided into pushes, in every process.
 * - Another rate does not mix sentences: each is brought to it as if silence were around it, so whoever begins with one hears the
 *   samples of who was there from the start. All of them together have as many samples as `samplesAtRate` says.
 * - Nothing of the sequence depends on `header` being told the length but the fields of the header that say it.
 * - One call at a time. What `push` returns may share memory with what was pushed: use it before the next push.
 * - Long pushes let the event loop turn in between.
 */
export interface AudioEncoder {
  /** Of what is in the bytes: the rate that was asked for, or the voice's, or one near it that the format knows. */
  readonly sampleRateHz: number;
  /** What comes before the first sample, of the same size always. `samples`: how many will be pushed, where that is known. */
  header(samples?: number): Uint8Array;
  push(pcm: Int16Array): Promise<Uint8Array>;
  /** What was pushed since the last call is a sentence, with the pause behind it. */
  endSentence(): Promise<Uint8Array>;
  /** What comes after the last sample; nothing can be pushed any more. */
  finish(): Promise<Uint8Array>;
  /** Gives back memory and threads. Must be called, at the end or in the middle; again is harmless. */
  close(): Promise<void>;
}

export interface EncoderOptions {
  /** Of the samples that are pushed. */
  readonly sampleRateHz: number;
  /** Resample to this rate; one that the format does not know is refused. */
  readonly wantedRateHz?: number | undefined;
  /** Samples, before they are resampled, of the sentences that were pushed elsewhere, before the first one that is pushed here. */
  readonly samplesBefore?: number | undefined;
}

/** Codecs are loaded when they are asked for: most processes need one or none. */
const codecs: Record<AudioFormat, (sampleRateHz: number) => Promise<Codec>> = {
  pcm: async () => createPcmCodec(),
  wav: async (rate) => createWavCodec(rate),
  mp3: async (rate) => (await import('./mp3.ts')).createMp3Codec(rate as Mp3Rate),
  opus: async (rate) => (await import('./ogg-opus.ts')).createOggOpusCodec(rate),
  aac: async (rate) => (await import('./aac.ts')).createAacCodec(rate),
  flac: async (rate) => (await import('./flac.ts')).createFlacCodec(rate),
};

/** So much is encoded at once; then it is looked whether others have waited long enough. */
const stretchSeconds = 0.2;
const longestTurnMs = 8;

export async function createEncoder(format: AudioFormat, options: EncoderOptions): Promise<AudioEncoder> {
  const { sampleRateHz: fromHz, wantedRateHz, samplesBefore = 0 } = options;
  const sampleRateHz = encodedRateHz(format, fromHz, wantedRateHz);
  const told = encoderFailure(format);
  const codec = await told(() => codecs[format](sampleRateHz));
  let resampler: Resampler | undefined;
  try {
    if (sampleRateHz !== fromHz) resampler = await told(() => createResampler(fromHz, sampleRateHz));
  } catch (error) {
    await codec.close();
    throw error;
  }
  const stretchSamples = Math.ceil(fromHz * stretchSeconds);
  /** Samples of the whole so far, and of its sentences that have ended. */
  let pushed = samplesBefore;
  let ended = samplesBefore;
  let isClosed = false;

  async function push(pcm: Int16Array): Promise<Uint8Array> {
    pushed += pcm.length;
    if (pcm.length <= stretchSamples || (codec.takesAll && !resampler))
      return codec.push(resampler?.push(pcm) ?? pcm);
    const encoded: Uint8Array[] = [];
    let turnMs = performance.now();
    for (let at = 0; at < pcm.length; at += stretchSamples) {
      const stretch = pcm.subarray(at, at + stretchSamples);
      encoded.push(await codec.push(resampler?.push(stretch) ?? stretch));
      if (performance.now() - turnMs < longestTurnMs) continue;
      await setImmediate();
      turnMs = performance.now();
    }
    return Buffer.concat(encoded);
  }

  const resampled = (samples: number) => samplesAtRate(samples, fromHz, sampleRateHz);

  async function endSentence(): Promise<Uint8Array> {
    const last = resampler?.finish(resampled(pushed) - resampled(ended));
    ended = pushed;
    return last?.length ? codec.push(last) : nothing;
  }

  async function finish(): Promise<Uint8Array> {
    const last = await endSentence();
    const end = await codec.finish({ samples: pushed - samplesBefore, sampleRateHz: fromHz });
    return last.length > 0 ? Buffer.concat([last, end]) : end;
  }

  return {
    sampleRateHz,
    header: (samples) => codec.header(samples === undefined ? undefined : resampled(samples)),
    push: (pcm) => told(() => push(pcm)),
    endSentence: () => told(endSentence),
    finish: () => told(finish),
    async close() {
      if (isClosed) return;
      isClosed = true;
      resampler?.close();
      await codec.close();
    },
  };
}

/** Runs something of an encoder's; what goes wrong there has one code, whatever library it came from. */
const encoderFailure =
  (format: AudioFormat) =>
  async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof RhapsodeError) throw cause;
      throw new RhapsodeError('encoder_failed', { message: `the ${format} encoder failed`, cause });
    }
  };
