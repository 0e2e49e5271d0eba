import libsamplerate from '@alexanderolsen/libsamplerate-js';
import { samplesAtRate } from './sample-rates.ts';

type Converter = Awaited<ReturnType<typeof libsamplerate.create>>;

/** 121 dB of signal to noise, and what is below 90 % of the lower rate's band is kept. */
const quality = libsamplerate.ConverterType.SRC_SINC_MEDIUM_QUALITY;

/** Compiling one takes milliseconds, so those that are done wait here for the next stream. */
const idle: Converter[] = [];
const mostIdle = 8;

async function takeConverter(fromHz: number, toHz: number): Promise<Converter> {
  const converter = idle.pop();
  if (!converter) return libsamplerate.create(1, fromHz, toHz, { converterType: quality });
  // Setting a rate begins a new stream.
  converter.inputSampleRate = fromHz;
  converter.outputSampleRate = toHz;
  return converter;
}

function giveBack(converter: Converter): void {
  if (idle.length < mostIdle) idle.push(converter);
  else converter.destroy();
}

/**
 * Turns a stream of samples into the same stream at another rate. Sample n of the result is heard when sample
 * n · fromHz / toHz of the original is; there are exactly as many as `samplesAtRate` says, unless `finish` is told otherwise. How
 * the stream is divided into pushes changes no sample.
 */
export interface Resampler {
  push(pcm: Int16Array): Int16Array;
  /** The rest of the stream, which has `samples` in all; what is pushed next begins another. */
  finish(samples?: number): Int16Array;
  /** Must be called, once. */
  close(): void;
}

export async function createResampler(fromHz: number, toHz: number): Promise<Resampler> {
  const converter = await takeConverter(fromHz, toHz);
  let taken = 0;
  let given = 0;

  function convert(pcm: Int16Array, most: number): Int16Array {
    const floats = new Float32Array(pcm.length);
    for (let i = 0; i < pcm.length; i++) floats[i] = pcm[i]! / 32_768;
    const converted = converter.full(floats);
    const samples = new Int16Array(Math.min(converted.length, most));
    for (let i = 0; i < samples.length; i++)
      samples[i] = Math.max(-32_768, Math.min(32_767, Math.round(converted[i]! * 32_768)));
    given += samples.length;
    return samples;
  }

  return {
    push(pcm) {
      if (pcm.length === 0) return new Int16Array(0);
      taken += pcm.length;
      return convert(pcm, Number.POSITIVE_INFINITY);
    },
    finish(total = samplesAtRate(taken, fromHz, toHz)) {
      // The converter waits for half a filter of samples; silence lets the last ones out.
      const rest = new Int16Array(total - given);
      const before = given;
      while (given < total) {
        const at = given - before;
        rest.set(convert(new Int16Array(256), total - given), at);
      }
      // As above.
      converter.inputSampleRate = fromHz;
      taken = 0;
      given = 0;
      return rest;
    },
    close: () => giveBack(converter),
  };
}
