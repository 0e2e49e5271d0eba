import { type AudioFormat, createEncoder, type EncoderOptions, pcmSamples } from '@rhapsode/audio';
import { createWholeFile } from './whole-file.ts';

/** Audio in a file: nothing under its name before it is whole. */
export async function createAudioFile(path: string, format: AudioFormat, options: EncoderOptions) {
  const encoder = await createEncoder(format, options);
  const file = await createWholeFile(path).catch(async (error: unknown) => {
    await encoder.close();
    throw error;
  });
  await file.write(encoder.header());
  let samples = 0;

  return {
    async write(pcm: Uint8Array): Promise<void> {
      samples += pcm.length / 2;
      await file.write(await encoder.push(pcmSamples(pcm)));
    },
    async endSentence(): Promise<void> {
      await file.write(await encoder.endSentence());
    },
    async finish(): Promise<void> {
      await file.write(await encoder.finish());
      // Now its length is known.
      await file.finish(encoder.header(samples));
      await encoder.close();
    },
    async discard(): Promise<void> {
      await encoder.close();
      await file.discard();
    },
  };
}
