import { pcmSamples } from './pcm.ts';

const bias = 0x84;
const loudest = 32_635;

/** G.711: a sample in eight bits, its sign, the place of its highest bit, and the four bits behind that one; all inverted. */
function muLawOf(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const size = Math.min(Math.abs(sample), loudest) + bias;
  const exponent = 24 - Math.clz32(size);
  return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 0x0f)) & 0xff;
}

/** Of every 16-bit sample. */
const table = Uint8Array.from({ length: 65_536 }, (_, word) => muLawOf((word << 16) >> 16));

export const muLawBytes = (pcm: Uint8Array): Uint8Array =>
  Uint8Array.from(pcmSamples(pcm), (sample) => table[sample & 0xffff]!);

/** What comes before them in a WAV file. Without `samples` its sizes say that they are not known. */
export function muLawHeader(sampleRateHz: number, samples?: number): Uint8Array {
  const header = Buffer.alloc(58);
  const size = (before: number) => (samples === undefined ? 0xffff_ffff : before + samples);
  header.write('RIFF', 0);
  header.writeUInt32LE(size(50), 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(18, 16);
  header.writeUInt16LE(7, 20); // mu-law
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('fact', 38);
  header.writeUInt32LE(4, 42);
  header.writeUInt32LE(size(0), 46);
  header.write('data', 50);
  header.writeUInt32LE(size(0), 54);
  return header;
}
