import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestStore } from '@rhapsode/store';

const page = 512;
const againMs = 100;

/**
 * Samples of an utterance before a segment. A listener who comes back there has heard them, so they were made; what is being
 * made again just now is waited for.
 */
export async function samplesBefore(
  segment: number,
  id: string,
  store: Pick<RequestStore, 'progress'>,
  signal: AbortSignal,
): Promise<number> {
  let total = 0;
  for (let index = 0; index < segment; ) {
    const known = await store.progress(id, index, Math.min(page, segment - index));
    let counted = 0;
    for (const { outcome } of known) {
      if (!outcome) break;
      if ('samples' in outcome) total += outcome.samples;
      counted += 1;
    }
    index += counted;
    if (counted === 0) await sleep(againMs, undefined, { signal });
  }
  return total;
}
