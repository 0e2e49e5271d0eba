import {
  type AudioEncoder,
  createEncoder,
  floatBytes,
  muLawBytes,
  muLawHeader,
  pcmSamples,
} from '@rhapsode/audio';
import type { Wanted } from './formats.ts';

/** Audio as the client wants it: one sequence of bytes with one header, however often it is flushed. */
export interface AudioOut {
  push(pcm: Uint8Array): Promise<Uint8Array>;
  endSentence(): Promise<Uint8Array>;
  /** Everything that was pushed comes out: no codec holds the end of a sentence back. */
  flush(): Promise<Uint8Array>;
  close(): Promise<void>;
}

const nothing = new Uint8Array(0);

export function createAudioOut(wanted: Wanted, sampleRateHz: number): AudioOut {
  const { encoder: format, as, wantedRateHz } = wanted;
  let encoder: AudioEncoder | undefined;
  let begun = false;

  const convert = (bytes: Uint8Array) =>
    as === 'float32' ? floatBytes(bytes) : as === 'ulaw' ? muLawBytes(bytes) : bytes;

  return {
    async push(pcm) {
      encoder ??= await createEncoder(format, { sampleRateHz, wantedRateHz });
      const header = begun ? nothing : as === 'ulaw' ? muLawHeader(wantedRateHz) : encoder.header();
      begun = true;
      const bytes = convert(await encoder.push(pcmSamples(pcm)));
      return header.length > 0 ? Buffer.concat([header, bytes]) : bytes;
    },
    async endSentence() {
      return encoder ? convert(await encoder.endSentence()) : nothing;
    },
    async flush() {
      const last = await encoder?.finish();
      await this.close();
      return last ? convert(last) : nothing;
    },
    async close() {
      const done = encoder;
      encoder = undefined;
      await done?.close();
    },
  };
}
