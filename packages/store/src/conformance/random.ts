import fc from 'fast-check';
import { describe, test } from 'vitest';
import { createClock, expectNothingCounted, type StoreFactory, ttlMs, voicesTtlMs } from './fixtures.ts';
import { createModel } from './model.ts';
import { type HandedOut, operations, perform, world } from './operations.ts';

export function randomConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: any sequence of calls`, () => {
    test('answers as a model that recounts everything, and leaves every count at zero', async () => {
      await fc.assert(
        fc.asyncProperty(operations, async (sequence) => {
          const clock = createClock();
          const store = await factory({ now: clock.now, ttlMs, voicesTtlMs });
          const model = createModel(clock);
          const handedOut: HandedOut = [];
          try {
            for (const op of sequence) {
              const before = structuredClone(handedOut);
              model.check(op, await perform(op, store, clock, handedOut), before);
            }
            for (const { id } of world) await store.cancel(id);
            await expectNothingCounted(store);
          } finally {
            await store.close();
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}
