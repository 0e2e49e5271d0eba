import { rm } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { type RedisServer, startRedis } from '../../../test/support/redis.ts';
import { until } from '../../../test/support/wait.ts';
import {
  expectNothingCounted,
  full,
  ok,
  places,
  plenty,
  pool,
  segmentsOf,
  submitted,
  utteranceOf,
  voiceOf,
  workOff,
} from '../src/conformance/fixtures.ts';
import { storeConformance } from '../src/conformance.ts';
import type { RequestStore } from '../src/port.ts';
import { storeDefaults } from '../src/port.ts';
import { createRedisStore, type RedisStoreOptions } from '../src/redis.ts';

const unavailable = expect.objectContaining({ code: 'store_unavailable' });
const all = { room: plenty, limit: 100 };

describe('on one server', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  let prefixes = 0;
  storeConformance('redis', (options) =>
    createRedisStore({ ...options, url: server.url, prefix: `{test${prefixes++}}:` }),
  );
});

test('two processes write one text: each place is written by one of them, and both read the same', async () => {
  const server = await startRedis();
  const stores = [createRedisStore({ url: server.url }), createRedisStore({ url: server.url })];
  try {
    const { id } = utteranceOf();
    await stores[0]!.create(utteranceOf({ id, idleMs: 60_000 }), { maxOpen: 1 });
    const write = async (store: RequestStore, letter: string) => {
      let won = 0;
      for (let at = 0; at < 200; ) {
        const piece = { at, text: letter, flush: false, end: false };
        const { result, length } = await store.addText(id, piece, { maxLength: 1000 });
        expect(length).toBeGreaterThan(at);
        if (result === 'stored') won += 1;
        at = length;
      }
      return won;
    };
    const [a, b] = await Promise.all([write(stores[0]!, 'a'), write(stores[1]!, 'b')]);
    const [one, other] = await Promise.all(stores.map((store) => store.texts(id, 0, 1000)));
    expect(one).toEqual(other);
    expect(a! + b!).toBe(one!.length);
    const text = one!.map((piece) => piece.text).join('');
    expect(text.replaceAll('b', '').length).toBe(a);
  } finally {
    await Promise.all(stores.map((store) => store.close()));
    await server.stop();
  }
});

