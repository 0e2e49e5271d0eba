import { setTimeout as sleep } from 'node:timers/promises';
import { type Band, bands, jobId, newUtteranceId, type SentenceJob } from '@rhapsode/contracts';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Delivery,
  type JobConsumer,
  type JobHandler,
  type JobQueue,
  PermanentFailure,
  type QueueEntry,
  type QueueSettings,
} from './port.ts';

export interface QueueHarness {
  readonly queue: JobQueue;
  /** The worker of this running job loses its lock and notices. */
  loseLock(id: string): Promise<void>;
  close(): Promise<void>;
}

const utterance = newUtteranceId();

export const sentence = (segment: number, generation = 0): SentenceJob => ({
  v: 1,
  utterance,
  tenant: 'acme',
  class: 'bulk',
  segment,
  generation,
  voice: 'test-tone',
  voiceDigest: 'd',
  speed: 1,
  seed: 7,
  sampleRateHz: 22_050,
  text: `Sentence ${segment}.`,
  pauseSamples: 100,
  estimatedMs: 1000,
  releasedAtMs: 0,
});

export const entry = (segment: number, band: Band = bands.bulk): QueueEntry => ({
  job: sentence(segment),
  band,
});
export const idOf = (segment: number): string => jobId(utterance, segment, 0);
const segments = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Asks until the answer is true. */
async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(5);
  }
}

