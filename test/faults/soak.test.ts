import { newUtteranceId } from '@rhapsode/contracts';
import { expect, test } from 'vitest';
import { readAudio } from '../support/audio-client.ts';
import { childrenOf } from '../support/children.ts';
import { testConfig } from '../support/config.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { speakEmbedded } from '../support/reference.ts';
import { firstDifference } from '../support/same-audio.ts';
import { seeded } from '../support/seeded.ts';
import { plainText } from '../support/texts.ts';
import { slowly } from './scene.ts';

const { minutes, seed } = testConfig().soak;
const listeners = 4;

type Random = () => number;
const pick = <T>(from: readonly T[], random: Random): T => from[Math.floor(random() * from.length)]!;

/** Each leaves the fleet whole again. */
const faults: Record<string, (fleet: Fleet, random: Random) => Promise<void>> = {
  async 'kill a worker'({ workers }, random) {
    const worker = pick(workers, random);
    await worker.kill();
    await worker.restart();
  },
  async 'drain a worker'({ workers }, random) {
    await pick(workers, random).restart();
  },
  async 'kill an engine'({ workers }, random) {
    for (const pid of childrenOf(pick(workers, random).pid)) process.kill(pid, 'SIGKILL');
  },
  async 'freeze a worker'({ workers, live }, random) {
    const worker = pick(workers, random);
    worker.signal('SIGSTOP');
    await live
      .next(({ message }) => message.kind === 'audio' && message.epoch > 1, 'a takeover', 30_000)
      .catch(() => {});
    worker.signal('SIGCONT');
  },
  async 'kill a collector'({ collectors }, random) {
    const collector = pick(collectors, random);
    await collector.kill();
    await collector.restart();
  },
  'restart NATS': ({ nats }) => nats.restart(),
  async 'kill NATS'({ nats }) {
    await nats.kill();
    await nats.restart();
  },
  'restart Redis': ({ redis }) => redis.restart(),
  async 'kill Redis'({ redis }) {
    await redis.kill();
    await redis.restart();
  },
  async 'cut a worker off from Redis'({ redisProxies }, random) {
    pick(redisProxies, random).cut();
  },
};

test(`random faults for ${minutes} minutes change no sample (seed ${seed})`, {
  timeout: minutes * 60_000 + 180_000,
}, async (context) => {
  console.log(`soak: RHAPSODE_TEST_SOAK_SEED=${seed}`);
  const lost = seeded(seed);
  const fleet = await startFleet({
    workers: 3,
    collectors: 2,
    workerRedisProxies: true,
    loseLive: () => lost() < 0.05,
  });
  context.onTestFinished(() => fleet.stop());
  const untilMs = performance.now() + minutes * 60_000;
  const counts = { utterances: 0, samples: 0, breaks: 0 };
  const done: Record<string, number> = {};

  async function listenOn(which: number): Promise<void> {
    const random = seeded(seed + 1 + which);
    while (performance.now() < untilMs) {
      const voiceSeed = Math.floor(random() * 2 ** 32);
      const sentences = 2 + Math.floor(random() * 6);
      const input = slowly(plainText(sentences, 20 + random() * 60, voiceSeed), 0.05 + random() * 0.3);
      const reference = await speakEmbedded(input, { seed: voiceSeed, slots: sentences });
      const id = await createWithPatience(fleet, { input, seed: voiceSeed });
      const collectors = random() < 0.5 ? fleet.collectorUrls : fleet.collectorUrls.toReversed();
      const heard = await readAudio(id, { collectors });
      expect(firstDifference(heard.pcm, reference), `utterance ${id} of listener ${which}`).toBeUndefined();
      counts.utterances += 1;
      counts.samples += heard.pcm.length;
      counts.breaks += heard.breaks;
    }
  }

  async function disturb(): Promise<void> {
    const random = seeded(seed);
    while (performance.now() < untilMs) {
      const name = pick(Object.keys(faults), random);
      let chunks = 1 + Math.floor(random() * 8);
      await fleet.live.next(({ message }) => message.kind === 'audio' && --chunks <= 0, 'audio', 60_000);
      await faults[name]!(fleet, random);
      done[name] = (done[name] ?? 0) + 1;
    }
  }

  try {
    await Promise.all([disturb(), ...Array.from({ length: listeners }, (_, which) => listenOn(which))]);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${JSON.stringify(done)}\n${fleet.output()}`, {
      cause: error,
    });
  }
  const faultCount = Object.values(done).reduce((sum, count) => sum + count, 0);
  console.log(
    `soak: ${faultCount} faults (${JSON.stringify(done)}), ${counts.utterances} utterances, ` +
      `${counts.samples} samples, ${counts.breaks} resumes: none lost, doubled or swapped`,
  );
});

/** A repeat with the same id is the same request. */
async function createWithPatience(fleet: Fleet, body: { input: string; seed: number }): Promise<string> {
  const id = newUtteranceId();
  for (let tries = 0; ; tries++) {
    try {
      return await fleet.create({ ...body, id });
    } catch (error) {
      if (tries > 100 || !/\b(503|429)\b/.test((error as Error).message)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
