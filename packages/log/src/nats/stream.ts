import { setTimeout as sleep } from 'node:timers/promises';
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { audioStream, audioStreamSubjects, liveStreamSubjects, RhapsodeError } from '@rhapsode/contracts';
import { isStreamMissing, isUnanswered } from './errors.ts';
import type { Session } from './link.ts';

export interface StreamOptions {
  readonly storage: 'memory' | 'file';
  readonly replicas: number;
  /** Of each shard; undefined leaves the limit to the server. */
  readonly maxBytes: number | undefined;
  readonly maxAgeMs: number;
  readonly duplicateWindowMs: number;
}

/** The settings that everything depends on. None of them may differ. */
export const streamConfig = (shard: number, options: StreamOptions) =>
  ({
    name: audioStream(shard),
    subjects: [audioStreamSubjects(shard)],
    retention: RetentionPolicy.Limits,
    storage: options.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: options.replicas,
    // A full stream refuses what comes; it never forgets what nobody has heard yet.
    discard: DiscardPolicy.New,
    max_bytes: options.maxBytes ?? -1,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    max_age: nanos(options.maxAgeMs),
    duplicate_window: nanos(Math.min(options.duplicateWindowMs, options.maxAgeMs)),
    // Readers ask the stream itself instead of having consumers.
    allow_direct: true,
    republish: { src: audioStreamSubjects(shard), dest: liveStreamSubjects(shard) },
    no_ack: false,
    sealed: false,
    deny_delete: false,
    deny_purge: false,
  }) satisfies Partial<StreamConfig>;

export type WantedStream = ReturnType<typeof streamConfig>;

/** The name, or the subjects of it, are another stream's. */
const taken = [10058, 10065];
/** No server has room or time now. */
const transient = [10005, 10008];

/** The stream's state, after making it if it is not there. Rejects with `config_invalid` if it is another's. */
export async function ensureStream(
  { nc, jsm }: Pick<Session, 'nc' | 'jsm'>,
  wanted: WantedStream,
): Promise<StreamInfo> {
  try {
    const info = (await find(jsm, wanted)) ?? (await make(jsm, wanted));
    refuseDifferences(wanted, info.config);
    return info;
  } catch (error) {
    if (isUnanswered(error) && nc.info?.jetstream !== true)
      throw new RhapsodeError('config_invalid', {
        message: 'JetStream is off on the NATS server: start it with -js, or with deploy/nats/nats.conf',
        cause: error,
      });
    throw error;
  }
}

async function find(jsm: JetStreamManager, { name }: WantedStream): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (isStreamMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Of several processes that make it at once, the server tells the slower ones that the name or the subjects are taken, and not
 * all of them when it began: so it is looked at again, whoever made it.
 */
async function make(jsm: JetStreamManager, wanted: WantedStream): Promise<StreamInfo> {
  const refused = await jsm.streams.add(wanted).then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof JetStreamApiError) || transient.includes(error.code)) throw error;
      return error;
    },
  );
  const mayBeThere = refused === undefined || taken.includes(refused.code);
  for (let looks = mayBeThere ? 5 : 0; looks > 0; looks--) {
    const info = await find(jsm, wanted);
    if (info) return info;
    await sleep(20);
  }
  if (refused === undefined) throw new RhapsodeError('log_unavailable');
  throw new RhapsodeError('config_invalid', {
    message: `NATS can't make the stream ${wanted.name}: ${refused.message}`,
    cause: refused,
  });
}

export function refuseDifferences(wanted: WantedStream, found: Partial<StreamConfig>): void {
  const differences = Object.entries(wanted).flatMap(([setting, value]) => {
    const actual = found[setting as keyof StreamConfig] ?? (value === false ? false : undefined);
    return same(value, actual) ? [] : [`${setting} is ${show(setting, actual)}, not ${show(setting, value)}`];
  });
  if (differences.length > 0)
    throw new RhapsodeError('config_invalid', {
      message:
        `The NATS stream ${wanted.name} is not as it must be: ${differences.join('; ')}. Give every service the same ` +
        `settings, or delete the stream (nats stream rm ${wanted.name}): audio in it is made again when it is missed.`,
    });
}

const canonical = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    : value;
const same = (a: unknown, b: unknown): boolean =>
  JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));

const show = (setting: string, value: unknown): string =>
  typeof value === 'number' && ['max_age', 'duplicate_window'].includes(setting)
    ? `${value / 1e9} s`
    : value === undefined
      ? 'not set'
      : JSON.stringify(value);
