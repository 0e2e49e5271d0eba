import { RhapsodeError } from '@rhapsode/contracts';
import { takeAacStream } from './aac/threads.ts';
import { type Codec, nothing } from './codec.ts';

/** Each stream has about 16 MB, so there is a limit to them. */
export const mostAacStreams = 32;
let streams = 0;

/** Longest stretch that a thread is handed at once, so that the other streams of the thread do not wait for long. */
const stretchSamples = 32_768;

/** AAC-LC in ADTS frames of 1024 samples, encoded on another thread. */
export async function createAacCodec(sampleRateHz: number): Promise<Codec> {
  if (streams >= mostAacStreams)
    throw new RhapsodeError('rate_limited', {
      message: `${mostAacStreams} streams of AAC are being encoded here, which is the limit; try again later, or use mp3 or opus`,
    });
  streams += 1;
  const stream = takeAacStream();
  const codec: Codec = {
    takesAll: true,
    header: () => nothing,
    async push(pcm) {
      const encoded: Uint8Array[] = [];
      for (let at = 0; at < pcm.length; at += stretchSamples)
        // What is handed over is gone here.
        encoded.push(await stream.ask({ type: 'push', pcm: pcm.slice(at, at + stretchSamples) }));
      return encoded.length === 1 ? encoded[0]! : Buffer.concat(encoded);
    },
    finish: () => stream.ask({ type: 'finish' }),
    async close() {
      streams -= 1;
      // A thread that has died holds nothing.
      await stream.ask({ type: 'cancel' }).catch(() => {});
      stream.leave();
    },
  };
  try {
    await stream.ask({ type: 'start', sampleRateHz });
  } catch (error) {
    await codec.close();
    throw error;
  }
  return codec;
}
