import { samplesAtRate } from '@rhapsode/audio';
import { type Position, start, type Utterance } from '@rhapsode/contracts';
import type { RequestStore } from '@rhapsode/store';

const page = 512;

export interface Located {
  readonly position: Position;
  /** Samples of the sentences before that one, at the voice's rate. */
  readonly before: number;
  /** Samples that are to be dropped from `position` on, at the rate that was asked for. */
  readonly skip: number;
}

/**
 * Where the utterance's sample number `offset` is, counted at `rateHz`. Lengths are known of finished sentences only; behind the
 * first one that is not, samples are to be made and dropped. At another rate than the voice's own that goes for the beginning of
 * its sentence too.
 */
export async function locate(
  store: Pick<RequestStore, 'progress'>,
  { id, deterministic, sampleRateHz }: Pick<Utterance, 'id' | 'deterministic' | 'sampleRateHz'>,
  offset: number,
  rateHz = sampleRateHz,
): Promise<Located> {
  if (!deterministic) return { position: start, before: 0, skip: offset };
  const at = (samples: number) => samplesAtRate(samples, sampleRateHz, rateHz);
  let before = 0;
  let segment = 0;
  for (;;) {
    const known = await store.progress(id, segment, page);
    for (const { outcome } of known) {
      const samples = outcome && 'samples' in outcome ? outcome.samples : undefined;
      const isHere = samples !== undefined && offset < at(before + samples);
      if (isHere && rateHz === sampleRateHz)
        return { position: { segment, sample: offset - before }, before, skip: 0 };
      if (isHere || samples === undefined)
        return { position: { segment, sample: 0 }, before, skip: offset - at(before) };
      before += samples;
      segment += 1;
    }
    if (known.length < page) return { position: { segment, sample: 0 }, before, skip: offset - at(before) };
  }
}

/** Length of the whole utterance in samples, pauses included; undefined while that is not known. */
export async function totalSamples(
  store: Pick<RequestStore, 'get' | 'progress'>,
  id: string,
): Promise<number | undefined> {
  const state = await store.get(id);
  if (!state?.sealed || !state.utterance.deterministic || state.finished < state.segments || state.failed > 0)
    return undefined;
  let total = 0;
  for (let segment = 0; segment < state.segments; segment += page)
    for (const { outcome } of await store.progress(id, segment, page)) {
      if (!outcome || !('samples' in outcome)) return undefined;
      total += outcome.samples;
    }
  return total;
}
