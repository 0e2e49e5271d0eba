import type { Epoch } from '@rhapsode/contracts';
import { childrenOf } from '../support/children.ts';
import type { Seen } from '../support/live.ts';
import { seeded } from '../support/seeded.ts';
import { until } from '../support/wait.ts';
import type { FaultCase, Moment, Scene } from './scene.ts';

const epochOf = ({ message }: Seen): Epoch => {
  if (message.kind === 'utterance-end') throw new Error('the end of an utterance has no epoch');
  return message.epoch;
};

const killWorkerAt = (moment: Moment) => async (scene: Scene) => {
  const owner = await scene.owner(await scene.at(1, 'first chunk'));
  const seen = await scene.at(1, moment);
  await owner.kill();
  await scene.newerAttempt(1, epochOf(seen));
};

/** The end may be on its way: then nothing is left to do for another worker. */
async function killWorkerAtLastChunk(scene: Scene): Promise<void> {
  const owner = await scene.owner(await scene.at(1, 'first chunk'));
  const seen = await scene.at(1, 'last chunk');
  await owner.kill();
  await Promise.race([scene.at(1, 'end'), scene.newerAttempt(1, epochOf(seen))]);
}

/** Everything is acknowledged, and the queue does not know: Redis stands still while the worker dies. */
async function killWorkerAfterLastAcknowledgement(scene: Scene): Promise<void> {
  const owner = await scene.owner(await scene.at(1, 'one before the last'));
  await scene.fleet.redis.kill('SIGSTOP');
  const end = await scene.at(1, 'end');
  await owner.kill();
  await scene.fleet.redis.kill('SIGCONT');
  await scene.newerAttempt(1, epochOf(end));
}

/** Stands still for longer than its lock lasts, and goes on when another has taken over. */
async function freezeWorker(scene: Scene): Promise<void> {
  const seen = await scene.at(1, 'middle');
  const zombie = await scene.owner(seen);
  zombie.signal('SIGSTOP');
  await scene.newerAttempt(1, epochOf(seen));
  zombie.signal('SIGCONT');
  await zombie.untilReady();
}

async function blockWorker(scene: Scene): Promise<void> {
  const seen = await scene.at(1, 'first chunk');
  const zombie = await scene.owner(seen);
  await zombie.block(15_000);
  await scene.newerAttempt(1, epochOf(seen));
  await zombie.untilReady();
}

/** It can't hear that its lock is gone, and goes on publishing beside the one that took over. */
async function partitionWorkerFromRedis(scene: Scene): Promise<void> {
  const seen = await scene.at(1, 'first chunk');
  const proxy = scene.fleet.redisProxies[await scene.ownerOf(seen)]!;
  proxy.freeze();
  await scene.newerAttempt(1, epochOf(seen));
  proxy.thaw();
}

async function restartNats({ fleet, at }: Scene): Promise<void> {
  await at(1, 'middle');
  await fleet.nats.restart();
}

/** Every third message, more or less; the same ones in every run. */
function loseSome() {
  const random = seeded(7);
  const counts = { lost: 0 };
  return {
    counts,
    lose: () => {
      const lost = random() < 0.3;
      if (lost) counts.lost++;
      return lost;
    },
  };
}

const losing = loseSome();

export const cases: readonly FaultCase[] = [
  { when: 'a worker is killed at the first chunk', disturb: killWorkerAt('first chunk') },
  { when: 'a worker is killed in the middle', quick: true, disturb: killWorkerAt('middle') },
  { when: 'a worker is killed at the last chunk', disturb: killWorkerAtLastChunk },
  {
    when: 'a worker is killed after its last acknowledgement',
    quick: true,
    disturb: killWorkerAfterLastAcknowledgement,
  },
  {
    when: 'the only engine process of a worker is killed',
    quick: true,
    async disturb(scene) {
      const seen = await scene.at(1, 'middle');
      const engines = childrenOf((await scene.owner(seen)).pid);
      for (const pid of engines) process.kill(pid, 'SIGKILL');
      await scene.newerAttempt(1, epochOf(seen));
    },
  },
  {
    when: 'the collector is killed and the client goes on at another',
    quick: true,
    fleet: () => ({ collectors: 2 }),
    async disturb({ fleet, heard }) {
      await heard(0.4);
      await fleet.collectors[0]!.kill();
    },
  },
  {
    when: 'both collectors are killed, one after the other',
    fleet: () => ({ collectors: 2 }),
    async disturb({ fleet, heard }) {
      await heard(0.2);
      await fleet.collectors[0]!.kill();
      await heard(0.5);
      await Promise.all([fleet.collectors[0]!.restart(), fleet.collectors[1]!.kill()]);
    },
  },
  {
    when: 'NATS is restarted, with memory storage',
    quick: true,
    fleet: () => ({ env: { RHAPSODE_LOG_STORAGE: 'memory' } }),
    disturb: restartNats,
  },
  {
    when: 'NATS is restarted, with file storage',
    fleet: () => ({ env: { RHAPSODE_LOG_STORAGE: 'file' } }),
    disturb: restartNats,
  },
  {
    when: 'NATS is killed, with file storage',
    fleet: () => ({ env: { RHAPSODE_LOG_STORAGE: 'file' } }),
    async disturb({ fleet, at }) {
      await at(1, 'middle');
      await fleet.nats.kill();
      await fleet.nats.restart();
    },
  },
  {
    when: 'Redis is restarted',
    quick: true,
    async disturb({ fleet, at }) {
      await at(1, 'middle');
      await fleet.redis.restart();
    },
  },
  {
    when: 'Redis is killed',
    async disturb({ fleet, at }) {
      await at(1, 'middle');
      await fleet.redis.kill();
      await fleet.redis.restart();
    },
  },
  { when: 'a worker stands still for longer than its lock', disturb: freezeWorker },
  { when: 'the loop of a worker is blocked for longer than its lock', disturb: blockWorker },
  {
    when: 'a worker is cut off from Redis and goes on publishing',
    fleet: () => ({ workerRedisProxies: true }),
    disturb: partitionWorkerFromRedis,
  },
  {
    when: '30 % of the live messages are lost',
    quick: true,
    fleet: () => ({ loseLive: losing.lose }),
    async disturb() {
      await until(() => losing.counts.lost >= 5, { what: 'messages to be lost', timeoutMs: 30_000 });
    },
  },
];
