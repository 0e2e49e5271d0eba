import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { bands, queueName } from '@rhapsode/contracts';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { type RedisServer, startRedis } from '../../../test/support/redis.ts';
import { gate, next, until } from '../../../test/support/wait.ts';
import { createBullmqQueue } from '../src/bullmq.ts';
import { entry, idOf } from '../src/conformance.ts';
import type { JobHandler, JobQueue, QueueSettings } from '../src/port.ts';
import type { Order, Told } from './fixtures/worker.ts';

const settings: Partial<QueueSettings> = { lockDurationMs: 1_500, stalledIntervalMs: 500 };
const lockAndTwoIntervalsMs = 1_500 + 2 * 500;
/** For a loaded machine. */
const slackMs = 2_500;

let redis: RedisServer;
let client: Redis;
let prefix: string;
let queue: JobQueue;

beforeEach(async () => {
  redis = await startRedis();
  client = new Redis(redis.url);
  client.on('error', () => {});
  prefix = randomUUID();
  queue = createBullmqQueue({ url: redis.url, pool: 'test', prefix, settings });
});
afterEach(async () => {
  await queue.close();
  client.disconnect();
  await redis.stop();
});

const state = async (segment: number) => (await queue.states([idOf(segment)]))[0];
const becomes = (segment: number, wanted: string, timeoutMs = 15_000) =>
  until(async () => (await state(segment)) === wanted, {
    what: `segment ${segment} to be ${wanted}`,
    timeoutMs,
  });

/** A worker in a process of its own. */
function startWorker(url = redis.url) {
  const child: ChildProcess = fork(fileURLToPath(new URL('./fixtures/worker.ts', import.meta.url)), [
    url,
    prefix,
    JSON.stringify(settings),
  ]);
  const told: Told[] = [];
  child.on('message', (message: Told) => told.push(message));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    order: (order: Order) => void child.send(order),
    tells: (what: Told['what']) =>
      until(() => told.find((each) => each.what === what), {
        what: `the worker to tell ${what}`,
        timeoutMs: 15_000,
      }),
  };
}

/** Takes jobs and ends them when the gate opens, or throws when it is told to stop. */
function hold() {
  const door = gate();
  const taken: { segment: number; attempt: number; signal: AbortSignal }[] = [];
  const handler: JobHandler = async ({ job, attempt }, signal) => {
    taken.push({ segment: job.segment, attempt, signal });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    await Promise.race([door.opened, aborted]);
  };
  return { taken, handler, finish: door.open };
}

describe('bullmq: workers that die', () => {
  test('a killed worker is replaced within its lock and two intervals, before all other jobs', async () => {
    const worker = startWorker();
    await queue.add([entry(0), entry(1, bands.retry), entry(2, bands.head)]);
    await worker.tells('taken');
    expect(await state(1)).toBe('active');
    worker.child.kill('SIGKILL');
    await next(worker.child, 'exit');
    const killedMs = performance.now();
    const busy = hold();
    queue.work(busy.handler, { slots: 1 });
    await until(() => busy.taken.length === 1, { what: 'the next job to be taken' });
    // Whoever is free takes what waits; the lost job comes before the rest.
    busy.finish();
    await until(() => busy.taken.some(({ segment }) => segment === 1), { what: 'the lost job' });
    expect(performance.now() - killedMs).toBeLessThan(lockAndTwoIntervalsMs + slackMs);
    await becomes(1, 'completed');
    expect(busy.taken.filter(({ segment }) => segment === 1).map(({ attempt }) => attempt)).toEqual([2]);
  });

  test('a worker whose event loop was blocked is told that it lost its lock, while another one runs the job', async () => {
    const worker = startWorker();
    await queue.add([entry(0)]);
    await worker.tells('taken');
    worker.order({ block: lockAndTwoIntervalsMs + slackMs });
    const other = hold();
    queue.work(other.handler, { slots: 1 });
    await until(() => other.taken.length === 1, { what: 'the other worker' });
    expect(other.taken[0]).toMatchObject({ segment: 0, attempt: 2 });
    expect(await worker.tells('aborted')).toMatchObject({ attempt: 1, reason: 'LockLost' });
    other.finish();
    await becomes(0, 'completed');
    expect(other.taken[0]!.signal.aborted).toBe(false);
  });

  test('a worker that was frozen and thawed is told, too', async () => {
    const worker = startWorker();
    await queue.add([entry(0)]);
    await worker.tells('taken');
    worker.child.kill('SIGSTOP');
    const other = hold();
    queue.work(other.handler, { slots: 1 });
    await until(() => other.taken.length === 1, { what: 'the other worker' });
    worker.child.kill('SIGCONT');
    await worker.tells('aborted');
    other.finish();
    await becomes(0, 'completed');
  });
});

