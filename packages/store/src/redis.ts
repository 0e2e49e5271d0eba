import { RhapsodeError } from '@rhapsode/contracts';
import { type AppendRefusal, appendError, checkGeneration } from './item.ts';
import { type RequestStore, storeDefaults } from './port.ts';
import * as codec from './redis/codec.ts';
import { connectRedis, type RedisConnectionOptions, type Script } from './redis/connection.ts';

export interface RedisStoreOptions extends RedisConnectionOptions {
  /** Of every key. The hash tag keeps all of them in one slot of a cluster. */
  readonly prefix?: string;
  readonly ttlMs?: number;
  readonly voicesTtlMs?: number;
  /** Instead of the server's clock, which makes processes agree whatever theirs say. */
  readonly now?: () => number;
}

/** Segments in one script: few enough that others hardly wait for it. */
const pieceLength = 500;

/** The request store of many processes. */
export function createRedisStore(options: RedisStoreOptions): RequestStore {
  const {
    prefix = '{rhapsode}:',
    ttlMs = storeDefaults.ttlMs,
    voicesTtlMs = storeDefaults.voicesTtlMs,
  } = options;
  const redis = connectRedis(options);

  async function run<T>(script: Script, call: string, ...args: (string | number)[]): Promise<T> {
    const now = options.now?.() ?? '';
    return (await redis.run(script, [prefix, ttlMs, now, call, ...args])) as T;
  }

  return {
    async create(utterance, { maxOpen }) {
      const { id, tenant, class: kind, pool, weight, window, idleMs = 0, transient } = utterance;
      const record = codec.encodeUtterance(utterance);
      const life = [idleMs, transient ? 1 : 0];
      return run('intake', 'create', id, maxOpen, record, tenant, kind, pool, weight, window, ...life);
    },

    async get(id) {
      return codec.decodeState(await run('look', 'get', id));
    },

    async append(id, segments, { at, seal }) {
      const items = segments.map(codec.encodeItem);
      let done = 0;
      do {
        const piece = items.slice(done, done + pieceLength);
        const end = seal && done + piece.length === items.length ? 1 : 0;
        const refusal = await run<AppendRefusal | ''>('intake', 'append', id, at + done, end, ...piece);
        if (refusal) throw appendError(refusal, id, at + done);
        done += piece.length;
      } while (done < items.length);
    },

    async addText(id, { at = '', text, flush, end }, { maxLength }) {
      const marks = [flush ? 1 : 0, end ? 1 : 0];
      const reply = await run<codec.TextReply | 'utterance_not_found' | 'cancelled'>(
        'intake',
        'text',
        id,
        at,
        text.length,
        maxLength,
        ...marks,
        JSON.stringify(text),
      );
      if (typeof reply === 'string') throw new RhapsodeError(reply);
      return codec.decodeTextOutcome(reply);
    },
    async texts(id, from, count) {
      return (await run<string[]>('look', 'texts', id, from, count)).map(codec.decodePiece);
    },
    async hold(id, as) {
      await run('work', 'hold', id, as);
    },
    async attend(id, forMs) {
      await run('work', 'attend', id, forMs);
    },
    abandoned: (pool, { retryMs, limit }) => run('work', 'abandoned', pool, retryMs, limit),

    async segments(id, from, count) {
      return (await run<string[]>('look', 'segments', id, from, count)).map(codec.decodeItem);
    },

    async release(pool, { room: { head, listener, bulk }, limit }) {
      return codec.decodeReleased(await run('work', 'release', pool, limit, head, listener, bulk));
    },

    async consumed(id, segment) {
      await run('work', 'consumed', id, segment);
    },

    async finished(id, segment, generation, outcome) {
      await run('work', 'finished', id, segment, generation, codec.encodeOutcome(outcome));
    },

    async progress(id, from, count) {
      return (await run<string[]>('look', 'progress', id, from, count)).map(codec.decodeProgress);
    },

    async overdue(pool, { olderThanMs, limit }) {
      return codec.decodeReleased(await run('work', 'overdue', pool, olderThanMs, limit));
    },

    async regenerate(id, segment, expected) {
      checkGeneration(segment, expected);
      return codec.decodeReleased(await run('work', 'regenerate', id, segment, expected))[0];
    },

    async cancel(id) {
      return codec.decodeCancelled(await run('work', 'cancel', id));
    },

    async isCancelled(id) {
      return (await run('look', 'is-cancelled', id)) === 1;
    },

    putLexicon: (tenant, name, text, { most }) => run('lexicons', 'put', tenant, name, text, most),
    async lexicon(tenant, name) {
      return (await run<string | null>('lexicons', 'get', tenant, name)) ?? undefined;
    },
    async lexicons(tenant) {
      return (await run<string[]>('lexicons', 'names', tenant)).sort();
    },
    async deleteLexicon(tenant, name) {
      return (await run<number>('lexicons', 'delete', tenant, name)) === 1;
    },

    async announce(worker, lastsMs) {
      const voices = worker.voices.flatMap((voice) => [voice.id, JSON.stringify(voice)]);
      const record = JSON.stringify(worker);
      const { pool, id, slots } = worker;
      await run('roster', 'announce', pool, id, record, slots, lastsMs, voicesTtlMs, ...voices);
    },
    async withdraw(workerId, pool) {
      await run('roster', 'withdraw', pool, workerId);
    },
    async workers(pool) {
      return codec.decodeWorkers(await run('roster', 'workers', pool));
    },
    slots: (pool) => run<number>('roster', 'slots', pool),
    async voices(pool) {
      return codec.decodeVoices(await run('roster', 'voices', pool));
    },

    async backlog(pool) {
      const [interactive, bulk] = await run<[string, string]>('look', 'backlog', pool);
      return { interactive: Number(interactive) / 1000, bulk: Number(bulk) / 1000 };
    },

    ping: () => redis.ping(),
    close: () => redis.close(),
  };
}
