import { createResampler, type Resampler, samplesAtRate } from '@rhapsode/audio';
import { type Position, start } from '@rhapsode/contracts';

/** Samples of one segment as they are sent, and the place that they stand for in samples of the voice's rate. */
export interface Slice {
  readonly firstSample: number;
  readonly samples: number;
  readonly pcm: Int16Array;
}

/**
 * Gives segments at another rate, each by itself as `AudioEncoder` does, so that a listener may begin at any of them and hear the
 * samples of one who was there from the start. Sample p of a segment is sample `samplesAtRate(p)` of what is sent: a slice begins and ends at such
 * places, and so one who comes back behind a slice gets just what follows it. What lies before `from` is not given, but has to
 * be pushed: the filter needs it.
 */
export interface RateStage {
  push(segment: number, pcm: Int16Array): Promise<Slice | undefined>;
  /** What the filter held of the segment, which has `samples` in all at the other rate. */
  finish(samples: number): Slice | undefined;
  close(): void;
}

export function createRateStage(fromHz: number, toHz: number, from: Position = start): RateStage {
  let resampler: Resampler | undefined;
  let current = 0;
  let taken = 0;
  /** Up to here the segment was given. */
  let at = 0;
  /** Samples behind that, at the other rate. */
  let rest = new Int16Array(0);

  function slice(pcm: Int16Array, isLast = false): Slice | undefined {
    const whole = new Int16Array(rest.length + pcm.length);
    whole.set(rest);
    whole.set(pcm, rest.length);
    const base = samplesAtRate(at, fromHz, toHz);
    const given = base + whole.length;
    let to = Math.min(taken, Math.floor((given * fromHz) / toHz) + 1);
    while (to > at && samplesAtRate(to, fromHz, toHz) > given) to--;
    if (isLast) to = taken;
    if (to <= at) {
      rest = whole;
      return undefined;
    }
    const end = isLast ? whole.length : samplesAtRate(to, fromHz, toHz) - base;
    rest = whole.slice(end);
    const found = { firstSample: at, samples: to - at, pcm: whole.subarray(0, end) };
    at = to;
    return found;
  }

  const wanted = (found: Slice | undefined): Slice | undefined =>
    found && current === from.segment ? behind(found, from.sample, fromHz, toHz) : found;

  function stop(): void {
    resampler?.close();
    resampler = undefined;
    taken = 0;
    rest = new Int16Array(0);
  }

  return {
    async push(segment, pcm) {
      if (!resampler) {
        resampler = await createResampler(fromHz, toHz);
        current = segment;
        at = 0;
      }
      taken += pcm.length;
      return wanted(slice(resampler.push(pcm)));
    },
    finish(samples) {
      if (!resampler) return undefined;
      const found = wanted(slice(resampler.finish(samples), true));
      stop();
      return found;
    },
    close: stop,
  };
}

/** The part of the slice from a sample on. */
function behind(slice: Slice, sample: number, fromHz: number, toHz: number): Slice | undefined {
  const { firstSample, samples, pcm } = slice;
  if (sample <= firstSample) return slice;
  if (sample >= firstSample + samples) return undefined;
  const skipped = samplesAtRate(sample, fromHz, toHz) - samplesAtRate(firstSample, fromHz, toHz);
  return { firstSample: sample, samples: firstSample + samples - sample, pcm: pcm.subarray(skipped) };
}

/** The slice in parts of at most `most` samples of the voice's rate. */
export function* cutSlice(slice: Slice, most: number, fromHz: number, toHz: number): Generator<Slice> {
  let rest: Slice | undefined = slice;
  while (rest && rest.samples > most) {
    const next: number = rest.firstSample + most;
    const length = samplesAtRate(next, fromHz, toHz) - samplesAtRate(rest.firstSample, fromHz, toHz);
    yield { firstSample: rest.firstSample, samples: most, pcm: rest.pcm.subarray(0, length) };
    rest = behind(rest, next, fromHz, toHz);
  }
  if (rest) yield rest;
}
