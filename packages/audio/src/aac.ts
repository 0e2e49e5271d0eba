import { registerAacEncoder } from '@mediabunny/aac-encoder';
import { RhapsodeError } from '@rhapsode/contracts';
import {
  AdtsOutputFormat,
  AudioSample,
  AudioSampleSource,
  Output,
  StreamTarget,
  type StreamTargetChunk,
} from 'mediabunny';
import { type Codec, nothing } from './codec.ts';

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

/** Each stream has a thread and about 16 MB, so there is a limit to them. */
export const mostAacStreams = 32;
let streams = 0;

/** A thread that does not answer for so long has died. */
const stallMs = 30_000;

/** AAC-LC in ADTS frames of 1024 samples, by FFmpeg's encoder. The format can't say that the first frame is the encoder's delay. */
export async function createAacCodec(sampleRateHz: number): Promise<Codec> {
  if (streams >= mostAacStreams)
    throw new RhapsodeError('rate_limited', {
      message: `${mostAacStreams} streams of AAC are being encoded here, which is the limit; try again later, or use mp3 or opus`,
    });
  streams += 1;
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

  const take = () => {
    const bytes = Buffer.concat(written);
    written = [];
    return bytes;
  };

  const codec: Codec = {
    header: () => nothing,
    async push(pcm) {
      if (pcm.length > 0) await inTime(add(pcm));
      return take();
    },
    async finish() {
      // No sample at all would be no file at all.
      if (pushed === 0) await inTime(add(new Int16Array(1)));
      await inTime(output.finalize());
      return take();
    },
    async close() {
      streams -= 1;
      if (output.state !== 'finalized') await output.cancel();
    },
  };
  try {
    await inTime(output.start());
  } catch (error) {
    await codec.close();
    throw error;
  }
  return codec;
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${stallMs} ms`)), stallMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
