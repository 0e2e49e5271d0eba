import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { bookWorkSettings } from '@rhapsode/collector/config';
import { limitSettings, protocolSettings } from '@rhapsode/gateway/config';
import {
  commonSettings,
  integer,
  port,
  readSettings,
  type Settings,
  url,
  type Warn,
} from '@rhapsode/service';
import { defaultHub } from '@rhapsode/voices/manage';
import { z } from 'zod';

const models = fileURLToPath(new URL('../../../models', import.meta.url));

const {
  dataDir,
  s3Url,
  host,
  corsOrigins,
  defaultVoice,
  espeakProgram,
  aliases,
  testVoices,
  drainSeconds,
  logLevel,
  redisUrl,
  natsUrl,
  webhookSecret,
  webhookPrivate,
} = commonSettings;

export const cliSettings = {
  modelsDir: {
    name: 'RHAPSODE_MODELS_DIR',
    description: 'Folder of voices',
    default: models,
    schema: z.string(),
  },
  voicesHub: {
    name: 'RHAPSODE_VOICES_HUB',
    description: 'Where `rhapsode voices add NAME` looks names up: a mirror laid out as the public hub',
    default: defaultHub,
    schema: url('https', 'http'),
  },
  slots: {
    name: 'RHAPSODE_SLOTS',
    description: 'Engine processes: sentences that are spoken at once',
    default: String(availableParallelism()),
    schema: integer(1, 256),
  },
  defaultVoice,
  espeakProgram,
  aliases,
  testVoices,
  host: { ...host, default: '127.0.0.1' },
  corsOrigins,
  port: { name: 'RHAPSODE_PORT', description: 'Port of the embedded server', default: '8080', schema: port },
  dataDir,
  s3Url,
  ...bookWorkSettings,
  webhookSecret,
  webhookPrivate,
  ...limitSettings,
  ...protocolSettings,
  drainSeconds,
  logLevel,
  redisUrl,
  natsUrl,
} as const;

export type CliConfig = Settings<typeof cliSettings>;

export const readConfig = (warn?: Warn): CliConfig => readSettings(cliSettings, process.env, warn);
