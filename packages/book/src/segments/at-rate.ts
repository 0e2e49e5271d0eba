import { setImmediate } from 'node:timers/promises';
import { createResampler, pcmBytes, pcmSamples, samplesAtRate } from '@rhapsode/audio';
import type { Mark } from '@rhapsode/contracts';

const stretchSamples = 8_192;

/**
 * A sentence at another rate: exactly as many samples as `samplesAtRate` says, and always the same ones, for nothing that
 * stands before or behind it is heard in them.
 */
export async function* pcmAtRate(pcm: Uint8Array, fromHz: number, toHz: number): AsyncGenerator<Uint8Array> {
  if (fromHz === toHz) {
    if (pcm.length > 0) yield pcm;
    return;
  }
  const samples = pcmSamples(pcm);
  const resampler = await createResampler(fromHz, toHz);
  try {
    for (let at = 0; at < samples.length; at += stretchSamples) {
      const piece = resampler.push(samples.subarray(at, at + stretchSamples));
      if (piece.length > 0) yield pcmBytes(piece);
      // A stretch takes milliseconds, and others want the process too.
      await setImmediate();
    }
    const last = resampler.finish();
    if (last.length > 0) yield pcmBytes(last);
  } finally {
    resampler.close();
  }
}

/** Marks that touch still do: each end is brought to the other rate, not each length. */
export function marksAtRate(marks: readonly Mark[], fromHz: number, toHz: number): readonly Mark[] {
  if (fromHz === toHz) return marks;
  const at = (sample: number) => samplesAtRate(sample, fromHz, toHz);
  return marks.map((mark) => ({
    ...mark,
    firstSample: at(mark.firstSample),
    samples: at(mark.firstSample + mark.samples) - at(mark.firstSample),
  }));
}
