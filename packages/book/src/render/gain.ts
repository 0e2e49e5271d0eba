import { amplified, pcmBytes, pcmSamples } from '@rhapsode/audio';
import { z } from 'zod';
import { integratedLufs, type Loudness } from './loudness.ts';
import type { OutputSettings } from './settings.ts';

/** One gain for the whole book. */
export const gain = z.object({
  gainDb: z.number(),
  /** What the book was measured at when the gain was chosen; null for a book of silence. */
  measuredLufs: z.number().nullable(),
  measuredTruePeakDb: z.number().nullable(),
});
export type Gain = z.infer<typeof gain>;

/** A book that came out this near to the target is not made anew for the rest. */
const toleranceLu = 0.5;
const mostGainDb = 30;

const hundredths = (value: number) => Math.floor(value * 100) / 100;

/**
 * The gain that brings the book to its loudness and keeps its peaks below the limit. The gain that it had stays while it is
 * good enough: a changed word must not change every chapter by a hundredth of a decibel.
 */
export function chooseGain(
  parts: readonly Loudness[],
  settings: OutputSettings['loudness'],
  previous: Gain | undefined,
): Gain {
  const lufs = integratedLufs(parts);
  const peak = parts.reduce((largest, { truePeak }) => Math.max(largest, truePeak), 0);
  const truePeakDb = peak > 0 ? 20 * Math.log10(peak) : undefined;
  const measured = {
    measuredLufs: lufs === undefined ? null : hundredths(lufs),
    measuredTruePeakDb: truePeakDb === undefined ? null : hundredths(truePeakDb),
  };
  if (settings === null || lufs === undefined || truePeakDb === undefined) return { gainDb: 0, ...measured };
  const most = Math.min(settings.truePeakDb - truePeakDb, mostGainDb);
  const wanted = hundredths(Math.min(settings.targetLufs - lufs, most));
  if (previous && previous.gainDb <= most && Math.abs(previous.gainDb - wanted) <= toleranceLu)
    return previous;
  return { gainDb: wanted, ...measured };
}

/** What becomes of each of the 65,536 samples that there are: looking it up is several times as fast as working it out. */
const gainTable = (gainDb: number): Int16Array =>
  amplified(
    Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768),
    10 ** (gainDb / 20),
  );

/** Samples times the gain, rounded. */
export async function* applyGain(pcm: AsyncIterable<Uint8Array>, gainDb: number): AsyncIterable<Uint8Array> {
  if (gainDb === 0) {
    yield* pcm;
    return;
  }
  const table = gainTable(gainDb);
  for await (const bytes of pcm) {
    const samples = pcmSamples(bytes);
    const louder = new Int16Array(samples.length);
    for (let i = 0; i < samples.length; i++) louder[i] = table[samples[i]! + 32_768]!;
    yield pcmBytes(louder);
  }
}
