import type { AddressInfo } from 'node:net';
import { createBooks, createSegmentStore } from '@rhapsode/book';
import { answerAudio, describeAudio } from '@rhapsode/collector/audio-answer';
import type { AudioLog } from '@rhapsode/log';
import { createMetricsObserver, listen } from '@rhapsode/pipeline';
import { createEmbedded } from '@rhapsode/pipeline/embedded';
import { createHttpApp, createSocketDrain } from '@rhapsode/service';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { createMemoryBooks } from '@rhapsode/store/books/memory';
import { createLifecycle, createLog, createMetrics } from '@rhapsode/telemetry';
import { createLocalEngine, openCatalogue } from '@rhapsode/voices';
import { gatewayRoutes } from '../src/app.ts';
import type { AudioSource } from '../src/audio-source.ts';
import type { GatewayDeps } from '../src/deps.ts';
import { createLogGuard } from '../src/log-guard.ts';
import { createVoiceDirectory } from '../src/voice-directory.ts';

export interface ServeOptions {
  readonly corsOrigins?: readonly string[];
  readonly realTimeFactor?: number;
  readonly limits?: Partial<GatewayDeps['limits']>;
  readonly idleMs?: number;
  /** Instead of assembling in this process. */
  readonly audio?: AudioSource;
  /** Seen by the guard instead of the real log. */
  readonly ping?: AudioLog['ping'];
}

/** The gateway's routes on the embedded pipeline with the test voices, on a free port. */
export async function serve(options: ServeOptions = {}) {
  const catalogue = await openCatalogue({
    testVoices: true,
    tone: { realTimeFactor: options.realTimeFactor ?? 0 },
  });
  const embedded = createEmbedded({
    engine: createLocalEngine(catalogue),
    voices: catalogue.voices,
    slots: 2,
  });
  const { store, log: audioLog, dispatcher } = embedded;
  const log = createLog({ service: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, graceMs: 0 });
  const metrics = createMetrics();
  const observer = createMetricsObserver(metrics, log, 'default');
  const app = createHttpApp({
    log,
    metrics,
    lifecycle,
    bodyLimitBytes: 4_000_000,
    corsOrigins: options.corsOrigins ?? [],
  });
  const voices = createVoiceDirectory({ store, pools: ['default'], aliases: { default: 'tone' } });
  const artefacts = createMemoryArtefacts();
  const bookStore = createMemoryBooks();
  const segments = createSegmentStore(artefacts);
  const books = createBooks({
    artefacts,
    books: bookStore,
    segments,
    findVoice: voices.find,
    limits: { maxCharacters: 100_000, maxBytes: 2_000_000, maxOpen: 100 },
  });
  const deps: GatewayDeps = {
    store,
    dispatcher,
    observer,
    voices,
    audio: options.audio ?? ((wanted) => answerAudio(wanted, { store, log: audioLog, dispatcher, observer })),
    describeAudio: (wanted) => describeAudio(wanted, { store }),
    hear: (id, heard) => listen(id, heard, { store, log: audioLog, dispatcher, observer }),
    books,
    logGuard: createLogGuard(options.ping ? { ping: options.ping } : audioLog),
    drain: createSocketDrain(),
    log,
    metrics,
    tenant: 'local',
    limits: {
      maxSpeechCharacters: 1_000,
      maxBulkCharacters: 10_000,
      maxOpenUtterances: 100,
      speechPcmHz: 0,
      maxBookBytes: 2_000_000,
      textIdleSeconds: (options.idleMs ?? 60_000) / 1000,
      ...options.limits,
    },
  };
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url, exposeHeadRoute }) => {
    for (const one of [method].flat())
      if (one !== 'HEAD' || exposeHeadRoute === undefined)
        routes.add(`${one} ${url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}')}`);
  });
  gatewayRoutes(app, deps);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;

  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      ...init,
    });
  const speech = (fields: Record<string, unknown>, init?: RequestInit) =>
    post('/v1/audio/speech', { model: 'tts-1', voice: 'tone', input: 'Hello there.', ...fields }, init);
  return {
    url,
    deps,
    routes,
    embedded,
    artefacts,
    segments,
    bookStore,
    metrics,
    post,
    speech,
    get: (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers }),
    remove: (path: string) => fetch(url + path, { method: 'DELETE' }),
    /** Utterances that the store counts as open. */
    async backlogSeconds() {
      const { interactive, bulk } = await store.backlog('default');
      return interactive + bulk;
    },
    async close() {
      app.server.closeAllConnections();
      await app.close();
      await embedded.close();
    },
  };
}

export type Served = Awaited<ReturnType<typeof serve>>;

/** Status and the envelope's fields. */
export async function problem(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error };
}

export const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());