/** A handler that the test ends by hand, and that ends by itself when its signal is aborted. */
function stage() {
  const runs: (Delivery & { signal: AbortSignal; succeed(): void; fail(error: unknown): void })[] = [];
  const handler: JobHandler = (delivery, signal) =>
    new Promise((resolve, reject) => {
      runs.push({ ...delivery, signal, succeed: resolve, fail: reject });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  return {
    handler,
    runs,
    started: (count: number) => until(`run ${count} to start`, () => runs.length >= count),
  };
}

/** What every adapter must do. `create` gives an empty queue; short locks are in `settings`. */
export function queueConformance(
  name: string,
  create: (settings: Partial<QueueSettings>) => Promise<QueueHarness>,
): void {
  describe(`${name}: the promises of the job queue`, () => {
    const open: QueueHarness[] = [];
    const consumers: JobConsumer[] = [];

    async function start(settings: Partial<QueueSettings> = {}) {
      const harness = await create({
        lockDurationMs: 600,
        stalledIntervalMs: 200,
        retryDelayMs: 50,
        ...settings,
      });
      open.push(harness);
      const { queue } = harness;
      const work = (handler: JobHandler, slots = 1, onError?: (error: unknown) => void) => {
        const consumer = queue.work(handler, { slots, ...(onError === undefined ? {} : { onError }) });
        consumers.push(consumer);
        return consumer;
      };
      const state = async (segment: number) => (await queue.states([idOf(segment)]))[0];
      const becomes = (segment: number, wanted: string) =>
        until(`segment ${segment} to be ${wanted}`, async () => (await state(segment)) === wanted);
      return { ...harness, work, state, becomes };
    }

    afterEach(async () => {
      await Promise.all(consumers.splice(0).map((consumer) => consumer.close({ graceMs: 0 })));
      await Promise.all(open.splice(0).map((harness) => harness.close()));
    });

    describe('jobs', () => {
      test('run once, with what was added', async () => {
        const { queue, work, becomes } = await start();
        const seen: Delivery[] = [];
        work(async (delivery) => void seen.push(delivery));
        await queue.add([entry(0)]);
        await becomes(0, 'completed');
        const told = { job: sentence(0), id: idOf(0), attempt: 1, lastAttempt: false };
        expect(seen).toEqual([{ ...told, freeSlot: expect.any(Function) }]);
      });

      test('begin when another one gives back its slot, which goes on and ends as if it had not', async () => {
        const { queue, work, becomes } = await start();
        const { handler, runs, started } = stage();
        work(handler);
        await queue.add(segments(4).map((n) => entry(n)));
        await started(1);
        runs[0]!.freeSlot();
        runs[0]!.freeSlot();
        await started(2);
        expect(await queue.counts()).toEqual({ waiting: 2, active: 2 });
        runs[0]!.succeed();
        await becomes(0, 'completed');
        expect(runs.map(({ job }) => job.segment)).toEqual([0, 1]);
        runs[1]!.freeSlot();
        await started(3);
        runs[1]!.fail(new PermanentFailure('its log is full'));
        await becomes(1, 'failed');
        runs[2]!.succeed();
        await started(4);
        runs[3]!.succeed();
        await becomes(3, 'completed');
      });

      test('are no more than twice the slots, however many have given theirs back', async () => {
        const { queue, work, becomes } = await start();
        const { handler, runs, started } = stage();
        work(handler, 2);
        await queue.add(segments(5).map((n) => entry(n)));
        for (let n = 0; n < 4; n++) {
          await started(n + 1);
          runs[n]!.freeSlot();
        }
        expect(await queue.counts()).toEqual({ waiting: 1, active: 4 });
        runs[2]!.succeed();
        await becomes(2, 'completed');
        await started(5);
      });

      test('added twice are there once, whether they wait, run or have ended', async () => {
        const { queue, work, becomes } = await start();
        await queue.add([entry(0), entry(0)]);
        await queue.add([entry(0)]);
        expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
        const { handler, runs, started } = stage();
        work(handler, 2);
        await started(1);
        await queue.add([entry(0)]);
        expect(await queue.counts()).toEqual({ waiting: 0, active: 1 });
        runs[0]!.succeed();
        await becomes(0, 'completed');
        await queue.add([entry(0), entry(1)]);
        await started(2);
        expect(runs.map((run) => run.id)).toEqual([idOf(0), idOf(1)]);
      });

      test('tell their states in the order that was asked', async () => {
        const { queue, work, becomes } = await start({ attempts: 1 });
        const { handler, runs, started } = stage();
        work(handler);
        await queue.add(segments(4).map((n) => entry(n)));
        await started(1);
        runs[0]!.succeed();
        await started(2);
        runs[1]!.fail(new Error('broken'));
        await started(3);
        await becomes(1, 'failed');
        expect(await queue.states([4, 3, 2, 1, 0].map(idOf))).toEqual([
          'unknown',
          'waiting',
          'active',
          'failed',
          'completed',
        ]);
        expect(await queue.counts()).toEqual({ waiting: 1, active: 1 });
      });

      test('are served by band, first in first out within a band', async () => {
        const band = fc.constantFrom(...Object.values(bands));
        await fc.assert(
          fc.asyncProperty(fc.array(band, { minLength: 1, maxLength: 30 }), async (added) => {
            const { queue, work } = await start();
            const entries = added.map((each, n) => entry(n, each));
            await queue.add(entries);
            const order: number[] = [];
            const consumer = work(async ({ job }) => void order.push(job.segment));
            await until('all to run', () => order.length === added.length);
            await consumer.close({ graceMs: 1000 });
            const sorted = entries.toSorted((a, b) => a.band - b.band).map(({ job }) => job.segment);
            expect(order).toEqual(sorted);
          }),
          { numRuns: 10 },
        );
      });

      test('run side by side in as many slots as there are, and not in more', async () => {
        const { queue, work } = await start();
        let now = 0;
        let most = 0;
        let done = 0;
        work(async () => {
          most = Math.max(most, ++now);
          await sleep(20);
          now--;
          done++;
        }, 3);
        await queue.add(segments(12).map((n) => entry(n)));
        await until('all to run', () => done === 12);
        expect(most).toBe(3);
      });

      test('are shared by consumers, each run by one', async () => {
        const { queue, work } = await start();
        const first: string[] = [];
        const second: string[] = [];
        for (const taken of [first, second])
          work(async ({ id }) => {
            taken.push(id);
            await sleep(5);
          });
        await queue.add(segments(40).map((n) => entry(n)));
        await until('all to run', () => first.length + second.length >= 40);
        expect([...first, ...second].sort()).toEqual(segments(40).map(idOf).sort());
        expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
      });
    });

    describe('failures', () => {
      test('are retried before everything else that waits, with a rising attempt, and the last is flagged', async () => {
        const { queue, work, becomes } = await start({ attempts: 3 });
        const order: [number, number, boolean][] = [];
        await queue.add([entry(0), entry(1, bands.head), entry(2), entry(3)]);
        work(async ({ job, attempt, lastAttempt }) => {
          order.push([job.segment, attempt, lastAttempt]);
          if (job.segment === 1 && attempt === 1) throw new Error('once');
          if (job.segment === 2) throw new Error('always');
          // The delay of the third attempt of 2 passes here.
          if (job.segment === 3) await becomes(2, 'failed').catch(() => {});
        }, 2);
        await becomes(3, 'completed');
        expect(order.filter(([n]) => n === 1)).toEqual([
          [1, 1, false],
          [1, 2, false],
        ]);
        expect(order.filter(([n]) => n === 2)).toEqual([
          [2, 1, false],
          [2, 2, false],
          [2, 3, true],
        ]);
      });

      test('are retried next, although a thousand jobs wait', async () => {
        const { queue, work } = await start();
        await queue.add(segments(1000).map((n) => entry(n)));
        const order: number[] = [];
        const consumer = work(async ({ job, attempt }) => {
          order.push(job.segment);
          if (job.segment === 0 && attempt === 1) throw new Error('once');
        });
        await until('a few to run', () => order.length > 3);
        await consumer.close({ graceMs: 1000 });
        expect(order.slice(0, 4)).toEqual([0, 0, 1, 2]);
      });

      test('wait before the third attempt and let others go first', async () => {
        const { queue, work, becomes } = await start({ attempts: 3, retryDelayMs: 300 });
        const atMs: number[] = [];
        const order: number[] = [];
        await queue.add([entry(0), entry(1)]);
        work(async ({ job }) => {
          order.push(job.segment);
          if (job.segment === 1) return;
          atMs.push(performance.now());
          throw new Error('always');
        });
        await until('both failures', () => atMs.length === 2);
        await becomes(1, 'completed');
        expect(await queue.states([idOf(0)])).toEqual(['waiting']);
        expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
        await becomes(0, 'failed');
        expect(order).toEqual([0, 0, 1, 0]);
        expect(atMs[2]! - atMs[1]!).toBeGreaterThan(250);
      });

      test('that are permanent are not retried', async () => {
        const { queue, work, becomes } = await start();
        let runs = 0;
        work(async () => {
          runs++;
          throw new PermanentFailure('the text has no sound');
        });
        await queue.add([entry(0)]);
        await becomes(0, 'failed');
        await queue.add([entry(0), entry(1)]);
        await becomes(1, 'failed');
        expect(runs).toBe(2);
      });
    });

    describe('remove', () => {
      test('takes out what waits, leaves what runs, and tells how many there were', async () => {
        const { queue, work, becomes } = await start();
        const { handler, runs, started } = stage();
        await queue.add(segments(5).map((n) => entry(n)));
        work(handler);
        await started(1);
        expect(await queue.remove([0, 1, 3, 9].map(idOf))).toBe(2);
        expect(await queue.states([0, 1, 3].map(idOf))).toEqual(['active', 'unknown', 'unknown']);
        for (const count of [1, 2, 3]) {
          await started(count);
          runs[count - 1]!.succeed();
        }
        await becomes(4, 'completed');
        expect(runs.map(({ job }) => job.segment)).toEqual([0, 2, 4]);
      });

      test('forgets a job that has ended, which may then be added again', async () => {
        const { queue, work, becomes } = await start();
        let runs = 0;
        work(async () => void runs++);
        await queue.add([entry(0)]);
        await becomes(0, 'completed');
        expect(await queue.remove([idOf(0)])).toBe(1);
        await queue.add([entry(0)]);
        await becomes(0, 'completed');
        expect(runs).toBe(2);
      });
    });

    describe('abort', () => {
      test('stops a running job for good', async () => {
        const { queue, work, becomes } = await start();
        const { handler, runs, started } = stage();
        const consumer = work(handler);
        await queue.add([entry(0)]);
        await started(1);
        expect(consumer.running()).toEqual([idOf(0)]);
        expect(consumer.abort(idOf(0), new Error('cancelled'))).toBe(true);
        expect(runs[0]!.signal.reason).toEqual(new Error('cancelled'));
        await becomes(0, 'failed');
        await queue.add([entry(1)]);
        await started(2);
        expect(runs[1]!.id).toBe(idOf(1));
      });

      test('knows only what runs here', async () => {
        const { queue, work } = await start();
        const { handler, started } = stage();
        work(handler);
        await queue.add([entry(0)]);
        await started(1);
        const other = work(handler);
        expect(other.abort(idOf(0), new Error('cancelled'))).toBe(false);
        expect(other.running()).toEqual([]);
      });
    });

    describe('a consumer that is closed', () => {
      test('waits for what runs within the grace, and takes nothing more', async () => {
        const { queue, work, state } = await start();
        const { handler, runs, started } = stage();
        const consumer = work(handler);
        await queue.add([entry(0), entry(1)]);
        await started(1);
        let isClosed = false;
        const closed = consumer.close({ graceMs: 10_000 }).then(() => {
          isClosed = true;
        });
        await queue.add([entry(2)]);
        expect(runs[0]!.signal.aborted).toBe(false);
        expect(isClosed).toBe(false);
        runs[0]!.succeed();
        await closed;
        expect(await state(0)).toBe('completed');
        expect(await queue.counts()).toEqual({ waiting: 2, active: 0 });
        expect(runs.length).toBe(1);
      });

      test('hands back what still runs when the grace is over, to the head of its band and without using an attempt', async () => {
        const { queue, work, becomes } = await start({ attempts: 2 });
        const first = stage();
        const consumer = work(first.handler);
        await queue.add([entry(0), entry(1)]);
        await first.started(1);
        await consumer.close({ graceMs: 30 });
        expect(first.runs[0]!.signal.reason).toMatchObject({ code: 'draining' });
        expect(await queue.states([idOf(0)])).toEqual(['waiting']);
        await queue.add([entry(2, bands.listener)]);
        const second = stage();
        work(second.handler);
        for (const count of [1, 2, 3]) {
          await second.started(count);
          second.runs[count - 1]!.succeed();
        }
        await becomes(1, 'completed');
        expect(
          second.runs.map(({ job, attempt, lastAttempt }) => [job.segment, attempt, lastAttempt]),
        ).toEqual([
          [2, 1, false],
          [0, 2, false],
          [1, 1, false],
        ]);
      });

      test('does not wait for a handler that does not hear its signal', async () => {
        const { queue, work, becomes } = await start();
        const never = Promise.withResolvers<void>();
        let runs = 0;
        const consumer = work(() => {
          runs++;
          return never.promise;
        });
        await queue.add([entry(0)]);
        await until('the run', () => runs === 1);
        await consumer.close({ graceMs: 0 });
        await becomes(0, 'waiting');
        work(async ({ attempt }) => expect(attempt).toBe(2));
        await becomes(0, 'completed');
        never.reject(new Error('too late'));
      });

      test('says the same when it is closed twice', async () => {
        const { work } = await start();
        const consumer = work(async () => {});
        await Promise.all([consumer.close({ graceMs: 0 }), consumer.close({ graceMs: 0 })]);
      });
    });

    describe('a lost lock', () => {
      test('has the job served again before all others with a higher attempt, and stops the older run', async () => {
        const { queue, work, loseLock, becomes } = await start();
        const one = stage();
        const two = stage();
        const errors: unknown[] = [];
        work(one.handler, 1, (error) => errors.push(error));
        await queue.add([entry(0), entry(1, bands.retry), entry(2, bands.retry)]);
        await one.started(1);
        await loseLock(one.runs[0]!.id);
        await until('the older run to be told', () => one.runs[0]!.signal.aborted);
        expect(one.runs[0]!.signal.reason).toMatchObject({ name: 'LockLost' });
        // Which of the two gets it does not matter.
        work(two.handler);
        const again = () =>
          [...one.runs, ...two.runs].find(({ id, attempt }) => id === idOf(1) && attempt === 2);
        await until('the newer run', () => {
          for (const run of [...one.runs, ...two.runs]) if (run.id !== idOf(1)) run.succeed();
          return again() !== undefined;
        });
        expect(again()!.lastAttempt).toBe(false);
        again()!.succeed();
        await becomes(1, 'completed');
      });

      test('makes the end of the older run meaningless, even in the process that got the job again', async () => {
        const { queue, work, loseLock, becomes, state } = await start();
        const older = Promise.withResolvers<void>();
        const newer = Promise.withResolvers<void>();
        const attempts: number[] = [];
        const consumer = work(async ({ attempt }) => {
          attempts.push(attempt);
          await (attempt === 1 ? older.promise : newer.promise);
        }, 2);
        await queue.add([entry(0)]);
        await until('the first run', () => attempts.length === 1);
        await loseLock(idOf(0));
        await until('the second run', () => attempts.length === 2);
        older.resolve();
        await until('the first run to end', () => consumer.running().length === 1);
        expect(await state(0)).toBe('active');
        // Longer than a lock lasts: the newer run still has its own.
        await sleep(1500);
        expect(attempts).toEqual([1, 2]);
        newer.resolve();
        await becomes(0, 'completed');
      });

      test('too often has the job fail without running', async () => {
        const { queue, work, loseLock, becomes } = await start({ maxStalledCount: 1 });
        const { handler, runs, started } = stage();
        const errors: unknown[] = [];
        work(handler, 1, (error) => errors.push(error));
        await queue.add([entry(0)]);
        for (const attempt of [1, 2]) {
          await started(attempt);
          await loseLock(idOf(0));
        }
        await becomes(0, 'failed');
        expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
        // Told by the process that saw it fail, soon after.
        const told = () => errors.some((error) => (error as { code?: string }).code === 'engine_crashed');
        await until('the failure to be told', told);
      });
    });

    describe('figures', () => {
      test('the oldest wait is that of the job which waits longest, whatever its band', async () => {
        const { queue, work, becomes } = await start();
        expect(await queue.oldestWaitSeconds()).toBe(0);
        await queue.add([entry(0, bands.bulk)]);
        await sleep(300);
        await queue.add([entry(1, bands.head)]);
        const bulk = await queue.oldestWaitSeconds();
        expect(bulk).toBeGreaterThan(0.25);
        await queue.remove([idOf(0)]);
        expect(await queue.oldestWaitSeconds()).toBeLessThan(bulk);
        work(async () => {});
        await becomes(1, 'completed');
        expect(await queue.oldestWaitSeconds()).toBe(0);
      });

      test('a consumer is idle for as long as it neither took nor ended a job nor saw the queue empty', async () => {
        const { queue, work } = await start();
        const { handler, runs, started } = stage();
        const consumer = work(handler);
        await queue.add([entry(0), entry(1)]);
        await started(1);
        await until('time to pass', () => consumer.idleMs() > 200);
        runs[0]!.succeed();
        await started(2);
        expect(consumer.idleMs()).toBeLessThan(200);
        runs[1]!.succeed();
        await until('nothing to be there', async () => {
          const { waiting, active } = await queue.counts();
          return waiting + active === 0;
        });
        await sleep(100);
        let before = consumer.idleMs();
        await until('the queue to be seen empty', () => {
          const now = consumer.idleMs();
          const seen = now < before || now === 0;
          before = now;
          return seen;
        });
      });
    });

    describe('a queue', () => {
      test('answers a ping, and nothing after it was closed', async () => {
        const { queue } = await start();
        await queue.ping();
        await queue.close();
        await expect(queue.ping()).rejects.toMatchObject({ code: 'queue_unavailable' });
        await expect(queue.add([entry(0)])).rejects.toMatchObject({ code: 'queue_unavailable' });
      });

      test('closes its consumers with itself', async () => {
        const { queue, work } = await start();
        const { handler, runs, started } = stage();
        work(handler);
        await queue.add([entry(0)]);
        await started(1);
        await queue.close();
        expect(runs[0]!.signal.aborted).toBe(true);
      });

      test('answers nothing asked', async () => {
        const { queue } = await start();
        await queue.add([]);
        expect(await queue.states([])).toEqual([]);
        expect(await queue.remove([])).toBe(0);
      });
    });
  });
}
