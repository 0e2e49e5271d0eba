import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';

/**
 * Messages are constant strings, data are fields. What people asked to be spoken, and secrets, never reach a log: fields
 * that could hold them are dropped wherever they stand in the first three levels.
 */
export type Log = Logger;

export interface LogOptions {
  readonly service: string;
  readonly level: LogLevel;
  /** Standard output, unless a test wants the lines. */
  readonly destination?: DestinationStream;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

const neverLogged = [
  'text',
  'input',
  'instructions',
  'spoken',
  'source',
  'ssml',
  'body',
  'authorization',
  'cookie',
  'apiKey',
  'password',
];

export const createLog = ({ service, level, destination }: LogOptions): Log =>
  pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError, cause: describeError },
      redact: { paths: neverLogged.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), remove: true },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  );

/** An error with its chain of causes. Only an error's own code is added to pino's fields: others may hold text. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  const { type, message, stack } = stdSerializers.err(error);
  const { code } = error as { code?: unknown };
  return { type, message, stack, ...(typeof code === 'string' ? { code } : {}) };
}
