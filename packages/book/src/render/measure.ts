import { pcmSamples } from '@rhapsode/audio';
import { z } from 'zod';
import { createLoudnessMeter } from './loudness.ts';
import type { ChapterAudio, RenderDeps } from './port.ts';
import { fingerprintOf, readRecord, writeRecord } from './records.ts';

const count = z.int().min(0);

/** What has to be known of every chapter before the first one is encoded. */
const measured = z.object({
  fingerprint: z.string(),
  samples: count,
  /** Silence at the very end. */
  trailingZeros: count,
  loudness: z.object({
    blocks: z.array(z.tuple([count, count, z.number()]).readonly()).readonly(),
    truePeak: z.number().min(0),
  }),
});
export type Measured = z.infer<typeof measured>;

export const chapterPart = (index: number, name: string): string =>
  `chapters/${String(index).padStart(5, '0')}/${name}`;

/** Reads the chapter once, or what is known from the last time. */
export async function measureChapter(
  chapter: ChapterAudio,
  { parts, signal }: RenderDeps,
): Promise<Measured> {
  const { index, audioDigest, sampleRateHz, samples } = chapter;
  const name = chapterPart(index, 'measured.json');
  const fingerprint = fingerprintOf('measured', audioDigest, sampleRateHz, samples);
  const known = await readRecord(parts, name, measured, signal);
  if (known?.fingerprint === fingerprint) return known;

  const meter = createLoudnessMeter(sampleRateHz);
  let heard = 0;
  let trailingZeros = 0;
  for await (const bytes of chapter.pcm(signal)) {
    signal?.throwIfAborted();
    const pcm = pcmSamples(bytes);
    meter.push(pcm);
    heard += pcm.length;
    let zeros = 0;
    while (zeros < pcm.length && pcm[pcm.length - 1 - zeros] === 0) zeros += 1;
    trailingZeros = zeros === pcm.length ? trailingZeros + zeros : zeros;
  }
  if (heard !== samples)
    throw new Error(`chapter ${index} has ${heard} samples where ${samples} were announced`);
  const found = { fingerprint, samples, trailingZeros, loudness: meter.result() };
  await writeRecord(parts, name, found, signal);
  return found;
}
