import { RhapsodeError } from '@rhapsode/contracts';
import {
  createLifecycle,
  createLog,
  createMetrics,
  type Lifecycle,
  type Log,
  type LogLevel,
  type Metrics,
} from '@rhapsode/telemetry';
import type { Warn } from './settings.ts';

export interface ServiceContext {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
}

export interface ServiceConfig {
  readonly logLevel: LogLevel;
  readonly drainSeconds: number;
}

/**
 * The frame of a service's `main.ts`: reads the configuration, starts, drains on signals. What keeps it from starting is
 * said on standard error, with its code, and the exit code is 1.
 */
export async function runService<C extends ServiceConfig>(
  service: string,
  readConfig: (warn: Warn) => C,
  start: (config: C, context: ServiceContext) => Promise<void>,
): Promise<void> {
  try {
    const warnings: string[] = [];
    const config = readConfig((warning) => warnings.push(warning));
    const log = createLog({ service, level: config.logLevel });
    for (const problem of warnings) log.warn({ problem }, 'configuration');
    const lifecycle = createLifecycle({ log, graceMs: config.drainSeconds * 1000 });
    lifecycle.install(process);
    await start(config, { log, lifecycle, metrics: createMetrics({ processMetrics: true }) });
    lifecycle.ready();
  } catch (error) {
    const why =
      error instanceof RhapsodeError
        ? `${error.message} (${error.code})`
        : String((error as Error)?.stack ?? error);
    process.stderr.write(`${service}: ${why}\n`);
    process.exit(1);
  }
}
