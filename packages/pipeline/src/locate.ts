import { type Position, start, type Utterance } from '@rhapsode/contracts';
import type { RequestStore } from '@rhapsode/store';

const page = 512;

/**
 * Where the utterance's sample number `offset` is. Lengths are known of finished sentences only; behind the first one that
 * is not, `skip` samples are to be read and dropped from `position` on.
 */
export async function locate(
  store: Pick<RequestStore, 'progress'>,
  { id, deterministic }: Pick<Utterance, 'id' | 'deterministic'>,
  offset: number,
): Promise<{ position: Position; skip: number }> {
  if (!deterministic) return { position: start, skip: offset };
  let left = offset;
  let segment = 0;
  for (;;) {
    const known = await store.progress(id, segment, page);
    for (const { outcome } of known) {
      if (!outcome || !('samples' in outcome) || left < outcome.samples)
        return outcome && 'samples' in outcome
          ? { position: { segment, sample: left }, skip: 0 }
          : { position: { segment, sample: 0 }, skip: left };
      left -= outcome.samples;
      segment += 1;
    }
    if (known.length < page) return { position: { segment, sample: 0 }, skip: left };
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
