import { answerAudio, describeAudio } from '@rhapsode/collector/audio-answer';
import { startBooks } from '@rhapsode/collector/book-work';
import { bodyLimitBytes, gatewayRoutes } from '@rhapsode/gateway/app';
import { createGatewayBooks } from '@rhapsode/gateway/books/gateway-books';
import type { GatewayDeps } from '@rhapsode/gateway/deps';
import { createLogGuard } from '@rhapsode/gateway/log-guard';
import { startProtocols } from '@rhapsode/gateway/protocols';
import { createVoiceDirectory } from '@rhapsode/gateway/voice-directory';
import { createMetricsObserver, listen as hear, warmPlanner } from '@rhapsode/pipeline';
import { createHttpApp, createSocketDrain, listen, opsRoutes } from '@rhapsode/service';
import { openArtefacts } from '@rhapsode/store/artefacts/open';
import { createKeptBooks } from '@rhapsode/store/books/kept';
import {
  createHealth,
  createInferenceCheck,
  createLifecycle,
  createLog,
  createMetrics,
} from '@rhapsode/telemetry';
import { numberOption, parse, type Usage } from '../args.ts';
import type { Command } from '../command.ts';
import { catalogueOptions } from '../open-voices.ts';
import { createSpeaker } from '../speaker.ts';

const usage = {
  synopsis: 'rhapsode serve [--port PORT] [--host ADDRESS]',
  about: 'Starts the whole pipeline as a server in this one process: no Redis, no NATS.',
  options: { port: { type: 'string', short: 'p' }, host: { type: 'string' } },
  help: {
    port: 'port to listen on (default RHAPSODE_PORT or 8080)',
    host: 'address to listen on (default 127.0.0.1)',
  },
} satisfies Usage<Record<string, { type: 'string' | 'boolean'; short?: string }>>;

export const serve: Command = {
  usage,
  async run(args, { config }) {
    const { values } = parse(usage, args);
    const port = numberOption('port', values.port, 0, 65_535, { whole: true }) ?? config.port;
    const host = values.host ?? config.host;
    const pool = 'default';

    const log = createLog({ service: 'rhapsode', level: config.logLevel });
    const metrics = createMetrics({ processMetrics: true });
    const lifecycle = createLifecycle({ log, graceMs: config.drainSeconds * 1000 });
    lifecycle.install(process);

    const observer = createMetricsObserver(metrics, log, pool);
    const speaker = await createSpeaker(config, {
      warm: ['default'],
      observer,
      onRestart(event) {
        metrics.engineRestartsTotal.add(1, { reason: event.reason });
        log.warn(event, 'engine process ended');
      },
    });
    lifecycle.onClose('pipeline', () => speaker.close());
    const { embedded, catalogue, engine } = speaker;
    const { store, log: audioLog, dispatcher } = embedded;

    warmPlanner([catalogue.get('default').language]);
    const voice = catalogue.get('default').id;
    const inference = createInferenceCheck(async () => {
      const words = { voice, text: 'Ready.', segment: 0, seed: 0, speed: 1, class: 'interactive' } as const;
      for await (const _ of engine.speak(words, AbortSignal.timeout(30_000)));
    });
    const app = createHttpApp({
      log,
      metrics,
      lifecycle,
      bodyLimitBytes,
      corsOrigins: config.corsOrigins,
    });
    const health = createHealth({ lifecycle, checks: { inference } });
    opsRoutes(app, { health, metrics });
    const voices = createVoiceDirectory({ store, pools: [pool], aliases: catalogueOptions(config).aliases });
    const artefacts = await openArtefacts(config);
    lifecycle.onClose('artefacts', () => artefacts.close());
    const bookStore = await createKeptBooks(artefacts);
    startBooks(config, { store, bookStore, artefacts, audioLog, dispatcher, observer, lifecycle, log });
    const listenDeps = { store, log: audioLog, dispatcher, observer };
    const deps: GatewayDeps = {
      store,
      dispatcher,
      observer,
      voices,
      books: createGatewayBooks(config, { artefacts, bookStore, voices }),
      audio: (wanted) => answerAudio(wanted, listenDeps),
      describeAudio: (wanted) => describeAudio(wanted, listenDeps),
      hear: (id, options) => hear(id, options, listenDeps),
      logGuard: createLogGuard(audioLog),
      drain: createSocketDrain(),
      log,
      metrics,
      tenant: 'local',
      limits: config,
    };
    gatewayRoutes(app, deps);
    const address = await startProtocols({ ...config, host }, deps, { lifecycle, health })
      .then(() => listen(app, { host, port, lifecycle }))
      .catch(async (error: unknown) => {
        // The engines, and what listens already, would keep the process.
        await lifecycle.drain('a port is in use');
        throw error;
      });
    lifecycle.ready();
    log.info(
      { url: `http://${host}:${address.port}`, voice, voices: catalogue.voices.length },
      'ready to speak',
    );
  },
};
