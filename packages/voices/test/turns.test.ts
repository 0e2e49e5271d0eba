import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTurns, type Turn } from '../src/turns.ts';
import { nextEnd, windowPaces } from '../src/window-plan.ts';

const never = new AbortController().signal;

async function orderOf(turns: readonly Omit<Turn, 'signal'>[]): Promise<number[]> {
  const queue = createTurns();
  const order: number[] = [];
  await Promise.all(
    turns.map((turn, i) => queue.take({ ...turn, signal: never }, async () => void order.push(i))),
  );
  return order;
}

it('takes listeners without audio first, then by deadline, then bulk in order of arrival', async () => {
  expect(
    await orderOf([
      { bulk: true, deadlineMs: 1 },
      { bulk: false, deadlineMs: 300 },
      { bulk: false, deadlineMs: undefined },
      { bulk: false, deadlineMs: 100 },
      { bulk: true, deadlineMs: undefined },
      { bulk: false, deadlineMs: undefined },
    ]),
  ).toEqual([2, 5, 3, 1, 0, 4]);
});

it('runs one at a time, goes on after a failure, and fails who was aborted while waiting', async () => {
  const queue = createTurns();
  let running = 0;
  const work = async () => {
    expect(++running).toBe(1);
    await new Promise(setImmediate);
    running--;
  };
  const turn = { bulk: false, deadlineMs: undefined, signal: never };
  const results = await Promise.allSettled([
    queue.take(turn, work),
    queue.take(turn, () => Promise.reject(new Error('failed'))),
    queue.take({ ...turn, signal: AbortSignal.abort(new Error('left')) }, work),
    queue.take(turn, work),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
});

it('plans windows that tile every sentence, small first and bounded', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.constantFrom('interactive', 'bulk'),
      (frames, kind) => {
        const pace = windowPaces[kind];
        const sizes: number[] = [];
        let at = 0;
        while (at < frames) {
          const end = nextEnd(pace, frames, at, sizes.at(-1));
          sizes.push(end - at);
          at = end;
        }
        expect(at).toBe(frames);
        for (const size of sizes) {
          expect(size).toBeGreaterThan(0);
          expect(size).toBeLessThanOrEqual(pace.most + 12);
        }
        if (kind === 'interactive' && frames > 64) expect(sizes[0]).toBe(24);
      },
    ),
  );
});

it('grows windows no further than can be made before the listener runs dry, and never below the first', () => {
  const after = (previous: number, possible: number) =>
    nextEnd({ ...windowPaces.interactive, possible: () => possible }, 10_000, 100, previous) - 100;
  expect(after(24, 1_000)).toBe(48);
  expect(after(24, 31.9)).toBe(31);
  expect(after(24, 3)).toBe(24);
  expect(after(100, -50)).toBe(24);
  expect(after(200, 1_000)).toBe(256);
});
