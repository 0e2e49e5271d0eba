import { describe, expect, test } from 'vitest';
import {
  expectNothingCounted,
  freshStore,
  full,
  ok,
  places,
  plenty,
  pool,
  type StoreFactory,
  segmentsOf,
  submitted,
  utteranceOf,
  workOff,
} from './fixtures.ts';

export function workConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: from released to consumed`, () => {
    const here = freshStore(factory);

    test('releases in order, and no more than the window lies between released and consumed', async () => {
      const { store } = here;
      const { id } = await submitted(store, 9, { window: 4 });
      const release = async () => places(await store.release(pool, { room: plenty, limit: 99 }));
      expect(await release()).toEqual([0, 1, 2, 3].map((i) => `${id}-${i}-0`));
      expect(await release()).toEqual([]);
      await store.finished(id, 0, 0, ok);
      expect(await release(), 'finished is not consumed').toEqual([]);
      await store.consumed(id, 2);
      await store.consumed(id, 1);
      expect(await release()).toEqual([4, 5].map((i) => `${id}-${i}-0`));
      await store.consumed(id, 1_000_000_000);
      expect(await store.get(id)).toMatchObject({ consumed: 9 });
      expect(await release()).toEqual([6, 7, 8].map((i) => `${id}-${i}-0`));
      await store.consumed('unknown00', 3);
    });

    test('goes on when text arrives after all that was there had been released', async () => {
      const { store } = here;
      const { id } = utteranceOf();
      await store.create(utteranceOf({ id }), { maxOpen: 1 });
      expect(await workOff(store)).toBe(0);
      for (const at of [0, 1, 2, 3]) {
        await store.append(id, segmentsOf(1, at), { at, seal: at === 3 });
        expect(await workOff(store)).toBe(1);
      }
      expect(await store.get(id)).toMatchObject({ finished: 4, consumed: 4 });
      await expectNothingCounted(store);
    });

    test('two releases at once never release a sentence twice', async () => {
      const { store } = here;
      for (let i = 0; i < 5; i++) await submitted(store, 40, { tenant: `t${i % 2}`, window: 100 });
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => store.release(pool, { room: plenty, limit: 7 })),
      );
      const all = answers.flatMap(places);
      expect(all).toHaveLength(200);
      expect(new Set(all).size).toBe(200);
      for (const answer of answers)
        for (const id of new Set(answer.map((one) => one.utterance.id))) {
          const indexes = answer.filter((one) => one.utterance.id === id).map((one) => one.index);
          expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
        }
    });

    test('the first two sentences of listeners come first, then the rest, then bulk', async () => {
      const { store } = here;
      const book = await submitted(store, 3, { class: 'bulk' });
      const talk = await submitted(store, 4);
      const other = await submitted(store, 1, { tenant: 'other' });
      expect(places(await store.release(pool, { room: plenty, limit: 99 }))).toEqual([
        `${talk.id}-0-0`,
        `${other.id}-0-0`,
        `${talk.id}-1-0`,
        `${talk.id}-2-0`,
        `${talk.id}-3-0`,
        ...[0, 1, 2].map((i) => `${book.id}-${i}-0`),
      ]);
    });

    test('lanes have rooms of their own, and a tenant with nothing in flight in a lane may have one', async () => {
      const { store } = here;
      const room = { head: 3, listener: 2, bulk: 2 };
      const release = async () => (await store.release(pool, { room, limit: 99 })).length;
      const books = [];
      for (const tenant of ['a', 'b', 'c'])
        books.push(await submitted(store, 9, { class: 'bulk', tenant, window: 9 }));
      expect(await release(), 'one each, beyond the room').toBe(3);
      expect(await release()).toBe(0);
      await submitted(store, 9, { tenant: 'a', window: 9 });
      expect(await release(), 'two heads, two listeners').toBe(4);
      await store.finished(books[0]!.id, 0, 0, ok);
      expect(await release()).toBe(1);
      await store.finished(books[0]!.id, 1, 0, ok);
      await store.finished(books[1]!.id, 0, 0, ok);
      expect(await release()).toBe(2);
      await store.cancel(books[2]!.id);
      expect(await release(), 'the room is still used up').toBe(0);
      await store.cancel(books[1]!.id);
      expect(await release()).toBe(1);
      const late = await submitted(store, 9, { tenant: 'd' });
      expect(places(await store.release(pool, { room: full, limit: 99 }))).toEqual([`${late.id}-0-0`]);
    });

    test('pools know nothing of each other', async () => {
      const { store } = here;
      await submitted(store, 3, { pool: 'gpu', class: 'bulk' });
      const { id } = await submitted(store, 3);
      expect(places(await store.release(pool, { room: plenty, limit: 99 }))).toEqual(
        [0, 1, 2].map((i) => `${id}-${i}-0`),
      );
      expect(await store.overdue('gpu', { olderThanMs: 0, limit: 9 })).toEqual([]);
      expect(await store.backlog('gpu')).toEqual({ interactive: 0, bulk: 3 });
      expect(await store.backlog('nowhere')).toEqual({ interactive: 0, bulk: 0 });
      expect(await store.release('nowhere', { room: plenty, limit: 9 })).toEqual([]);
    });

    test('a sentence is finished once, and what is unknown or not released is not finished at all', async () => {
      const { store } = here;
      const { id } = await submitted(store, 4, { window: 2 });
      await store.release(pool, { room: plenty, limit: 9 });
      await store.finished(id, 0, 0, { samples: 100 });
      await store.finished(id, 0, 0, { failed: 'late' });
      await store.finished(id, 1, 0, { failed: 'engine crashed twice' });
      await store.finished(id, 2, 0, ok);
      await store.finished(id, 99, 0, ok);
      await store.finished('unknown00', 0, 0, ok);
      expect(await store.get(id)).toMatchObject({ released: 2, finished: 2, failed: 1 });
      expect(await store.progress(id, 0, 99)).toEqual([
        { generation: 0, outcome: { samples: 100 } },
        { generation: 0, outcome: { failed: 'engine crashed twice' } },
      ]);
      expect(await store.progress(id, 1, 1)).toHaveLength(1);
      expect(await store.progress(id, 2, 5)).toEqual([]);
      expect(await store.progress('unknown00', 0, 5)).toEqual([]);
      expect(await store.backlog(pool)).toEqual({ interactive: 2, bulk: 0 });
    });

    test('a sentence is regenerated only from the generation that is expected', async () => {
      const { store } = here;
      const utterance = await submitted(store, 3, { window: 2 });
      const { id } = utterance;
      await store.release(pool, { room: plenty, limit: 9 });
      await store.finished(id, 0, 0, { failed: 'x' });
      expect(await store.regenerate(id, 0, 1)).toBeUndefined();
      const racing = await Promise.all([1, 2, 3].map(() => store.regenerate(id, 0, 0)));
      const [segment] = segmentsOf(1);
      expect(racing.filter(Boolean)).toEqual([{ utterance, index: 0, segment, generation: 1 }]);
      expect(await store.progress(id, 0, 1)).toEqual([{ generation: 1, outcome: undefined }]);
      expect(await store.get(id)).toMatchObject({ finished: 0, failed: 0 });
      expect(await store.backlog(pool)).toEqual({ interactive: 3, bulk: 0 });

      await store.finished(id, 0, 0, ok);
      expect(await store.progress(id, 0, 1), 'the end of an older one').toEqual([
        { generation: 1, outcome: undefined },
      ]);
      expect(await store.regenerate(id, 0, 1), 'in flight').toMatchObject({ generation: 2 });
      await store.finished(id, 0, 2, ok);
      expect(await store.progress(id, 0, 1)).toEqual([{ generation: 2, outcome: ok }]);

      expect(await store.regenerate(id, 2, 0), 'not released').toBeUndefined();
      expect(await store.regenerate('unknown00', 0, 0)).toBeUndefined();
      await expect(store.regenerate(id, 0, 32_767)).rejects.toMatchObject({ code: 'audio_lost', segment: 0 });
    });

    test('a store that has lost a regeneration takes the higher generation from whoever finishes it', async () => {
      const { store } = here;
      const { id } = await submitted(store, 1);
      await store.release(pool, { room: plenty, limit: 9 });
      await store.finished(id, 0, 3, ok);
      expect(await store.progress(id, 0, 1)).toEqual([{ generation: 3, outcome: ok }]);
      expect(await store.regenerate(id, 0, 3)).toMatchObject({ generation: 4 });
    });

    test('of sentences long in flight, each is handed to one sweep at a time', async () => {
      const { store, clock } = here;
      const { id } = await submitted(store, 4, { window: 4 });
      const sweep = async (olderThanMs = 3000) =>
        places(await store.overdue(pool, { olderThanMs, limit: 99 })).sort();
      await store.release(pool, { room: plenty, limit: 2 });
      clock.advance(1000);
      await store.release(pool, { room: plenty, limit: 9 });
      clock.advance(1999);
      expect(await sweep()).toEqual([]);
      clock.advance(1);
      expect(await Promise.all([sweep(), sweep()])).toEqual([[`${id}-0-0`, `${id}-1-0`], []]);
      await store.finished(id, 0, 0, ok);
      await store.regenerate(id, 3, 0);
      clock.advance(1000);
      expect(await sweep()).toEqual([`${id}-2-0`]);
      clock.advance(2000);
      expect(await sweep()).toEqual([`${id}-1-0`, `${id}-3-1`]);
      clock.advance(3000);
      expect(await store.overdue(pool, { olderThanMs: 3000, limit: 1 })).toHaveLength(1);
      expect(await sweep()).toHaveLength(2);
      expect(await sweep(1)).toEqual([]);
    });

    test('all counts are zero again when all is finished', async () => {
      const { store } = here;
      for (const [i, estimatedMs] of [0, 333, 1, 7777].entries()) {
        const utterance = utteranceOf({
          tenant: `t${i % 2}`,
          weight: 0.3 + i / 7,
          class: i < 2 ? 'bulk' : 'interactive',
        });
        await store.create(utterance, { maxOpen: 9 });
        const segments = segmentsOf(11).map((segment) => ({ ...segment, estimatedMs }));
        await store.append(utterance.id, segments, { at: 0, seal: true });
      }
      expect(await workOff(store)).toBe(44);
      await expectNothingCounted(store);
    });
  });
}
