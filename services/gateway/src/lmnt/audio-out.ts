import {
  type AudioEncoder,
  createEncoder,
  floatBytes,
  muLawBytes,
  muLawHeader,
  pcmSamples,
  samplesAtRate,
} from '@rhapsode/audio';
import type { Wanted } from './formats.ts';

/** Audio as the client wants it: one sequence of bytes with one header, however often it is flushed. */
export interface AudioOut {
  push(pcm: Uint8Array): Promise<Uint8Array>;
  endSentence(): Promise<Uint8Array>;
  /** What the sequence began with, as it is once no more will be pushed: it tells the length where the format can. */
  header(): Uint8Array;
  /** Everything that was pushed comes out: no codec holds the end of a sentence back. */
  flush(): Promise<Uint8Array>;
  close(): Promise<void>;
}

const nothing = new Uint8Array(0);

export function createAudioOut(wanted: Wanted, sampleRateHz: number): AudioOut {
  const { encoder: format, as, wantedRateHz } = wanted;
  let encoder: AudioEncoder | undefined;
  let begun = false;
  let pushed = 0;

  const convert = (bytes: Uint8Array) =>
    as === 'float32' ? floatBytes(bytes) : as === 'ulaw' ? muLawBytes(bytes) : bytes;

  const header = (samples?: number): Uint8Array => {
    if (as !== 'ulaw') return encoder?.header(samples) ?? nothing;
    return muLawHeader(
      wantedRateHz,
      samples === undefined ? undefined : samplesAtRate(samples, sampleRateHz, wantedRateHz),
    );
  };

  return {
    async push(pcm) {
      encoder ??= await createEncoder(format, { sampleRateHz, wantedRateHz });
      const before = begun ? nothing : header();
      begun = true;
      pushed += pcm.length / 2;
      const bytes = convert(await encoder.push(pcmSamples(pcm)));
      return before.length > 0 ? Buffer.concat([before, bytes]) : bytes;
    },
    async endSentence() {
      return encoder ? convert(await encoder.endSentence()) : nothing;
    },
    header: () => (begun ? header(pushed) : nothing),
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
