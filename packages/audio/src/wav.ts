import { bytesPerSample, pcmSamples } from './pcm.ts';

export const wavHeaderBytes = 44;
/** What a size field says while the length is not known, or when it does not fit into 32 bits. */
const unknownSize = 0xffff_ffff;

/** The 44 bytes before the PCM. Without `samples` both size fields say "unknown", as streamed WAV does. */
export function wavHeader(sampleRateHz: number, samples?: number): Uint8Array {
  const dataBytes = samples === undefined ? unknownSize : samples * bytesPerSample;
  const riffBytes = wavHeaderBytes - 8 + dataBytes;
  const fits = riffBytes < unknownSize;
  const header = new DataView(new ArrayBuffer(wavHeaderBytes));
  const text = (at: number, four: string) => {
    for (let i = 0; i < 4; i++) header.setUint8(at + i, four.charCodeAt(i));
  };
  text(0, 'RIFF');
  header.setUint32(4, fits ? riffBytes : unknownSize, true);
  text(8, 'WAVE');
  text(12, 'fmt ');
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // mono
  header.setUint32(24, sampleRateHz, true);
  header.setUint32(28, sampleRateHz * bytesPerSample, true);
  header.setUint16(32, bytesPerSample, true);
  header.setUint16(34, bytesPerSample * 8, true);
  text(36, 'data');
  header.setUint32(40, fits ? dataBytes : unknownSize, true);
  return new Uint8Array(header.buffer);
}

export interface Wav {
  readonly sampleRateHz: number;
  readonly pcm: Int16Array;
  /** The size fields say how long it is, and say the truth. */
  readonly sized: boolean;
}

/** Reads mono 16-bit WAV of any chunk layout. Throws where it is something else or cut short. */
export function parseWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) =>
    at + 4 <= bytes.byteLength ? String.fromCharCode(...bytes.subarray(at, at + 4)) : '';
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw new Error('not a RIFF WAVE file');
  let sampleRateHz: number | undefined;
  for (let at = 12; at + 8 <= bytes.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === 'fmt ') {
      const [format, channels, bits] = [20, 22, 34].map((o) => view.getUint16(body + o - 20, true));
      if (format !== 1 || channels !== 1 || bits !== 16) throw new Error('not mono 16-bit PCM');
      sampleRateHz = view.getUint32(body + 4, true);
    }
    if (tag(at) === 'data') {
      if (sampleRateHz === undefined) throw new Error('data before fmt');
      const streamed = size === unknownSize;
      if (!streamed && body + size > bytes.byteLength) throw new Error('the data chunk is cut short');
      const pcm = pcmSamples(bytes.subarray(body, streamed ? bytes.byteLength : body + size));
      const riff = view.getUint32(4, true);
      return { sampleRateHz, pcm, sized: !streamed && riff + 8 === bytes.byteLength };
    }
    at = body + size + (size % 2);
  }
  throw new Error('no data chunk');
}
