import { registerAacEncoder } from '@mediabunny/aac-encoder';
import {
  AdtsOutputFormat,
  AudioSample,
  AudioSampleSource,
  Output,
  StreamTarget,
  type StreamTargetChunk,
} from 'mediabunny';

registerAacEncoder();

/** Bits a second that keep mono speech clean, by sample rate. */
const bitrates: Record<number, number> = {
  8000: 32_000,
  11025: 40_000,
  12000: 40_000,
  16000: 48_000,
  22050: 64_000,
  24000: 64_000,
  32000: 80_000,
  44100: 96_000,
  48000: 96_000,
};

export interface AdtsEncoder {
  push(pcm: Int16Array): Promise<Uint8Array>;
  finish(): Promise<Uint8Array>;
  cancel(): Promise<void>;
}

/** AAC-LC in ADTS frames of 1024 samples, by FFmpeg's encoder. The format can't say that the first frame is the encoder's delay. */
export async function createAdtsEncoder(sampleRateHz: number): Promise<AdtsEncoder> {
  let written: Uint8Array[] = [];
  const source = new AudioSampleSource({ codec: 'aac', bitrate: bitrates[sampleRateHz]! });
  const output = new Output({
    format: new AdtsOutputFormat(),
    target: new StreamTarget(
      new WritableStream<StreamTargetChunk>({
        write({ data }) {
          written.push(data.slice());
        },
      }),
    ),
  });
  output.addAudioTrack(source);
  await output.start();
  let pushed = 0;

  async function add(pcm: Int16Array): Promise<void> {
    const sample = new AudioSample({
      data: pcm,
      format: 's16',
      numberOfChannels: 1,
      sampleRate: sampleRateHz,
      timestamp: pushed / sampleRateHz,
    });
    pushed += pcm.length;
    try {
      await source.add(sample);
    } finally {
      sample.close();
    }
  }

  /** Memory of its own, so that it can be handed to another thread. */
  function take(): Uint8Array {
    const bytes = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of written) {
      bytes.set(piece, at);
      at += piece.length;
    }
    written = [];
    return bytes;
  }

  return {
    async push(pcm) {
      await add(pcm);
      return take();
    },
    async finish() {
      // No sample at all would be no file at all.
      if (pushed === 0) await add(new Int16Array(1));
      await output.finalize();
      return take();
    },
    async cancel() {
      if (output.state !== 'finalized') await output.cancel();
    },
  };
}
