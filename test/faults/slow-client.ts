import { setTimeout as sleep } from 'node:timers/promises';
import { createRedisStore } from '@rhapsode/store/redis';
import { readAudio } from '../support/audio-client.ts';
import { residentBytes } from '../support/children.ts';
import { startFleet } from '../support/fleet.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';

export interface SlowClientFacts {
  readonly rssGrowthBytes: number;
  /** Sentences that were made, of how many. */
  readonly made: number;
  readonly sentences: number;
  /** The most that were made and not yet taken by the client's connection, and how many may be. */
  readonly mostAhead: number;
  readonly window: number;
}

const window = 6;
const sentences = 600;

/** What a client costs that reads one kilobyte per second. */
export async function listenSlowly(seconds: number): Promise<SlowClientFacts> {
  const fleet = await startFleet({ workers: 1, slots: 2 });
  const store = createRedisStore({ url: fleet.redis.url });
  const input = plainText(sentences);
  try {
    // A collector that has served before has the memory that serving takes.
    const collector = fleet.collectors[0]!;
    for (let seed = 1; seed <= 6; seed++)
      await readAudio(await fleet.create({ input: plainText(40), seed }), { collectors: [collector.url] });
    const before = residentBytes(collector.pid);

    const id = await fleet.create({ input });
    const gone = new AbortController();
    const reading = readAudio(id, {
      collectors: [collector.url],
      bytesPerSecond: 1_000,
      signal: gone.signal,
    });
    reading.catch(() => {});
    const made = new Set<number>();
    let most = before;
    let mostAhead = 0;
    let looked = 0;
    const untilMs = performance.now() + seconds * 1_000;
    while (performance.now() < untilMs) {
      for (; looked < fleet.live.seen.length; looked++) {
        const { utterance, message } = fleet.live.seen[looked]!;
        if (utterance === id && message.kind === 'segment-end') made.add(message.segment);
      }
      // Asked after looking: what was taken since only makes the distance smaller.
      const state = await until(() => store.get(id), { what: 'the utterance' });
      mostAhead = Math.max(mostAhead, made.size - state.consumed);
      most = Math.max(most, residentBytes(collector.pid));
      await sleep(100);
    }
    gone.abort(new Error('heard enough'));
    return { rssGrowthBytes: most - before, made: made.size, sentences, mostAhead, window };
  } finally {
    await store.close();
    await fleet.stop();
  }
}
