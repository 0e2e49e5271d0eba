import { commonSettings, port, readSettings, type Settings } from '@rhapsode/service';

const {
  host,
  corsOrigins,
  redisUrl,
  natsUrl,
  logShards,
  logStorage,
  logMaxMb,
  pools,
  drainSeconds,
  logLevel,
} = commonSettings;

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
  drainSeconds,
  logLevel,
} as const;

export type CollectorConfig = Settings<typeof collectorSettings>;

export const readConfig = (): CollectorConfig => readSettings(collectorSettings, process.env);
