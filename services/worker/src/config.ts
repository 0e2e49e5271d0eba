import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { poolName } from '@rhapsode/contracts';
import { commonSettings, integer, port, readSettings, type Settings } from '@rhapsode/service';
import { z } from 'zod';

const models = fileURLToPath(new URL('../../../models', import.meta.url));
const {
  host,
  redisUrl,
  natsUrl,
  logShards,
  logStorage,
  logMaxMb,
  drainSeconds,
  logLevel,
  defaultVoice,
  espeakProgram,
  aliases,
  testVoices,
} = commonSettings;

export const workerSettings = {
  host,
  port: {
    name: 'RHAPSODE_PORT',
    description: 'Port of the probes and metrics',
    default: '8082',
    schema: port,
  },
  redisUrl,
  natsUrl,
  logShards,
  logStorage,
  logMaxMb,
  pool: {
    name: 'RHAPSODE_POOL',
    description: 'The pool whose sentences this worker speaks',
    default: 'default',
    schema: poolName,
  },
  slots: {
    name: 'RHAPSODE_SLOTS',
    description: 'Engine processes; each speaks RHAPSODE_SENTENCES_PER_SLOT sentences at once',
    default: String(availableParallelism()),
    schema: integer(1, 256),
  },
  sentencesPerSlot: {
    name: 'RHAPSODE_SENTENCES_PER_SLOT',
    description: 'Sentences that an engine process speaks in turns',
    default: '1',
    schema: integer(1, 256),
  },
  batchWindows: {
    name: 'RHAPSODE_BATCH_WINDOWS',
    description:
      'Windows of different sentences of one engine process that are computed in one run, at most; 1: each by itself. For GPUs, with more than one sentence per slot',
    default: '1',
    schema: integer(1, 64),
  },
  batchWaitMs: {
    name: 'RHAPSODE_BATCH_WAIT_MS',
    description: 'How long a run that RHAPSODE_BATCH_WINDOWS lets several share waits for others to join',
    default: '2',
    schema: integer(0, 100),
  },
  workerId: {
    name: 'RHAPSODE_WORKER_ID',
    description: 'Name of this worker, different for each (default: host name and a random part)',
    default: `${hostname()}-${randomUUID().slice(0, 8)}`,
    schema: z
      .string()
      .regex(/^[\w.-]{1,200}$/, 'must be 1 to 200 letters, digits, dots, dashes and underscores'),
  },
  modelsDir: {
    name: 'RHAPSODE_MODELS_DIR',
    description: 'Folder of voices',
    default: models,
    schema: z.string(),
  },
  defaultVoice,
  espeakProgram,
  aliases,
  testVoices,
  toneRealTimeFactor: {
    name: 'RHAPSODE_TONE_REAL_TIME_FACTOR',
    description: 'Seconds that the test voice takes for a second of audio; 0: as fast as it can',
    default: '0',
    schema: z
      .string()
      .transform(Number)
      .refine((factor) => factor >= 0 && factor <= 100, 'must be a number from 0 to 100'),
  },
  drainSeconds,
  logLevel,
  engineTimeoutMs: {
    name: 'RHAPSODE_ENGINE_TIMEOUT_MS',
    description: 'An engine process that makes no progress for this long is replaced',
    default: '30000',
    schema: integer(100, 3_600_000),
  },
  engineMemoryMb: {
    name: 'RHAPSODE_ENGINE_MEMORY_MB',
    description: 'An engine process that holds more memory is replaced',
    default: '2048',
    schema: integer(64, 1_048_576),
  },
  lockMs: {
    name: 'RHAPSODE_LOCK_MS',
    description: 'A worker that was not heard of for this long loses its sentences to others',
    default: '3000',
    schema: integer(1_000, 600_000),
  },
} as const;

export type WorkerConfig = Settings<typeof workerSettings>;

export const readConfig = (): WorkerConfig => readSettings(workerSettings, process.env);
