import { describe, expect, test } from 'vitest';
import type { Released, RequestStore, Room } from '../port.ts';
import {
  freshStore,
  ok,
  places,
  plenty,
  pool,
  type StoreFactory,
  segmentOf,
  submitted,
  utteranceOf,
} from './fixtures.ts';

/** Park and Miller's: the same lengths on every run. */
function createRandom(seed: number) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/**
 * Workers with `slots` slots serve released sentences first in, first out, each for as long as its audio. Returns the audio
 * made for each tenant.
 */
async function serve(
  store: RequestStore,
  { slots, sentences, room }: { slots: number; sentences: number; room: Room },
) {
  const made: Record<string, number> = {};
  const waiting: Released[] = [];
  const running: { sentence: Released; until: number }[] = [];
  let nowMs = 0;
  for (let count = 0; count < sentences; count++) {
    waiting.push(...(await store.release(pool, { room, limit: 100 })));
    while (running.length < slots && waiting.length > 0) {
      const sentence = waiting.shift()!;
      running.push({ sentence, until: nowMs + sentence.segment.estimatedMs });
    }
    running.sort((a, b) => a.until - b.until);
    const { sentence, until } = running.shift()!;
    nowMs = until;
    const { utterance, index, generation, segment } = sentence;
    made[utterance.tenant] = (made[utterance.tenant] ?? 0) + segment.estimatedMs;
    await store.finished(utterance.id, index, generation, ok);
  }
  return made;
}

export function fairnessConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: shares`, () => {
    const here = freshStore(factory);

    async function book(tenant: string, weight: number, seed: number, longestMs: number, sentences = 900) {
      const random = createRandom(seed);
      const utterance = utteranceOf({ tenant, weight, class: 'bulk', window: 100_000 });
      await here.store.create(utterance, { maxOpen: 9 });
      const segments = Array.from({ length: sentences }, (_, i) => ({
        start: i,
        end: i + 1,
        text: 'x',
        pauseSamples: 0,
        estimatedMs: Math.round(500 + random() * (longestMs - 500)),
      }));
      await here.store.append(utterance.id, segments, { at: 0, seal: true });
      return utterance;
    }

    test('audio is shared by weight, 1 to 3, within a few percent, even in a small room', async () => {
      await book('light', 1, 11, 6000);
      await book('heavy', 3, 22, 6000);
      const made = await serve(here.store, { slots: 4, sentences: 800, room: { ...plenty, bulk: 8 } });
      expect(made.heavy! / made.light!).toBeGreaterThan(3 * 0.95);
      expect(made.heavy! / made.light!).toBeLessThan(3 * 1.05);
    });

    test('audio counts, not sentences: long sentences bring no more of it than short ones', async () => {
      await book('long', 1, 33, 12_000);
      await book('short', 1, 44, 1500, 4000);
      const made = await serve(here.store, { slots: 4, sentences: 1500, room: { ...plenty, bulk: 16 } });
      expect(made.long! / made.short!).toBeGreaterThan(0.93);
      expect(made.long! / made.short!).toBeLessThan(1.07);
    });

    test('many utterances bring a tenant no more than one', async () => {
      await book('one', 1, 55, 4000);
      for (let i = 0; i < 6; i++) await book('many', 1, 66 + i, 4000);
      const made = await serve(here.store, { slots: 3, sentences: 700, room: { ...plenty, bulk: 6 } });
      expect(made.many! / made.one!).toBeGreaterThan(0.95);
      expect(made.many! / made.one!).toBeLessThan(1.05);
    });

    test('room that others do not use goes to whoever can', async () => {
      const { store } = here;
      await book('busy', 1, 77, 4000, 50);
      await submitted(store, 2, { tenant: 'small', weight: 1000, class: 'bulk' });
      const released = await store.release(pool, { room: { ...plenty, bulk: 20 }, limit: 100 });
      expect(released.filter(({ utterance }) => utterance.tenant === 'small')).toHaveLength(2);
      expect(released.filter(({ utterance }) => utterance.tenant === 'busy')).toHaveLength(18);
    });

    test('who comes late, or comes back, starts level with the others', async () => {
      const { store } = here;
      const room = { ...plenty, bulk: 6 };
      const share = async () => {
        const released = await store.release(pool, { room, limit: 100 });
        for (const { utterance, index } of released) await store.finished(utterance.id, index, 0, ok);
        return Object.groupBy(released, ({ utterance }) => utterance.tenant);
      };
      await submitted(store, 500, { tenant: 'early', class: 'bulk', window: 500 });
      for (let i = 0; i < 20; i++) await share();
      const late = await submitted(store, 500, { tenant: 'late', class: 'bulk', window: 500 });
      for (let i = 0; i < 4; i++)
        expect((await share()).early, 'no credit for having been away').toHaveLength(3);
      await store.cancel(late.id);
      for (let i = 0; i < 10; i++) expect((await share()).early, 'nobody else is there').toHaveLength(6);
      await submitted(store, 500, { tenant: 'late', class: 'bulk', window: 500 });
      for (let i = 0; i < 4; i++) expect((await share()).early).toHaveLength(3);
    });

    test('what a tenant was given when nothing more of it waits is no debt', async () => {
      const { store } = here;
      const room = { ...plenty, bulk: 2 };
      const others = await submitted(store, 20, { tenant: 'other', class: 'bulk', window: 20 });
      const long = utteranceOf({ tenant: 'long', class: 'bulk' });
      for (const waiting of [0, 1]) {
        const { id } = { ...long, id: `${long.id}${waiting}` };
        await store.create({ ...long, id }, { maxOpen: 9 });
        const segments = [segmentOf(0, { estimatedMs: 900_000 }), segmentOf(1)].slice(0, 1 + waiting);
        await store.append(id, segments, { at: 0, seal: true });
        let taken: Released[] = [];
        while (taken[0]?.utterance.id !== id) taken = await store.release(pool, { room: plenty, limit: 1 });
        await store.finished(id, 0, 0, ok);
        if (waiting) await store.cancel(id);
      }
      for (const { index } of await store.overdue(pool, { olderThanMs: 0, limit: 9 }))
        await store.finished(others.id, index, 0, ok);
      const { id } = await submitted(store, 9, { tenant: 'long', class: 'bulk' });
      const next = await store.release(pool, { room, limit: 9 });
      expect(next.map(({ utterance }) => utterance.id).sort()).toEqual([id, others.id].sort());
    });

    test('utterances of a tenant take turns, and one that pauses waits behind those that did not', async () => {
      const { store } = here;
      const ids = [];
      for (const window of [9, 1, 9]) ids.push((await submitted(store, 6, { class: 'bulk', window })).id);
      const [a, b, c] = ids;
      const next = async (limit: number) => places(await store.release(pool, { room: plenty, limit }));
      expect(await next(5)).toEqual([`${a}-0-0`, `${b}-0-0`, `${c}-0-0`, `${a}-1-0`, `${c}-1-0`]);
      await store.consumed(b!, 1);
      expect(await next(4)).toEqual([`${a}-2-0`, `${c}-2-0`, `${b}-1-0`, `${a}-3-0`]);
      await store.cancel(c!);
      expect(await next(9)).toEqual([`${a}-4-0`, `${a}-5-0`]);
    });
  });
}
