import type { AudioLog } from '@rhapsode/log';
import { createDispatcher, createMetricsObserver, listenerPatienceMs } from '@rhapsode/pipeline';
import type { JobQueue } from '@rhapsode/queue';
import { createHttpApp, listen, opsRoutes, type ServiceContext } from '@rhapsode/service';
import type { ArtefactStore, BookStore, RequestStore } from '@rhapsode/store';
import { createHealth, reaches } from '@rhapsode/telemetry';
import { audioRoute } from './audio-route.ts';
import { startBooks } from './book-work.ts';
import type { CollectorConfig } from './config.ts';

export interface CollectorDeps extends ServiceContext {
  readonly store: RequestStore;
  readonly audioLog: AudioLog;
  readonly artefacts: ArtefactStore;
  readonly bookStore: BookStore;
  readonly queueOf: (pool: string) => JobQueue;
}

/** Serves the audio of any utterance; keeps nothing that another collector would need. Makes books. */
export async function startCollector(config: CollectorConfig, deps: CollectorDeps): Promise<void> {
  const { log, metrics, lifecycle, store, audioLog, queueOf } = deps;
  const { host, port, pools } = config;
  const observer = createMetricsObserver(metrics, log, pools[0]!);
  const dispatcher = createDispatcher({ store, log: audioLog, queueOf, pools, observer });
  lifecycle.onClose('dispatcher', () => dispatcher.close());

  const health = createHealth({
    lifecycle,
    checks: {
      store: reaches(store),
      log: reaches(audioLog),
    },
  });
  const app = createHttpApp({ log, metrics, lifecycle, corsOrigins: config.corsOrigins });
  opsRoutes(app, { health, metrics });
  audioRoute(app, {
    store,
    log: audioLog,
    dispatcher,
    observer,
    patienceMs: listenerPatienceMs,
    logger: log,
    metrics,
    lifecycle,
  });
  startBooks(config, { ...deps, dispatcher, observer });
  const address = await listen(app, { host, port, lifecycle });
  log.info({ port: address.port }, 'collector is up');
}
