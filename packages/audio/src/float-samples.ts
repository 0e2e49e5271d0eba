import { endianness } from 'node:os';
import { pcmSamples } from './pcm.ts';

const littleEndian = endianness() === 'LE';

/** 16-bit samples as 32-bit floats from -1 to below 1; both little-endian. */
export function floatBytes(pcm: Uint8Array): Uint8Array {
  const floats = Float32Array.from(pcmSamples(pcm), (sample) => sample / 32_768);
  const bytes = new Uint8Array(floats.buffer);
  return littleEndian ? bytes : Buffer.from(bytes).swap32();
}
