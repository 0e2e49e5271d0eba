import { fileURLToPath } from 'node:url';
import { poolName } from '@rhapsode/contracts';
import { logLevels } from '@rhapsode/telemetry';
import { z } from 'zod';
import { flag, integer, listOf, mapping, origin, url } from './settings.ts';

const defaultDataDir = fileURLToPath(new URL('../../../out/data', import.meta.url));

/** Settings that mean the same in every service that reads them. */
export const commonSettings = {
  host: {
    name: 'RHAPSODE_HOST',
    description: 'Address to listen on; 127.0.0.1 keeps other machines out',
    default: '0.0.0.0',
    schema: z.string(),
  },
  corsOrigins: {
    name: 'RHAPSODE_CORS_ORIGINS',
    description:
      'Origins of web pages that may call from a browser, comma separated; * is any; none if not set',
    default: '',
    schema: listOf(origin),
  },
  redisUrl: {
    name: 'RHAPSODE_REDIS_URL',
    description: 'Redis of the queue and the request store',
    default: 'redis://127.0.0.1:6379',
    schema: url('redis', 'rediss'),
  },
  natsUrl: {
    name: 'RHAPSODE_NATS_URL',
    description: 'NATS servers of the audio log, comma separated',
    default: 'nats://127.0.0.1:4222',
    schema: listOf(url('nats', 'tls')),
  },
  logShards: {
    name: 'RHAPSODE_LOG_SHARDS',
    description: 'Streams that utterances are spread over; the same for every service',
    default: '1',
    schema: integer(1, 256),
  },
  logStorage: {
    name: 'RHAPSODE_LOG_STORAGE',
    description: 'memory or file: whether audio outlives a restart of NATS (what does not is made again)',
    default: 'memory',
    schema: z.enum(['memory', 'file'], 'must be memory or file'),
  },
  logMaxMb: {
    name: 'RHAPSODE_LOG_MAX_MB',
    description: 'Most that each shard of the audio log may hold; the server’s own limit if not set',
    schema: integer(1, 100_000_000),
  },
  pools: {
    name: 'RHAPSODE_POOLS',
    description: 'Pools of workers, comma separated; a voice is looked for in this order',
    default: 'default',
    schema: listOf(poolName).refine((pools) => pools.length > 0, 'must name at least one pool'),
  },
  defaultVoice: {
    name: 'RHAPSODE_DEFAULT_VOICE',
    description: 'The voice that is called default',
    default: 'calliope',
    schema: z.string(),
  },
  aliases: {
    name: 'RHAPSODE_VOICE_ALIASES',
    description: 'Other names of voices, as name=voice, comma separated',
    default: '',
    schema: mapping,
  },
  webhookSecret: {
    name: 'RHAPSODE_WEBHOOK_SECRET',
    description: 'Signs webhooks, as whsec_ and base64 or any text; webhooks are off if not set',
    schema: z.string().min(16, 'must have at least 16 characters'),
  },
  webhookPrivate: {
    name: 'RHAPSODE_WEBHOOK_PRIVATE',
    description: 'Whether webhooks may go to private addresses, and over plain HTTP',
    default: 'false',
    schema: flag,
  },
  testVoices: {
    name: 'RHAPSODE_TEST_VOICES',
    description: 'Whether the test voices (tone, tone-random) can be used',
    default: 'false',
    schema: flag,
  },
  espeakProgram: {
    name: 'RHAPSODE_ESPEAK',
    description:
      'Path of the machine’s own espeak-ng, used instead of the one that comes with us; the same on every worker',
    schema: z.string(),
  },
  dataDir: {
    name: 'RHAPSODE_DATA_DIR',
    description:
      'Folder where books, and every sentence that was spoken for one, are kept; the same for gateway and collectors',
    default: defaultDataDir,
    schema: z.string(),
  },
  s3Url: {
    name: 'RHAPSODE_S3_URL',
    description:
      'S3 bucket that they are kept in instead: `https://key:secret@host/bucket/prefix?region=…`; without key and secret AWS’s own ways to find them',
    schema: url('http', 'https'),
  },
  drainSeconds: {
    name: 'RHAPSODE_DRAIN_SECONDS',
    description: 'After SIGTERM, how long what is under way may take to end',
    default: '30',
    schema: integer(0, 86_400),
  },
  logLevel: {
    name: 'RHAPSODE_LOG_LEVEL',
    description: `One of ${logLevels.join(', ')}`,
    default: 'info',
    schema: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`),
  },
} as const;
