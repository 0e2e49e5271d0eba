import type { BookControl, BookRecord, BookStore } from '../books/port.ts';
import { connectRedis, type RedisConnectionOptions } from './connection.ts';

export interface RedisBooksOptions extends RedisConnectionOptions {
  readonly prefix?: string;
  /** Instead of the server's clock. */
  readonly now?: () => number;
}

type Reply = readonly string[];

/** The books of many processes. */
export function createRedisBooks(options: RedisBooksOptions): BookStore {
  const { prefix = '{rhapsode}:' } = options;
  const redis = connectRedis(options);
  const run = async <T>(call: string, ...args: (string | number)[]): Promise<T> =>
    (await redis.run('books', [prefix, 0, options.now?.() ?? '', `book-${call}`, ...args])) as T;

  return {
    async create({ tenant, id, createdAtMs, requestDigest, facts }, { maxOpen }) {
      const [result, ...book] = await run<Reply>(
        'create',
        tenant,
        id,
        maxOpen,
        createdAtMs,
        requestDigest,
        facts,
      );
      return result === 'over_limit'
        ? { result }
        : { result: result as 'created' | 'exists', book: decode(book)! };
    },
    async get(tenant, id) {
      return decode(await run('get', tenant, id));
    },
    async list(tenant, { after = '', limit }) {
      return (await run<Reply[]>('list', tenant, after, limit)).map((book) => decode(book)!);
    },
    async ahead(tenant, id) {
      const rank = await run<number>('ahead', tenant, id);
      return rank < 0 ? undefined : rank;
    },
    async control(tenant, id, control) {
      return decode(await run('control', tenant, id, control));
    },
    async revise(tenant, id, expected, { requestDigest = '', facts = '', edits = new Map() }) {
      const flat = [...edits].flat();
      return decode(await run('revise', tenant, id, expected, requestDigest, facts, ...flat));
    },
    async edits(tenant, id) {
      const flat = await run<string[]>('edits', tenant, id);
      const edits = new Map<number, string>();
      for (let at = 0; at < flat.length; at += 2) edits.set(Number(flat[at]), flat[at + 1]!);
      return edits;
    },
    async delete(tenant, id) {
      return (await run<number>('delete', tenant, id)) === 1;
    },
    async claim(owner, leaseMs) {
      const book = decode(await run('claim', owner, leaseMs));
      return book && { lease: { tenant: book.tenant, id: book.id, fence: book.fence }, book };
    },
    async renew({ tenant, id, fence }, leaseMs, progress = '') {
      return decode(await run('renew', tenant, id, fence, leaseMs, progress));
    },
    async release({ tenant, id, fence }, delayMs) {
      await run('release', tenant, id, fence, delayMs);
    },
    async settle({ tenant, id, fence }, edition, outcome) {
      return (await run<number>('settle', tenant, id, fence, edition, outcome)) === 1;
    },
    ping: () => redis.ping(),
    close: () => redis.close(),
  };
}

function decode(reply: Reply): BookRecord | undefined {
  if (reply.length === 0) return undefined;
  const [tenant, id, created, requestDigest, facts, edition, control, fence, leased, progress, outcome] =
    reply;
  return {
    tenant: tenant!,
    id: id!,
    createdAtMs: Number(created),
    requestDigest: requestDigest!,
    facts: facts!,
    edition: Number(edition),
    control: control as BookControl,
    fence: Number(fence),
    leased: leased === '1',
    progress: progress || undefined,
    outcome: outcome || undefined,
  };
}
