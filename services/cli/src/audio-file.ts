import { type AudioFormat, createEncoder, formatFacts, pcmSamples } from '@rhapsode/audio';
import { createWholeFile } from './whole-file.ts';

/** Audio in a file: nothing under its name before it is whole. */
export async function createAudioFile(path: string, format: AudioFormat, sampleRateHz: number) {
  const encoder = await createEncoder(format, { sampleRateHz });
  const file = await createWholeFile(path);
  await file.write(encoder.header());
  let samples = 0;

  return {
    async write(pcm: Uint8Array): Promise<void> {
      samples += pcm.length / 2;
      await file.write(encoder.push(pcmSamples(pcm)));
    },
    async finish(): Promise<void> {
      await file.write(encoder.finish());
      await file.finish(formatFacts(format).fixedRate ? encoder.header(samples) : undefined);
    },
    discard: () => file.discard(),
  };
}
