import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createEncoder as createLame } from 'wasm-media-encoders';
import { type Codec, nothing } from './codec.ts';
import { type Mp3Rate, mp3BitrateKbps, mp3Bytes, mp3InfoFrame } from './mp3-info.ts';

type LameCode = Parameters<typeof createLame>[1];

/** The compiled code, kept after the first use: an instance for each encoder then costs 2 ms and about 1 MB. */
let code: LameCode | undefined;
const readCode = () => readFile(fileURLToPath(import.meta.resolve('wasm-media-encoders/wasm/mp3')));

/** Longest stretch that is handed to LAME at once: it keeps buffers of this size. */
const stretchSamples = 4608;

/** MP3 at a constant bit rate, behind a frame that says where the sound begins and, where it is known, where it ends. */
export async function createMp3Codec(sampleRateHz: Mp3Rate): Promise<Codec> {
  const lame = await createLame('audio/mpeg', code ?? (await readCode()), (module: LameCode) => {
    code = module;
  });
  lame.configure({
    sampleRate: sampleRateHz,
    outputSampleRate: sampleRateHz,
    channels: 1,
    bitrate: mp3BitrateKbps(sampleRateHz),
  });
  const floats = new Float32Array(stretchSamples);
  const infoBytes = mp3InfoFrame(sampleRateHz).length;
  let samples = 0;
  let given = infoBytes;
  return {
    header: (samples) => mp3InfoFrame(sampleRateHz, samples),
    push(pcm) {
      samples += pcm.length;
      const encoded: Uint8Array[] = [];
      for (let at = 0; at < pcm.length; at += stretchSamples) {
        const stretch = pcm.subarray(at, at + stretchSamples);
        for (let i = 0; i < stretch.length; i++) floats[i] = stretch[i]! / 32_768;
        encoded.push(lame.encode([floats.subarray(0, stretch.length)]).slice());
      }
      const bytes = encoded.length === 1 ? encoded[0]! : Buffer.concat(encoded);
      given += bytes.length;
      return bytes;
    },
    finish() {
      // What was given nothing ends with nothing.
      const silence = samples === 0 ? lame.encode([new Float32Array(1)]).slice() : nothing;
      // LAME may end with a frame from which nothing is decoded that is heard. No frame before has anything in it.
      const left = mp3Bytes(sampleRateHz, samples) - given;
      return Buffer.concat([silence, lame.finalize()]).subarray(0, left);
    },
    close() {},
  };
}
