import type { AudioLog } from '@rhapsode/log';
import {
  createDispatcher,
  createMetricsObserver,
  listen as hear,
  listenerPatienceMs,
  warmPlanner,
} from '@rhapsode/pipeline';
import type { JobQueue } from '@rhapsode/queue';
import { createHttpApp, createSocketDrain, listen, opsRoutes, type ServiceContext } from '@rhapsode/service';
import type { ArtefactStore, BookStore, RequestStore } from '@rhapsode/store';
import { createHealth, reaches } from '@rhapsode/telemetry';
import { bodyLimitBytes, gatewayRoutes } from './app.ts';
import { createCollectorDescriber, createCollectorSource } from './audio-source.ts';
import { createGatewayBooks } from './books/gateway-books.ts';
import type { GatewayConfig } from './config.ts';
import type { GatewayDeps } from './deps.ts';
import { createLogGuard } from './log-guard.ts';
import { startProtocols } from './protocols.ts';
import { createVoiceDirectory } from './voice-directory.ts';

export interface GatewayServiceDeps extends ServiceContext {
  readonly store: RequestStore;
  readonly audioLog: AudioLog;
  readonly artefacts: ArtefactStore;
  readonly bookStore: BookStore;
  readonly queueOf: (pool: string) => JobQueue;
}

/** Takes requests; keeps the pools' sentences moving. */
export async function startGateway(config: GatewayConfig, deps: GatewayServiceDeps): Promise<void> {
  const { log, metrics, lifecycle, store, audioLog, artefacts, bookStore, queueOf } = deps;
  const { host, port, pools, tenant, collectorUrls } = config;
  const observer = createMetricsObserver(metrics, log, pools[0]!);
  const dispatcher = createDispatcher({ store, log: audioLog, queueOf, pools, observer });
  lifecycle.onClose('dispatcher', () => dispatcher.close());

  warmPlanner(['en', 'de', 'fr', 'es']);
  metrics.beforeRender(async () => {
    for (const pool of pools) {
      const backlog = await store.backlog(pool);
      metrics.backlogAudioSeconds.set(backlog.interactive, { pool, class: 'interactive' });
      metrics.backlogAudioSeconds.set(backlog.bulk, { pool, class: 'bulk' });
      metrics.oldestWaitSeconds.set(await queueOf(pool).oldestWaitSeconds(), { pool });
    }
  });
  const health = createHealth({
    lifecycle,
    checks: {
      store: reaches(store),
      queue: reaches(...pools.map(queueOf)),
      log: reaches(audioLog),
    },
  });
  const app = createHttpApp({
    log,
    metrics,
    lifecycle,
    bodyLimitBytes,
    corsOrigins: config.corsOrigins,
  });
  opsRoutes(app, { health, metrics });
  const voices = createVoiceDirectory({
    store,
    pools,
    aliases: { default: config.defaultVoice, ...config.aliases },
  });
  const routeDeps: GatewayDeps = {
    store,
    dispatcher,
    observer,
    voices,
    books: createGatewayBooks(config, { artefacts, bookStore, voices }),
    audio: createCollectorSource(collectorUrls),
    describeAudio: createCollectorDescriber(collectorUrls),
    hear: (id, options) =>
      hear(id, options, { store, log: audioLog, dispatcher, observer, patienceMs: listenerPatienceMs }),
    logGuard: createLogGuard(audioLog),
    drain: createSocketDrain(),
    log,
    metrics,
    tenant,
    limits: config,
  };
  gatewayRoutes(app, routeDeps);
  await startProtocols(config, routeDeps, { lifecycle, health });
  const address = await listen(app, { host, port, lifecycle });
  log.info({ port: address.port }, 'gateway is up');
}
