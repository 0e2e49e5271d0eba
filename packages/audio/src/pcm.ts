import { endianness } from 'node:os';

/** PCM everywhere in Rhapsode: mono, signed 16-bit; as bytes it is little-endian. */
export const bytesPerSample = 2;

const littleEndian = endianness() === 'LE';

/** The samples as bytes: a view of the same memory where the machine is little-endian. */
export function pcmBytes(samples: Int16Array): Uint8Array {
  const view = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return littleEndian ? view : Buffer.from(view).swap16();
}

/** The bytes as samples: a view of the same memory where it is aligned and the machine little-endian. */
export function pcmSamples(bytes: Uint8Array): Int16Array {
  if (bytes.byteLength % bytesPerSample !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are not whole 16-bit samples`);
  if (littleEndian && bytes.byteOffset % bytesPerSample === 0)
    return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / bytesPerSample);
  const samples = new Int16Array(bytes.byteLength / bytesPerSample);
  const copy = Buffer.from(samples.buffer);
  copy.set(bytes);
  if (!littleEndian) copy.swap16();
  return samples;
}

/** The samples times `gain`, each rounded; what is beyond the range of a sample is cut to it. */
export function amplified(samples: Int16Array, gain = 1): Int16Array {
  if (gain === 1) return samples;
  return samples.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))));
}

/** Exactly `samples` zeros, in pieces that share one small buffer. */
export function* silence(samples: number, pieceSamples = 4096): Generator<Int16Array> {
  const zeros = new Int16Array(Math.min(samples, pieceSamples));
  for (let left = samples; left > 0; left -= pieceSamples)
    yield zeros.subarray(0, Math.min(left, pieceSamples));
}

export const samplesToSeconds = (samples: number, sampleRateHz: number): number => samples / sampleRateHz;
export const msToSamples = (ms: number, sampleRateHz: number): number =>
  Math.round((ms * sampleRateHz) / 1000);
