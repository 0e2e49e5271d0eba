import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startNats } from '../../../test/support/nats.ts';
import { logConformance } from '../src/conformance.ts';
import { createNatsLog } from '../src/nats.ts';

logConformance('nats', async (options) => {
  const server = await startNats();
  let lose = () => false;
  const log = createNatsLog({
    url: server.url,
    storage: 'file',
    shards: 3,
    pollMs: 100,
    requestTimeoutMs: 1_000,
    dropLive: () => lose(),
    ...options,
  });
  await log.ping();
  return {
    log,
    loseLive: (decide) => {
      lose = decide;
    },
    down: () => server.kill(),
    up: () => server.restart(),
    async beginAnew() {
      await server.kill();
      await rm(join(server.dir, 'jetstream'), { recursive: true });
      await server.restart();
    },
    async close() {
      await log.close();
      await server.stop();
    },
  };
});
