import { describe, expect, test } from 'vitest';
import { freshStore, pool, type StoreFactory, voiceOf, voicesTtlMs } from './fixtures.ts';

export function rosterConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: workers and voices`, () => {
    const here = freshStore(factory);
    const worker = (id: string, voices = [voiceOf('tone')]) => ({ id, pool, slots: 2, voices });

    test('lists the workers of a pool by id, each as it announced itself last', async () => {
      const { store } = here;
      await store.announce(worker('w2'), 5000);
      await store.announce(worker('w1'), 5000);
      await store.announce({ ...worker('elsewhere'), pool: 'gpu' }, 5000);
      await store.announce({ ...worker('w2'), slots: 8 }, 5000);
      expect(await store.workers(pool)).toEqual([worker('w1'), { ...worker('w2'), slots: 8 }]);
      expect(await store.slots(pool)).toBe(10);
      expect(await store.workers('nowhere')).toEqual([]);
      expect(await store.slots('nowhere')).toBe(0);
    });

    test('forgets a worker that is silent or withdraws, and remembers its voices longer', async () => {
      const { store, clock } = here;
      await store.announce(worker('w1', [voiceOf('tone'), voiceOf('amy', { licence: 'MIT' })]), 5000);
      await store.announce(worker('w2', [voiceOf('tone', { digest: 'd2' })]), 9000);
      clock.advance(4999);
      expect((await store.workers(pool)).map((w) => w.id)).toEqual(['w1', 'w2']);
      expect(await store.slots(pool)).toBe(4);
      clock.advance(1);
      expect(await store.slots(pool)).toBe(2);
      expect((await store.workers(pool)).map((w) => w.id)).toEqual(['w2']);
      await store.withdraw('w2', pool);
      await store.withdraw('w2', pool);
      expect(await store.workers(pool)).toEqual([]);
      expect(await store.slots(pool)).toBe(0);
      expect(await store.voices(pool)).toEqual([
        voiceOf('amy', { licence: 'MIT' }),
        voiceOf('tone', { digest: 'd2' }),
      ]);
      clock.advance(voicesTtlMs - 5000);
      expect(await store.voices(pool)).toEqual([]);
    });

    test('a worker that announces itself in time stays', async () => {
      const { store, clock } = here;
      for (let i = 0; i < 5; i++) {
        await store.announce(worker('w1'), 5000);
        clock.advance(4000);
        expect(await store.workers(pool)).toHaveLength(1);
      }
    });
  });
}
