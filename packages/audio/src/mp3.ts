import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RhapsodeError } from '@rhapsode/contracts';
import { createEncoder as createLame } from 'wasm-media-encoders';
import type { AudioEncoder, EncoderOptions } from './encoder.ts';

/** The rates of MPEG-1, 2 and 2.5 layer III, and the constant bit rate that keeps mono speech clean at each. */
const bitrateKbps = {
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
type Mp3Rate = keyof typeof bitrateKbps;

const isMp3Rate = (rate: number): rate is Mp3Rate => Object.hasOwn(bitrateKbps, rate);

/** Refuses a rate that MP3 does not know. */
function mp3Rate(sampleRateHz: number): Mp3Rate {
  if (isMp3Rate(sampleRateHz)) return sampleRateHz;
  throw new RhapsodeError('unsupported_format', {
    message: `MP3 has no sample rate of ${sampleRateHz} Hz, which is the voice's; use wav or pcm.`,
  });
}

type LameCode = Parameters<typeof createLame>[1];

/** The compiled code, kept after the first use: an instance for each encoder then costs 2 ms and about 1 MB. */
let code: LameCode | undefined;
const readCode = () => readFile(fileURLToPath(import.meta.resolve('wasm-media-encoders/wasm/mp3')));

/** Longest stretch that is handed to LAME at once: it keeps buffers of this size. */
const stretchSamples = 4608;

/** Constant bit rate, so that a player can seek; without the tag that would need the length in advance. */
export async function createMp3Encoder({ sampleRateHz }: EncoderOptions): Promise<AudioEncoder> {
  const rate = mp3Rate(sampleRateHz);
  const lame = await createLame('audio/mpeg', code ?? (await readCode()), (module: LameCode) => {
    code = module;
  });
  lame.configure({ sampleRate: rate, outputSampleRate: rate, channels: 1, bitrate: bitrateKbps[rate] });
  const floats = new Float32Array(stretchSamples);
  return {
    header: () => new Uint8Array(0),
    push(pcm) {
      const encoded: Uint8Array[] = [];
      for (let at = 0; at < pcm.length; at += stretchSamples) {
        const stretch = pcm.subarray(at, at + stretchSamples);
        for (let i = 0; i < stretch.length; i++) floats[i] = stretch[i]! / 32_768;
        encoded.push(lame.encode([floats.subarray(0, stretch.length)]).slice());
      }
      return encoded.length === 1 ? encoded[0]! : Buffer.concat(encoded);
    },
    finish: () => lame.finalize().slice(),
  };
}