describe('bullmq: a server that goes away', () => {
  test('keeps jobs over a restart; running ones are finished by the worker that has them', async () => {
    const holding = hold();
    const errors: unknown[] = [];
    queue.work(holding.handler, { slots: 1, onError: (error) => errors.push(error) });
    await queue.add([entry(0), entry(1)]);
    await until(() => holding.taken.length === 1, { what: 'a job to be taken' });
    await redis.restart();
    expect(await state(0)).toBe('active');
    holding.finish();
    await becomes(1, 'completed');
    await queue.add([entry(2)]);
    await becomes(2, 'completed');
    expect(holding.taken.map(({ segment, attempt }) => [segment, attempt])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    // One outage, one report, however many tries it took.
    expect(errors.length).toBeLessThanOrEqual(1);
  });

  test('for longer than a lock has its jobs run again, by workers that needed no restart', async () => {
    const first = hold();
    queue.work(first.handler, { slots: 1 });
    await queue.add([entry(0), entry(1)]);
    await until(() => first.taken.length === 1, { what: 'a job to be taken' });
    await redis.written();
    await redis.kill();
    await new Promise((resolve) => setTimeout(resolve, 2 * settings.lockDurationMs!));
    expect(first.taken[0]!.signal.aborted).toBe(false);
    await redis.restart();
    await until(() => first.taken[0]!.signal.aborted, { what: 'the worker to learn that it lost its lock' });
    first.finish();
    await becomes(0, 'completed');
    await becomes(1, 'completed');
    expect(first.taken.filter(({ segment }) => segment === 0).map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test('keeps what has reached its append-only file when it is killed', async () => {
    await queue.add(Array.from({ length: 100 }, (_, n) => entry(n)));
    await redis.written();
    await redis.kill();
    await redis.restart();
    await until(async () => (await queue.counts()).waiting === 100, { what: 'all jobs to be there' });
  });

  test('is not noticed when it only cuts the connections', async () => {
    const holding = hold();
    queue.work(holding.handler, { slots: 1 });
    await queue.add([entry(0), entry(1)]);
    await until(() => holding.taken.length === 1, { what: 'a job to be taken' });
    for (let cut = 0; cut < 5; cut++) {
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await queue.ping();
    }
    holding.finish();
    await becomes(1, 'completed');
    expect(holding.taken.map(({ segment, attempt }) => [segment, attempt])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  test('makes calls fail in about a second, and again work when it is back', async () => {
    await queue.add([entry(0)]);
    await redis.written();
    await redis.kill();
    for (const call of [() => queue.add([entry(1)]), () => queue.states([idOf(0)]), () => queue.ping()]) {
      const calledMs = performance.now();
      await expect(call()).rejects.toMatchObject({ code: 'queue_unavailable', status: 503 });
      expect(performance.now() - calledMs).toBeLessThan(10_000);
    }
    await redis.restart();
    await until(async () => queue.ping().then(() => true), { what: 'the queue to be back' });
    expect(await state(1)).toBe('unknown');
    await queue.add([entry(1)]);
    expect(await queue.counts()).toEqual({ waiting: 2, active: 0 });
  });

  test('makes calls fail in about a second when it holds the connection and says nothing', async () => {
    await queue.add([entry(0)]);
    await redis.kill('SIGSTOP');
    const calledMs = performance.now();
    await expect(queue.add([entry(1)])).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - calledMs).toBeLessThan(10_000);
    await redis.kill('SIGCONT');
    await until(async () => queue.ping().then(() => true), { what: 'the queue to be back' });
    await queue.add([entry(1)]);
    expect(await queue.counts()).toEqual({ waiting: 2, active: 0 });
  });

  test('may come up after those who use it', async () => {
    const port = await freePort();
    const early = createBullmqQueue({ url: `redis://127.0.0.1:${port}`, pool: 'test', settings });
    let done = 0;
    early.work(async () => void done++, { slots: 1 });
    await expect(early.add([entry(0)])).rejects.toMatchObject({ code: 'queue_unavailable' });
    const late = await startRedis({ port });
    onTestFinished(() => late.stop());
    onTestFinished(() => early.close());
    await until(async () => early.add([entry(0)]).then(() => true), { what: 'the add' });
    await until(() => done === 1, { what: 'the job to run' });
  });

  test('that is full refuses jobs, and workers go on when there is room again', async () => {
    const errors: unknown[] = [];
    await client.config('SET', 'maxmemory', '1mb');
    await expect(queue.add([entry(0)])).rejects.toMatchObject({ code: 'queue_full', status: 503 });
    await client.config('SET', 'maxmemory', '0');
    await queue.add([entry(0), entry(1)]);
    await client.config('SET', 'maxmemory', '1mb');
    let done = 0;
    queue.work(async () => void done++, { slots: 1, onError: (error) => errors.push(error) });
    await until(() => errors.length > 0, { what: 'the refusal' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(errors).toEqual([expect.objectContaining({ code: 'queue_full' })]);
    await client.config('SET', 'maxmemory', '0');
    await until(() => done === 2, { what: 'the jobs to run' });
  });

  test('that wants a password tells workers and callers so, once, and they go on when it wants none', async () => {
    await client.config('SET', 'requirepass', 'secret');
    const outside = createBullmqQueue({ url: redis.url, pool: 'test', prefix, settings });
    onTestFinished(() => outside.close());
    const errors: Error[] = [];
    let done = 0;
    outside.work(async () => void done++, { slots: 1, onError: (error) => errors.push(error as Error) });
    await expect(outside.add([entry(0)])).rejects.toMatchObject({
      code: 'queue_unavailable',
      message: expect.stringMatching(/wants a password/),
    });
    await until(() => errors.length > 0, { what: 'the refusal' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/wants a password/)]);
    await client.config('SET', 'requirepass', '');
    await until(() => outside.add([entry(0)]).then(() => true), { what: 'the job to be added' });
    await until(() => done === 1, { what: 'the job to run' });
  });
});

describe('bullmq: closing', () => {
  test.each(['reachable', 'gone', 'never there'])(
    'a process with a worker ends by itself when the server is %s',
    async (server) => {
      const worker = startWorker(
        server === 'never there' ? `redis://127.0.0.1:${await freePort()}` : redis.url,
      );
      if (server !== 'never there') {
        await queue.add([entry(0)]);
        await worker.tells('taken');
      }
      if (server === 'gone') await redis.kill();
      worker.order({ close: 100 });
      expect(await next(worker.child, 'exit', 10_000)).toBe(0);
      if (server === 'gone') await redis.restart();
      if (server === 'reachable') expect(await state(0)).toBe('waiting');
    },
  );

  test('a job that was on its way when its worker was closed goes back', async () => {
    for (let round = 0; round < 40; round++) {
      const holding = hold();
      const consumer = queue.work(holding.handler, { slots: 4 });
      await until(() => consumer.idleMs() < 1_000, { what: 'the consumer' });
      const added = queue.add([entry(round)]);
      // The worker is closed a little later in every round: before, while and after it takes the job.
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      const closedMs = performance.now();
      await consumer.close({ graceMs: 0 });
      expect(performance.now() - closedMs).toBeLessThan(10_000);
      await added;
      expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
      await queue.remove([idOf(round)]);
    }
  });
});

describe('bullmq: cost', () => {
  test('a waiting job is removed as fast from fifty thousand as from a thousand', {
    timeout: 120_000,
  }, async () => {
    const patient = createBullmqQueue({ url: redis.url, pool: 'test', prefix, timeoutMs: 20_000 });
    onTestFinished(() => patient.close());
    const removal = async (waiting: number) => {
      for (let at = 0; at < waiting; at += 5_000)
        await patient.add(Array.from({ length: Math.min(5_000, waiting - at) }, (_, n) => entry(at + n)));
      const middle = Array.from({ length: 500 }, (_, n) => idOf(waiting / 2 + n - 250));
      const startedMs = performance.now();
      expect(await patient.remove(middle)).toBe(500);
      const tookMs = performance.now() - startedMs;
      expect(await patient.counts()).toEqual({ waiting: waiting - 500, active: 0 });
      return tookMs;
    };
    await removal(1_000);
    await client.flushall();
    const fewMs = await removal(1_000);
    await client.flushall();
    expect(await removal(50_000)).toBeLessThan(6 * fewMs);
  });

  test('the oldest wait is found by a few commands, however many jobs wait', async () => {
    await queue.add(Array.from({ length: 5_000 }, (_, n) => entry(n)));
    await client.config('RESETSTAT');
    await queue.oldestWaitSeconds();
    const statistics = await client.info('commandstats');
    const calls = [...statistics.matchAll(/cmdstat_(\w+)\S*?:calls=(\d+)/g)]
      .filter(([, command]) => ['zrange', 'lrange', 'hget'].includes(command!))
      .map(([, , count]) => Number(count));
    expect(calls.reduce((sum, count) => sum + count, 0)).toBeLessThan(10);
    expect(statistics).not.toMatch(/cmdstat_(scan|keys|zscan|hgetall|sort|evalsha)/);
  });
});

describe('bullmq: what else is in Redis', () => {
  test('queues with different prefixes or pools do not see each other', async () => {
    const others = [
      createBullmqQueue({ url: redis.url, pool: 'other', prefix }),
      createBullmqQueue({ url: redis.url, pool: 'test', prefix: randomUUID() }),
    ];
    onTestFinished(async () => void (await Promise.all(others.map((other) => other.close()))));
    await queue.add([entry(0)]);
    for (const other of others) expect(await other.states([idOf(0)])).toEqual(['unknown']);
  });

  test('jobs of a queue whose rate somebody limits come at that rate, and the process goes on meanwhile', async () => {
    const foreign = new Queue(queueName('test'), { connection: client, prefix });
    await foreign.setGlobalRateLimit(1, 700);
    const done: number[] = [];
    let turns = 0;
    const turn = setInterval(() => turns++, 10);
    onTestFinished(async () => {
      clearInterval(turn);
      await foreign.close();
    });
    await queue.add([entry(0), entry(1)]);
    queue.work(async ({ job }) => void done.push(job.segment), { slots: 2 });
    await until(() => done.length === 1, { what: 'the first job' });
    turns = 0;
    await until(() => done.length === 2, { what: 'the second job' });
    // Seventy, on a machine that has nothing else to do; none, if the limit is waited for in one turn.
    expect(turns).toBeGreaterThan(7);
  });

  test('a job of a shape that is not ours fails and stops nobody', async () => {
    const foreign = new Queue(queueName('test'), { connection: client, prefix });
    await foreign.add('sentence', { v: 2 }, { jobId: 'foreign', attempts: 3 });
    let done = 0;
    queue.work(async () => void done++, { slots: 1 });
    await queue.add([entry(0)]);
    await until(() => done === 1, { what: 'our job' });
    expect(await queue.states(['foreign'])).toEqual(['failed']);
  });
});