describe('a Redis that goes wrong', () => {
  let server: RedisServer;
  let redis: Redis;
  let stores: RequestStore[];
  const open = (options: Partial<RedisStoreOptions> = {}) => {
    const store = createRedisStore({ url: server.url, ...options });
    stores.push(store);
    return store;
  };
  beforeEach(async () => {
    server = await startRedis();
    redis = new Redis(server.url, { retryStrategy: () => 50 });
    redis.on('error', () => {});
    stores = [];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    redis.disconnect();
    await server.stop();
  });

  test('is killed and comes back with all that it had; calls in between fail within about a second', async () => {
    const store = open();
    const { id } = await submitted(store, 9, { window: 4 });
    await store.release(pool, { room: plenty, limit: 3 });
    await store.finished(id, 0, 0, ok);
    await store.consumed(id, 1);
    const before = await store.get(id);

    await server.written();
    await server.kill('SIGKILL');
    for (const call of [() => store.get(id), () => store.release(pool, all), () => store.ping()]) {
      const startedAt = performance.now();
      await expect(call()).rejects.toEqual(unavailable);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
    }
    await server.restart();
    await until(() => store.ping().then(() => true), { what: 'the store to connect again' });
    expect(await store.get(id)).toEqual(before);
    expect(places(await store.release(pool, all))).toEqual([`${id}-3-0`, `${id}-4-0`]);
    expect(await store.overdue(pool, { olderThanMs: 0, limit: 9 })).toHaveLength(4);
  });

  test('was not there when the store was made', async () => {
    const port = await freePort();
    const store = createRedisStore({ url: `redis://127.0.0.1:${port}` });
    stores.push(store);
    await expect(store.ping()).rejects.toEqual(unavailable);
    const late = await startRedis({ port });
    try {
      await until(() => store.ping().then(() => true), { what: 'the store to connect' });
    } finally {
      await late.stop();
    }
  });

  test('takes a release and is frozen before it answers: the sentences are released once, and overdue finds them', async () => {
    const store = open({ answerTimeoutMs: 500 });
    const { id } = await submitted(store, 3);
    await server.kill('SIGSTOP');
    const lost = store.release(pool, { room: plenty, limit: 2 });
    await expect(lost).rejects.toEqual(unavailable);
    await expect(store.create(utteranceOf(), { maxOpen: 9 }), 'must have no effect later').rejects.toEqual(
      unavailable,
    );
    await server.kill('SIGCONT');
    await until(async () => (await store.get(id))?.released === 2, { what: 'the lost release to happen' });
    expect(places(await store.release(pool, all))).toEqual([`${id}-2-0`]);
    expect(places(await store.overdue(pool, { olderThanMs: 0, limit: 9 })).sort()).toEqual(
      [0, 1, 2].map((i) => `${id}-${i}-0`),
    );
    expect(await redis.zcard('{rhapsode}:open:acme')).toBe(1);
  });

  test('forgets its scripts', async () => {
    const store = open();
    const { id } = await submitted(store, 2);
    await redis.script('FLUSH');
    expect(await store.release(pool, { room: plenty, limit: 1 })).toHaveLength(1);
    await redis.script('FLUSH');
    await Promise.all([store.get(id), store.consumed(id, 1), store.append(id, [], { at: 2, seal: true })]);
  });

  test('is full: nothing new is taken, what is there is worked off, and then there is room again', async () => {
    const store = open();
    const talk = utteranceOf({ window: 3 });
    await store.create(talk, { maxOpen: 1 });
    await store.append(talk.id, segmentsOf(6), { at: 0, seal: false });
    await store.release(pool, { room: plenty, limit: 2 });
    const book = await submitted(store, 20_000, { class: 'bulk' });
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
    // A server gives back some of what it needed for its connections when they are idle, but never so much.
    await redis.config('SET', 'maxmemory', String(used - 500_000));

    const isFull = expect.objectContaining({ code: 'store_full', status: 503, retryAfterSeconds: 5 });
    await expect(store.create(utteranceOf(), { maxOpen: 9 })).rejects.toEqual(isFull);
    await expect(store.append(talk.id, segmentsOf(1, 6), { at: 6, seal: true })).rejects.toEqual(isFull);
    await expect(store.ping()).rejects.toEqual(isFull);
    await store.finished(talk.id, 0, 0, ok);
    await store.consumed(talk.id, 1);
    expect(await store.regenerate(talk.id, 0, 0)).toBeDefined();
    expect(await store.release(pool, { room: full, limit: 9 })).not.toEqual([]);
    expect((await store.get(talk.id))?.consumed).toBe(1);
    await store.announce({ id: 'w', pool, slots: 1, voices: [] }, 1000);
    expect(await store.cancel(book.id)).toMatchObject({ unfinished: 20_000 });
    await until(() => submitted(store, 3).then(() => true), { what: 'room for new utterances' });
    await workOff(store);
  });

  const refusals: [string, (admin: Redis) => Promise<unknown>, (admin: Redis) => Promise<unknown>, RegExp][] =
    [
      [
        'has become a replica',
        (admin) => admin.replicaof('127.0.0.1', 1),
        (admin) => admin.replicaof('NO', 'ONE'),
        /is a replica; RHAPSODE_REDIS_URL must name the primary/,
      ],
      [
        'cannot write to its disk',
        async (admin) => {
          const [, folder] = (await admin.config('GET', 'dir')) as string[];
          await rm(folder!, { recursive: true });
          await admin.config('SET', 'save', '3600 1');
          await admin.bgsave();
          const failed = async () => /rdb_last_bgsave_status:err/.test(await admin.info('persistence'));
          await until(failed, { what: 'the snapshot to fail' });
        },
        (admin) => admin.config('SET', 'save', ''),
        /cannot write to its disk/,
      ],
      [
        'wants a password',
        (admin) => admin.config('SET', 'requirepass', 'secret'),
        (admin) => admin.config('SET', 'requirepass', ''),
        /wants a password; RHAPSODE_REDIS_URL must hold it/,
      ],
    ];
  test.each(refusals)(
    '%s: every call says so, and goes on when that is over',
    async (_, begin, end, what) => {
      const states: (string | undefined)[] = [];
      await begin(redis);
      const store = open({ onState: (problem) => states.push(problem?.message) });
      const says = expect.objectContaining({
        code: 'store_unavailable',
        message: expect.stringMatching(what),
      });
      await expect(store.ping()).rejects.toEqual(says);
      await expect(store.create(utteranceOf(), { maxOpen: 9 })).rejects.toEqual(says);
      expect(states.every((message) => what.test(message ?? ''))).toBe(true);
      await end(redis);
      await until(() => store.ping().then(() => true), { what: 'the store to serve' });
      await submitted(store, 3);
      expect(states.at(-1)).toBeUndefined();
    },
  );

  test('refuses the password that it is given: the message says so and does not hold it', async () => {
    await redis.config('SET', 'requirepass', 'secret');
    const store = open({ url: server.url.replace('//', '//:mistyped@') });
    const refused = await store.ping().catch((error: Error) => error.message);
    expect(refused).toMatch(/refuses the user or the password/);
    expect(refused).not.toContain('mistyped');
    await redis.config('SET', 'requirepass', '');
  });

  test('loads its data for a while: calls say so', async () => {
    const store = open();
    for (let key = 0; key < 400; key++) await redis.set(`key${key}`, 'x'.repeat(50));
    await redis.call('BGREWRITEAOF');
    const rewritten = async () => /aof_rewrite_in_progress:0/.test(await redis.info('persistence'));
    await until(rewritten, { what: 'the file to be rewritten' });
    await server.kill();
    const back = server.restart({
      'key-load-delay': '6000',
      'loading-process-events-interval-bytes': '1024',
    });
    const message = await until(
      () => store.ping().catch((error: Error) => /still reads its data/.test(error.message) && error.message),
      { what: 'a Redis that loads' },
    );
    expect(message).toBe('The request store is not ready: its Redis still reads its data from disk.');
    await back;
    await until(() => store.ping().then(() => true), { what: 'the store to serve' });
  });

  test('is asked to store, release and cancel 50,000 sentences: no other call waits long for that', async () => {
    const store = open();
    await redis.config('SET', 'slowlog-log-slower-than', '300000');
    const book = await submitted(store, 50_000, { class: 'bulk', window: 10_000 });
    expect(await store.release(pool, { room: plenty, limit: 256 })).toHaveLength(256);
    await store.segments(book.id, 40_000, 100);
    await store.cancel(book.id);
    expect(await redis.slowlog('GET')).toEqual([]);
  });

  test('has records that nobody can read', async () => {
    const store = open();
    const { id } = await submitted(store, 2);
    await redis.lset(`{rhapsode}:s:${id}`, 1, '1000 {"text":7}');
    await expect(store.segments(id, 0, 9)).rejects.toMatchObject({ code: 'bad_message' });
    await redis.lset(`{rhapsode}:s:${id}`, 1, '1000 {"text');
    await expect(store.segments(id, 0, 9)).rejects.toMatchObject({ code: 'bad_message' });
    expect(await store.segments(id, 0, 1)).toHaveLength(1);
  });

  test('has lost some keys: what is left goes on', async () => {
    const store = open();
    const gone = await submitted(store, 3, { tenant: 'a', class: 'bulk' });
    const left = await submitted(store, 3, { tenant: 'b', class: 'bulk' });
    await store.release(pool, { room: full, limit: 9 });
    await redis.del(`{rhapsode}:u:${gone.id}`);
    expect(places(await store.release(pool, all))).toEqual([`${left.id}-1-0`, `${left.id}-2-0`]);
    expect(await store.overdue(pool, { olderThanMs: 0, limit: 9 })).toHaveLength(3);
    expect(await store.get(gone.id)).toBeUndefined();
  });

  test('keeps nothing of utterances and workers that were left alone, although nobody calls', async () => {
    // Only Redis's own expiry is tried here: by the store's clock no time passes.
    const store = open({ ttlMs: 500, voicesTtlMs: 1500, now: () => 1_700_000_000_000 });
    const talk = await submitted(store, 9, { window: 4 });
    await submitted(store, 9, { class: 'bulk', tenant: 'other' });
    const cancelled = await submitted(store, 3, { pool: 'gpu' });
    await store.release(pool, { room: plenty, limit: 5 });
    await store.finished(talk.id, 0, 0, ok);
    await store.release('gpu', { room: plenty, limit: 1 });
    await store.cancel(cancelled.id);
    await store.announce({ id: 'w1', pool, slots: 1, voices: [voiceOf('tone')] }, 1500);
    expect(await redis.dbsize()).toBeGreaterThan(10);
    for (const key of await redis.keys('*')) expect([key, await redis.pttl(key)]).not.toEqual([key, -1]);
    await until(async () => (await redis.dbsize()) === 0, { what: 'all keys to expire' });
    await expectNothingCounted(store);
  });

  test('gives every key an expiry, also what is made while something is forgotten', async () => {
    const clock = { ms: 1_700_000_000_000 };
    const store = open({ now: () => clock.ms, ttlMs: 1000 });
    await submitted(store, 1, { class: 'bulk' });
    await store.release(pool, all);
    clock.ms += 500;
    await submitted(store, 1, { class: 'bulk' });
    clock.ms += 500;
    await store.backlog(pool);
    expect(await redis.keys('*')).toContain('{rhapsode}:idle:cpu:bulk');
    for (const key of await redis.keys('*')) expect([key, await redis.pttl(key)]).not.toEqual([key, -1]);
  });

  test('has hundreds of forgotten utterances: a few calls take all of them out of the counts', async () => {
    const clock = { ms: 1_700_000_000_000 };
    const store = open({ now: () => clock.ms });
    for (let i = 0; i < 250; i++) await submitted(store, 3, { class: i % 2 ? 'bulk' : 'interactive' });
    await store.release(pool, { room: plenty, limit: 100 });
    clock.ms += storeDefaults.ttlMs;
    for (let i = 0; i < 3; i++) await store.backlog(pool);
    await expectNothingCounted(store);
    expect(await redis.keys('{rhapsode}:[usfp]:*')).toHaveLength(4);
  });
});
