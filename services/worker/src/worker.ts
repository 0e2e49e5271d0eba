import { RhapsodeError } from '@rhapsode/contracts';
import type { AudioLog } from '@rhapsode/log';
import { createDispatcher, createMetricsObserver, startWorking, type Working } from '@rhapsode/pipeline';
import type { JobQueue } from '@rhapsode/queue';
import { createHttpApp, listen, opsRoutes, type ServiceContext } from '@rhapsode/service';
import type { RequestStore } from '@rhapsode/store';
import { createHealth, createInferenceCheck, reaches } from '@rhapsode/telemetry';
import { chooseProvider, createEngineHost, openCatalogue, pinned } from '@rhapsode/voices';
import type { WorkerConfig } from './config.ts';
import { catalogueOptions, engineOptions } from './engine-options.ts';

export interface WorkerDeps extends ServiceContext {
  readonly store: RequestStore;
  readonly audioLog: AudioLog;
  readonly queue: JobQueue;
}

/** A worker that did nothing for this long, while sentences wait and a slot is free, is stuck: only a restart helps. */
const stuckAfterMs = 60_000;

/**
 * Opens the voices, starts the engine processes, answers the probes and takes sentences. Resolves when it takes them. The parts
 * are closed in the reverse order: first the sentences in hand are finished or handed back.
 */
export async function startWorker(config: WorkerConfig, deps: WorkerDeps): Promise<void> {
  const { log, metrics, lifecycle, store, audioLog, queue } = deps;
  const { pool, workerId } = config;
  const { provider, missing } = await chooseProvider(config.providers, config.engineEnv);
  for (const one of missing) log.warn(one, `execution provider is not used: ${provider} is`);
  if (provider !== 'cpu' && config.slots > 1)
    log.warn(
      { provider, slots: config.slots },
      'engine processes share a graphics processor; 1 slot is best',
    );
  const options = catalogueOptions(config, provider);
  const catalogue = await openCatalogue(options);
  for (const { id, error } of catalogue.problems)
    log.error({ voice: id, code: error.code, error }, 'voice can not be used');

  const probeVoice = catalogue.get('default').id;
  const engine = createEngineHost({
    ...engineOptions(config),
    catalogue: pinned(options, catalogue),
    warm: [probeVoice],
    onRestart(event) {
      metrics.engineRestartsTotal.add(1, { reason: event.reason });
      log.warn(event, 'engine process ended');
      // Readiness is asked of the engine again, not of the last sentence that went well.
      inference.failed(new RhapsodeError('engine_crashed', { message: event.detail }));
    },
  });
  lifecycle.onClose('engine', () => engine.close());
  const { slots } = engine;
  const inference = createInferenceCheck(async () => {
    const words = {
      voice: probeVoice,
      text: 'Ready.',
      segment: 0,
      seed: 0,
      speed: 1,
      class: 'interactive',
    } as const;
    for await (const _ of engine.speak(words, AbortSignal.timeout(config.engineTimeoutMs)));
  });

  let worker: Working | undefined;
  const observer = createMetricsObserver(metrics, log, pool);
  const dispatcher = createDispatcher({
    store,
    log: audioLog,
    queueOf: () => queue,
    pools: [pool],
    observer,
  });
  lifecycle.onClose('dispatcher', () => dispatcher.close());

  metrics.beforeRender(() => {
    metrics.slots.set(engine.busy, { pool, state: 'busy' });
    metrics.slots.set(slots - engine.busy, { pool, state: 'idle' });
  });
  const health = createHealth({
    lifecycle,
    checks: {
      inference,
      store: reaches(store),
      queue: reaches(queue),
      log: reaches(audioLog),
      fetching: { live: true, run: () => checkFetching() },
    },
  });
  const app = createHttpApp({ log, metrics, lifecycle });
  opsRoutes(app, { health, metrics });
  await listen(app, { host: config.host, port: config.port, lifecycle });

  await engine.ready().catch((error: unknown) => log.error({ error }, 'the engine is not well'));
  worker = startWorking({
    id: workerId,
    pool,
    slots,
    voices: catalogue.voices,
    engine,
    queue,
    log: audioLog,
    store,
    dispatcher,
    observer: {
      ...observer,
      sentence(job, outcome) {
        observer.sentence(job, outcome);
        if (outcome.result === 'completed') inference.succeeded();
      },
    },
  });
  const working = worker;
  lifecycle.onClose('sentences', ({ graceMs }) => working.close({ graceMs }));
  log.info({ pool, slots, workerId, provider, voices: catalogue.voices.length }, 'worker is up');

  async function checkFetching(): Promise<string | undefined> {
    if (!worker || worker.running() >= slots || worker.idleMs() < stuckAfterMs) return undefined;
    const { waiting } = await queue.counts().catch(() => ({ waiting: 0 }));
    if (waiting > 0)
      throw new RhapsodeError('queue_unavailable', {
        message: `${waiting} sentences wait and none is taken`,
      });
    return undefined;
  }
}
