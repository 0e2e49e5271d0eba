import { tenantId } from '@rhapsode/contracts';
import {
  commonSettings,
  integer,
  listOf,
  port,
  portOrOff,
  readSettings,
  type Settings,
  url,
  type Warn,
} from '@rhapsode/service';
import { z } from 'zod';

const { host, corsOrigins, redisUrl, natsUrl, logShards, logStorage, logMaxMb } = commonSettings;
const { pools, defaultVoice, aliases, dataDir, s3Url, drainSeconds, logLevel } = commonSettings;
const { webhookSecret, webhookPrivate } = commonSettings;

/** What the gateway accepts, and how it answers; the embedded server has the same. */
export const limitSettings = {
  speechPcmHz: {
    name: 'RHAPSODE_SPEECH_PCM_HZ',
    description:
      'Rate of pcm, which does not tell it, from /v1/audio/speech when none is asked for: OpenAI’s; 0 is the voice’s own',
    default: '24000',
    schema: integer(0, 48_000).refine((rate) => rate === 0 || rate >= 8_000, 'must be 0, or from 8000'),
  },
  maxSpeechCharacters: {
    name: 'RHAPSODE_MAX_SPEECH_CHARACTERS',
    description: 'Longest text somebody may listen to in one request',
    default: '200000',
    schema: integer(1, 100_000_000),
  },
  maxBulkCharacters: {
    name: 'RHAPSODE_MAX_BULK_CHARACTERS',
    description: 'Longest text of class bulk',
    default: '10000000',
    schema: integer(1, 100_000_000),
  },
  maxOpenUtterances: {
    name: 'RHAPSODE_MAX_OPEN_UTTERANCES',
    description: 'Utterances of a tenant that are neither finished nor cancelled; more are answered with 429',
    default: '10000',
    schema: integer(1, 10_000_000),
  },
  maxBookCharacters: {
    name: 'RHAPSODE_MAX_BOOK_CHARACTERS',
    description: 'Longest book',
    default: '20000000',
    schema: integer(1, 1_000_000_000),
  },
  maxBookBytes: {
    name: 'RHAPSODE_MAX_BOOK_BYTES',
    description: 'Largest manuscript that may be sent',
    default: '268435456',
    schema: integer(1, 1_000_000_000_000),
  },
  maxOpenBooks: {
    name: 'RHAPSODE_MAX_OPEN_BOOKS',
    description: 'Books of a tenant that have not ended; more are answered with 429',
    default: '1000',
    schema: integer(1, 10_000_000),
  },
  textIdleSeconds: {
    name: 'RHAPSODE_TEXT_IDLE_SECONDS',
    description:
      'An utterance whose text is still arriving is cancelled when nothing arrives for so long, and one of a session when no socket is there for it',
    default: '60',
    schema: integer(1, 86_400),
  },
} as const;

/** Protocols that have a port of their own; the embedded server has the same. */
export const protocolSettings = {
  grpcPort: {
    name: 'RHAPSODE_GRPC_PORT',
    description: 'Port of Luna’s gRPC protocol, or off; if not set 50051, unless another program has it',
    schema: portOrOff,
  },
  grpcTlsCert: {
    name: 'RHAPSODE_GRPC_TLS_CERT',
    description: 'File of the certificate (PEM, with its chain) of the gRPC port; plain text if not set',
    schema: z.string(),
  },
  grpcTlsKey: {
    name: 'RHAPSODE_GRPC_TLS_KEY',
    description: 'File of its private key (PEM)',
    schema: z.string(),
  },
  grpcTlsClientCa: {
    name: 'RHAPSODE_GRPC_TLS_CLIENT_CA',
    description: 'File of the authority (PEM) whose certificates gRPC clients must show: mutual TLS',
    schema: z.string(),
  },
  wyomingPort: {
    name: 'RHAPSODE_WYOMING_PORT',
    description: 'Port of the Wyoming protocol, with which Home Assistant speaks (usually 10200), or off',
    default: 'off',
    schema: portOrOff,
  },
} as const;

export const gatewaySettings = {
  host,
  corsOrigins,
  port: { name: 'RHAPSODE_PORT', description: 'Port of the API', default: '8080', schema: port },
  redisUrl,
  natsUrl,
  logShards,
  logStorage,
  logMaxMb,
  collectorUrls: {
    name: 'RHAPSODE_COLLECTOR_URL',
    description: 'Collectors that the gateway pipes audio from, comma separated',
    default: 'http://127.0.0.1:8081',
    schema: listOf(url('http', 'https')).refine(
      (urls) => urls.length > 0,
      'must name at least one collector',
    ),
  },
  pools,
  defaultVoice,
  aliases,
  tenant: {
    name: 'RHAPSODE_TENANT',
    description: 'The tenant whose requests this gateway takes',
    default: 'default',
    schema: tenantId,
  },
  ...limitSettings,
  ...protocolSettings,
  dataDir,
  s3Url,
  webhookSecret,
  webhookPrivate,
  drainSeconds,
  logLevel,
} as const;

export type GatewayConfig = Settings<typeof gatewaySettings>;

export const readConfig = (warn?: Warn): GatewayConfig => readSettings(gatewaySettings, process.env, warn);
