import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { poolName } from '@rhapsode/contracts';
import { commonSettings, integer, port, readSettings, type Settings, type Warn } from '@rhapsode/service';
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

const providers = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(
    z
      .array(
        z.enum(
          ['cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml', 'dml', 'qnn'],
          'must be of cpu, cuda, tensorrt, webgpu, coreml, dml, qnn',
        ),
      )
      .min(1),
  );

const engineEnv = z
  .string()
  .transform((text) => text.split(',').filter((pair) => pair.trim() !== ''))
  .refine((pairs) => pairs.every((pair) => /^\s*\w+=/.test(pair)), 'must be name=value, comma separated')
  .transform((pairs) =>
    Object.fromEntries(
      pairs.map((pair): [string, string] => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      }),
    ),
  );

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
  providers: {
    name: 'RHAPSODE_EXECUTION_PROVIDERS',
    description:
      'What computes voices (cpu, cuda, tensorrt, webgpu, coreml, dml, qnn), comma separated; the first that works here is used. With any but cpu voices are delivered by the sentence; best one worker of one slot for each graphics processor',
    default: 'cpu',
    schema: providers,
  },
  engineThreads: {
    name: 'RHAPSODE_ENGINE_THREADS',
    description:
      'Threads of an engine process. With more than one a voice need not repeat itself to the bit and is delivered by the sentence; more slots are faster in all',
    default: '1',
    schema: integer(1, 256),
  },
  engineEnv: {
    name: 'RHAPSODE_ENGINE_ENV',
    description:
      'Variables that engine processes get, which get no others, as name=value, comma separated: LD_LIBRARY_PATH or CUDA_VISIBLE_DEVICES of a graphics processor',
    default: '',
    schema: engineEnv,
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

export const readConfig = (warn?: Warn): WorkerConfig => readSettings(workerSettings, process.env, warn);
