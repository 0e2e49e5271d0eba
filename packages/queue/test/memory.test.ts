import { describe, expect, test } from 'vitest';
import { until } from '../../../test/support/wait.ts';
import { entry, idOf, queueConformance } from '../src/conformance.ts';
import { createMemoryQueue } from '../src/memory.ts';

queueConformance('memory', async (settings) => {
  const queue = createMemoryQueue(settings);
  return {
    queue,
    async loseLock(id) {
      await until(() => queue.faults.stall(id, { noticed: true }), { what: `job ${id} to run` });
    },
    close: () => queue.close(),
  };
});

describe('memory: faults', () => {
  test('a silent stall starts a second run while the first goes on, knowing nothing', async () => {
    const queue = createMemoryQueue();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const signals: AbortSignal[] = [];
    queue.work(
      async ({ attempt }, signal) => {
        signals.push(signal);
        await gates[attempt - 1]!.promise;
      },
      { slots: 2 },
    );
    await queue.add([entry(0)]);
    await until(() => queue.faults.stall(idOf(0)), { what: 'a run to stall' });
    await until(() => signals.length === 2, { what: 'the second run' });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    gates[0]!.reject(new Error('of no importance'));
    gates[1]!.resolve();
    await until(async () => (await queue.states([idOf(0)]))[0] === 'completed', { what: 'completion' });
    await queue.close();
  });

  test('a duplicate runs two attempts from the start', async () => {
    const queue = createMemoryQueue();
    queue.faults.duplicateNext();
    const attempts: number[] = [];
    queue.work(async ({ attempt }) => void attempts.push(attempt), { slots: 2 });
    await queue.add([entry(0), entry(1)]);
    await until(() => attempts.length === 3, { what: 'three runs' });
    expect(attempts.toSorted()).toEqual([1, 1, 2]);
    await queue.close();
  });

  test('a lost completion runs the job again', async () => {
    const queue = createMemoryQueue();
    queue.faults.loseNextCompletion();
    const attempts: number[] = [];
    queue.work(async ({ attempt }) => void attempts.push(attempt), { slots: 1 });
    await queue.add([entry(0)]);
    await until(() => attempts.length === 2, { what: 'two runs' });
    expect(attempts).toEqual([1, 2]);
    await queue.close();
  });

  test('an add may fail although it stored its jobs; to repeat it is safe', async () => {
    const queue = createMemoryQueue();
    queue.faults.failNextAdd();
    await expect(queue.add([entry(0)])).rejects.toMatchObject({ code: 'queue_unavailable' });
    await queue.add([entry(0)]);
    expect(await queue.counts()).toEqual({ waiting: 1, active: 0 });
    await queue.close();
  });

  test('an unavailable queue rejects calls and serves nothing until it is back', async () => {
    const queue = createMemoryQueue();
    await queue.add([entry(0)]);
    queue.faults.setAvailable(false);
    let runs = 0;
    queue.work(async () => void runs++, { slots: 1 });
    await expect(queue.counts()).rejects.toMatchObject({ code: 'queue_unavailable' });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(runs).toBe(0);
    queue.faults.setAvailable(true);
    await until(() => runs === 1, { what: 'the run' });
    await queue.close();
  });
});
