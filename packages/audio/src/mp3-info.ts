/** The constant bit rates that keep mono speech clean, by sample rate. */
const bitratesKbps = {
  8000: 32,
  11025: 32,
  12000: 40,
  16000: 48,
  22050: 64,
  24000: 64,
  32000: 80,
  44100: 96,
  48000: 96,
} as const;
export type Mp3Rate = keyof typeof bitratesKbps;

export const mp3BitrateKbps = (sampleRateHz: Mp3Rate) => bitratesKbps[sampleRateHz];

/** Samples that LAME puts before the first one. */
const encoderDelay = 576;

/** Layer III of MPEG-1 has 1152 samples in a frame and rates from 32 kHz; MPEG-2 and 2.5 have 576 and the lower ones. */
function frameFacts(sampleRateHz: Mp3Rate) {
  const isFirst = sampleRateHz >= 32_000;
  const samples = isFirst ? 1152 : 576;
  const bits = (samples / 8) * mp3BitrateKbps(sampleRateHz) * 1000;
  return { isFirst, samples, bytes: Math.floor(bits / sampleRateHz), remainder: bits % sampleRateHz };
}

/** Samples that a decoder needs behind the last one, to give it. */
const decoderDelay = 529;

/**
 * The fewest frames from which all samples can be decoded, and how much of the last ones is not sound. Of one frame alone a
 * player can't be sure that it is MP3.
 */
function whole(samples: number, frameSamples: number): { frames: number; padding: number } {
  const frames = Math.max(2, Math.ceil((encoderDelay + samples + decoderDelay) / frameSamples));
  return { frames, padding: frames * frameSamples - encoderDelay - samples };
}

/** Bytes of a whole MP3 of so many samples, its first frame included: the bit rate is constant. */
export function mp3Bytes(sampleRateHz: Mp3Rate, samples: number): number {
  const frame = frameFacts(sampleRateHz);
  const { frames } = whole(samples, frame.samples);
  // A frame is a byte longer whenever the remainders have come to a whole one.
  return frame.bytes + frames * frame.bytes + Math.ceil(((frames - 1) * frame.remainder) / sampleRateHz);
}

/**
 * A frame of silence that carries the tag which players know as Xing's, Info's or LAME's: how many samples at the beginning are
 * not of the sound, and, where the length is known, how many at the end, and the number of frames and bytes.
 */
export function mp3InfoFrame(sampleRateHz: Mp3Rate, samples?: number): Uint8Array {
  const facts = frameFacts(sampleRateHz);
  const { isFirst } = facts;
  const frame = new Uint8Array(facts.bytes);
  const view = new DataView(frame.buffer);
  const version = isFirst ? 3 : sampleRateHz >= 16_000 ? 2 : 0;
  const bitrates = isFirst ? [0, 32, 40, 48, 56, 64, 80, 96] : [0, 8, 16, 24, 32, 40, 48, 56, 64];
  const rates = [44_100, 48_000, 32_000].map((rate) => rate / (isFirst ? 1 : version === 2 ? 2 : 4));
  // 11 bits of sync, version, layer III, no checksum; bit rate, sample rate, no padding; mono, original.
  const word =
    (0x7ff << 21) |
    (version << 19) |
    (0b01 << 17) |
    (1 << 16) |
    (bitrates.indexOf(mp3BitrateKbps(sampleRateHz)) << 12) |
    (rates.indexOf(sampleRateHz) << 10) |
    (0b11 << 6) |
    (1 << 2);
  view.setUint32(0, word >>> 0);

  const tag = 4 + (isFirst ? 17 : 9);
  const text = (at: number, words: string) => frame.set(Buffer.from(words, 'latin1'), at);
  text(tag, 'Info');
  const known = samples === undefined ? undefined : whole(samples, facts.samples);
  // Fields that are there: 1 frames, 2 bytes, 8 quality, which says nothing. The number of bytes is left out where it is known,
  // for a decoder that reads from a pipe would compare it with a length that it can't see, and drop all of this; where no length
  // is known, it is there as "very many", for without any number a decoder takes the frame for sound.
  view.setUint32(tag + 4, known ? 0b1001 : 0b1010);
  view.setUint32(tag + 8, known?.frames ?? 0xffff_ffff);
  const lame = tag + 16;
  text(lame, 'LAME3.100');
  frame[lame + 9] = 0x01; // revision 0, constant bit rate
  frame[lame + 20] = mp3BitrateKbps(sampleRateHz);
  const padding = known?.padding ?? 0;
  frame[lame + 21] = encoderDelay >> 4;
  frame[lame + 22] = ((encoderDelay & 15) << 4) | (padding >> 8);
  frame[lame + 23] = padding & 0xff;
  if (samples !== undefined) view.setUint32(lame + 28, mp3Bytes(sampleRateHz, samples) % 2 ** 32);
  view.setUint16(lame + 34, crc16(frame.subarray(0, lame + 34)));
  return frame;
}

/** The checksum of LAME's tag: polynomial 0x8005, reflected. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}
