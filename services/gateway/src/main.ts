import { createNatsLog } from '@rhapsode/log/nats';
import { createQueues } from '@rhapsode/pipeline';
import { createBullmqQueue } from '@rhapsode/queue/bullmq';
import { runService } from '@rhapsode/service';
import { openArtefacts } from '@rhapsode/store/artefacts/open';
import { createRedisStore } from '@rhapsode/store/redis';
import { createRedisBooks } from '@rhapsode/store/redis/books';
import { createOutageLog } from '@rhapsode/telemetry';
import { readConfig } from './config.ts';
import { startGateway } from './gateway.ts';

await runService('gateway', readConfig, async (config, context) => {
  const { lifecycle, log } = context;
  const { redisUrl, natsUrl, logShards, logStorage, logMaxMb } = config;

  const store = createRedisStore({ url: redisUrl, onState: createOutageLog(log, 'store') });
  lifecycle.onClose('store', () => store.close());
  const bookStore = createRedisBooks({ url: redisUrl, onState: createOutageLog(log, 'books') });
  lifecycle.onClose('books', () => bookStore.close());
  const artefacts = await openArtefacts(config);
  lifecycle.onClose('artefacts', () => artefacts.close());
  const audioLog = createNatsLog({
    url: natsUrl.join(','),
    shards: logShards,
    storage: logStorage,
    name: 'rhapsode gateway',
    onTrouble: (what, error) => log.warn({ what, error }, 'audio log'),
    ...(logMaxMb === undefined ? {} : { maxBytes: logMaxMb * 2 ** 20 }),
  });
  lifecycle.onClose('log', () => audioLog.close());
  const queues = createQueues((pool) => createBullmqQueue({ url: redisUrl, pool }));
  lifecycle.onClose('queues', () => queues.close());

  await startGateway(config, {
    ...context,
    store,
    bookStore,
    artefacts,
    audioLog,
    queueOf: queues.of,
  });
});
