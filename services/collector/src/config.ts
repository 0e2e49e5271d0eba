import { commonSettings, integer, port, readSettings, type Settings, type Warn } from '@rhapsode/service';

const { host, corsOrigins, redisUrl, natsUrl, logShards, logStorage, logMaxMb, pools } = commonSettings;
const { dataDir, s3Url, webhookSecret, webhookPrivate, drainSeconds, logLevel } = commonSettings;

/** How books are made; the embedded server has the same. */
export const bookWorkSettings = {
  booksAtOnce: {
    name: 'RHAPSODE_BOOKS_AT_ONCE',
    description: 'Books that one collector makes at once; 0: none',
    default: '4',
    schema: integer(0, 1_000),
  },
  keepSentenceDays: {
    name: 'RHAPSODE_KEEP_SENTENCE_DAYS',
    description:
      'Spoken sentences of books are forgotten after so many days; a new edition then has them spoken again',
    default: '90',
    schema: integer(1, 100_000),
  },
  keepSentencesMb: {
    name: 'RHAPSODE_KEEP_SENTENCES_MB',
    description:
      'Most that the spoken sentences of a tenant may take, the oldest are forgotten first; no limit if not set',
    schema: integer(1, 1_000_000_000),
  },
} as const;

export const collectorSettings = {
  host,
  corsOrigins,
  port: { name: 'RHAPSODE_PORT', description: 'Port of the audio', default: '8081', schema: port },
  redisUrl,
  natsUrl,
  logShards,
  logStorage,
  logMaxMb,
  pools,
  dataDir,
  s3Url,
  ...bookWorkSettings,
  webhookSecret,
  webhookPrivate,
  drainSeconds,
  logLevel,
} as const;

export type CollectorConfig = Settings<typeof collectorSettings>;

export const readConfig = (warn?: Warn): CollectorConfig =>
  readSettings(collectorSettings, process.env, warn);
