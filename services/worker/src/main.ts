import { createNatsLog } from '@rhapsode/log/nats';
import { createBullmqQueue } from '@rhapsode/queue/bullmq';
import { runService } from '@rhapsode/service';
import { createRedisStore } from '@rhapsode/store/redis';
import { createOutageLog } from '@rhapsode/telemetry';
import { readConfig } from './config.ts';
import { startWorker } from './worker.ts';

await runService('worker', readConfig, async (config, context) => {
  const { lifecycle, log } = context;
  const { redisUrl, natsUrl, logShards, logStorage, logMaxMb, pool, lockMs } = config;

  const store = createRedisStore({ url: redisUrl, onState: createOutageLog(log, 'store') });
  lifecycle.onClose('store', () => store.close());
  const audioLog = createNatsLog({
    url: natsUrl.join(','),
    shards: logShards,
    storage: logStorage,
    name: 'rhapsode worker',
    onTrouble: (what, error) => log.warn({ what, error }, 'audio log'),
    ...(logMaxMb === undefined ? {} : { maxBytes: logMaxMb * 2 ** 20 }),
  });
  lifecycle.onClose('log', () => audioLog.close());
  const queue = createBullmqQueue({
    url: redisUrl,
    pool,
    settings: { lockDurationMs: lockMs, stalledIntervalMs: Math.ceil(lockMs / 3) },
  });
  lifecycle.onClose('queue', () => queue.close());

  await startWorker(config, { ...context, store, audioLog, queue });
});
