import { randomUUID } from 'node:crypto';
import { queueName } from '@rhapsode/contracts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { type RedisServer, startRedis } from '../../../test/support/redis.ts';
import { until } from '../../../test/support/wait.ts';
import { createBullmqQueue } from '../src/bullmq.ts';
import { queueConformance } from '../src/conformance.ts';

let redis: RedisServer;
let client: Redis;
beforeAll(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
});
afterAll(async () => {
  client.disconnect();
  await redis.stop();
});

queueConformance('bullmq', async (settings) => {
  const prefix = randomUUID();
  const queue = createBullmqQueue({ url: redis.url, pool: 'test', prefix, settings, timeoutMs: 10_000 });
  return {
    queue,
    async loseLock(id) {
      const lock = `${prefix}:${queueName('test')}:${id}:lock`;
      await until(async () => (await client.del(lock)) === 1, { what: `job ${id} to be locked` });
    },
    close: () => queue.close(),
  };
});
