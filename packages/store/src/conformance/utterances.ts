import { describe, expect, test } from 'vitest';
import {
  expectNothingCounted,
  freshStore,
  ok,
  places,
  plenty,
  pool,
  type StoreFactory,
  segmentOf,
  segmentsOf,
  submitted,
  ttlMs,
  utteranceOf,
  workOff,
} from './fixtures.ts';

const code = (name: string) => expect.objectContaining({ code: name });

export function utteranceConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: utterances and their segments`, () => {
    const here = freshStore(factory);

    test('gives back every field of an utterance and of its segments', async () => {
      const { store } = here;
      const utterance = utteranceOf({ speaker: 'ämy "1"', weight: 0.3, requestDigest: 'abc', speed: 1.25 });
      const segments = [
        segmentOf(0, { text: 'Naïve “quotes”\n\u0000 and 🦜, lone \ud800, 12 34.' }),
        segmentOf(1, { text: '', estimatedMs: 0 }),
        segmentOf(2, { text: '7 samples', pauseSamples: 0 }),
      ];
      expect(await store.create(utterance, { maxOpen: 1 })).toBe('created');
      await store.append(utterance.id, segments, { at: 0, seal: false });
      expect(await store.segments(utterance.id, 0, 10)).toEqual(segments);
      expect(await store.segments(utterance.id, 1, 1)).toEqual([segments[1]]);
      expect(await store.segments(utterance.id, 3, 1)).toEqual([]);
      expect(await store.segments(utterance.id, 0, 0)).toEqual([]);
      const released = await store.release(pool, { room: plenty, limit: 9 });
      expect(released).toEqual(
        segments.map((segment, index) => ({ utterance, index, segment, generation: 0 })),
      );
      expect(await store.get(utterance.id)).toEqual({
        utterance,
        segments: 3,
        sealed: false,
        released: 3,
        consumed: 0,
        finished: 0,
        failed: 0,
        cancelled: false,
        attended: false,
      });
    });

    test('somebody attends for so long as was said last, which is not cut short', async () => {
      const { store, clock } = here;
      const { id } = await submitted(store, 1);
      const attended = async () => (await store.get(id))?.attended;
      expect(await attended()).toBe(false);
      await store.attend(id, 100);
      await store.attend(id, 50);
      clock.advance(99);
      expect(await attended()).toBe(true);
      clock.advance(1);
      expect(await attended()).toBe(false);
      await store.attend('unknown00', 100);
      expect(await store.get('unknown00')).toBeUndefined();
    });

    test('an utterance is created once', async () => {
      const { store } = here;
      const utterance = utteranceOf();
      expect(await store.create(utterance, { maxOpen: 9 })).toBe('created');
      expect(await store.create({ ...utterance, seed: 8 }, { maxOpen: 9 })).toBe('exists');
      expect((await store.get(utterance.id))?.utterance).toEqual(utterance);
      expect(await store.get('unknown00')).toBeUndefined();
    });

    test('a tenant has at most maxOpen utterances that are neither finished, cancelled nor forgotten', async () => {
      const { store, clock } = here;
      const create = (tenant = 'acme') => store.create(utteranceOf({ tenant }), { maxOpen: 2 });
      const first = await submitted(store, 2);
      const second = utteranceOf();
      await store.create(second, { maxOpen: 2 });
      expect(await create()).toBe('over_limit');
      expect(await create('other')).toBe('created');
      expect(await store.create(second, { maxOpen: 2 })).toBe('exists');

      await store.release(pool, { room: plenty, limit: 9 });
      await store.finished(first.id, 0, 0, ok);
      expect(await create()).toBe('over_limit');
      await store.finished(first.id, 1, 0, { failed: 'synthesis_failed' });
      expect(await create()).toBe('created');
      expect(await create()).toBe('over_limit');

      await store.cancel(second.id);
      await store.regenerate(first.id, 1, 0);
      expect(await create(), 'one that is made again is open again').toBe('over_limit');

      clock.advance(ttlMs);
      expect(await create()).toBe('created');
    });

    test('an utterance without any sentence is finished as soon as it is sealed', async () => {
      const { store } = here;
      const utterance = utteranceOf();
      await store.create(utterance, { maxOpen: 1 });
      await store.append(utterance.id, [], { at: 0, seal: true });
      expect(await store.get(utterance.id)).toMatchObject({ segments: 0, sealed: true });
      expect(await store.create(utteranceOf(), { maxOpen: 1 })).toBe('created');
    });

    test('a repeated append stores nothing twice, and goes on where the first stopped', async () => {
      const { store } = here;
      const { id } = utteranceOf();
      await store.create(utteranceOf({ id }), { maxOpen: 1 });
      await store.append(id, segmentsOf(3), { at: 0, seal: false });
      await store.append(id, segmentsOf(3), { at: 0, seal: false });
      await store.append(id, segmentsOf(4, 1), { at: 1, seal: false });
      await store.append(id, [], { at: 5, seal: true });
      await store.append(id, [], { at: 5, seal: true });
      await store.append(id, segmentsOf(4, 1), { at: 1, seal: true });
      await store.append(id, segmentsOf(2), { at: 0, seal: false });
      expect(await store.segments(id, 0, 100)).toEqual(segmentsOf(5));
      expect(await store.get(id)).toMatchObject({ segments: 5, sealed: true });
      expect(await store.backlog(pool)).toEqual({ interactive: 5, bulk: 0 });
    });

    test('refuses segments that leave a gap, differ from those stored, or come after the seal', async () => {
      const { store } = here;
      const { id } = utteranceOf();
      const append = (at: number, segments = segmentsOf(1, at), seal = false) =>
        store.append(id, segments, { at, seal });
      await expect(append(0)).rejects.toEqual(code('utterance_not_found'));
      await store.create(utteranceOf({ id }), { maxOpen: 1 });
      await append(0, segmentsOf(3));
      await expect(append(4)).rejects.toEqual(code('internal_error'));
      await expect(append(2, [segmentOf(7)])).rejects.toEqual(code('internal_error'));
      await expect(append(0, segmentsOf(2), true)).rejects.toEqual(code('internal_error'));
      await append(3, [], true);
      await expect(append(3)).rejects.toEqual(code('utterance_sealed'));
      await expect(append(2, segmentsOf(2, 2))).rejects.toEqual(code('utterance_sealed'));
      await expect(append(2, [segmentOf(7)])).rejects.toEqual(code('utterance_sealed'));
      await store.cancel(id);
      await expect(append(3)).rejects.toEqual(code('cancelled'));
      expect((await store.get(id))?.segments).toBe(3);
    });

    test('stores 50,000 sentences in no more than seconds, and cancels them at once', async () => {
      const { store } = here;
      const utterance = utteranceOf({ class: 'bulk', window: 64 });
      await store.create(utterance, { maxOpen: 1 });
      const segments = segmentsOf(50_000).map((s) => ({ ...s, text: s.text.padEnd(100, 'x') }));
      const startedAt = performance.now();
      await store.append(utterance.id, segments, { at: 0, seal: true });
      const storedAt = performance.now();
      expect((await store.get(utterance.id))?.segments).toBe(50_000);
      expect((await store.backlog(pool)).bulk).toBe(50_000);
      expect(await store.segments(utterance.id, 49_999, 5)).toEqual([segments[49_999]]);
      expect(await store.release(pool, { room: plenty, limit: 1000 })).toHaveLength(64);
      const cancelAt = performance.now();
      expect(await store.cancel(utterance.id)).toMatchObject({ unfinished: 50_000 });
      const cancelledAt = performance.now();
      expect(storedAt - startedAt).toBeLessThan(5000);
      expect(cancelledAt - cancelAt).toBeLessThan(1000);
      await expectNothingCounted(store);
    });

    test('cancelling drops what is left, returns what is in flight, and says the same when repeated', async () => {
      const { store } = here;
      const utterance = await submitted(store, 12, { window: 5 });
      await store.release(pool, { room: plenty, limit: 9 });
      await store.finished(utterance.id, 1, 0, ok);
      await store.finished(utterance.id, 3, 0, ok);
      await store.regenerate(utterance.id, 3, 0);
      const inFlight = [0, 2, 3, 4].map((segment) => ({ segment, generation: segment === 3 ? 1 : 0 }));
      expect(await store.isCancelled(utterance.id)).toBe(false);
      expect(await store.cancel(utterance.id)).toEqual({ inFlight, unfinished: 11 });
      expect(await store.cancel(utterance.id)).toEqual({ inFlight, unfinished: 11 });
      expect(await store.isCancelled(utterance.id)).toBe(true);

      await store.finished(utterance.id, 0, 0, ok);
      await store.consumed(utterance.id, 5);
      expect(await store.regenerate(utterance.id, 0, 0)).toBeUndefined();
      expect(await store.segments(utterance.id, 0, 99)).toEqual([]);
      expect(await store.progress(utterance.id, 0, 99)).toEqual([]);
      expect(await store.get(utterance.id)).toMatchObject({
        segments: 12,
        released: 5,
        consumed: 0,
        finished: 1,
        cancelled: true,
      });
      await expectNothingCounted(store);
      expect(await store.cancel('unknown00')).toBeUndefined();
      expect(await store.isCancelled('unknown00')).toBe(false);
    });

    test('forgets an utterance that nobody touched, wherever it stood', async () => {
      const { store, clock } = here;
      await submitted(store, 5, { class: 'bulk', window: 2 });
      await store.release(pool, { room: plenty, limit: 1 });
      const waiting = await submitted(store, 5, { tenant: 'other' });
      const cancelled = await submitted(store, 5);
      await store.cancel(cancelled.id);
      const finished = await submitted(store, 1);
      await workOff(store);
      const touched = await submitted(store, 5, { tenant: 'third' });

      clock.advance(ttlMs - 1);
      await store.get(touched.id);
      clock.advance(1);
      expect(await store.backlog(pool)).toEqual({ interactive: 5, bulk: 0 });
      expect(await store.get(waiting.id)).toBeUndefined();
      expect(await store.isCancelled(cancelled.id)).toBe(false);
      expect(await store.progress(finished.id, 0, 9)).toEqual([]);
      expect(places(await store.release(pool, { room: plenty, limit: 1 }))).toEqual([`${touched.id}-0-0`]);
      expect(await store.create(waiting, { maxOpen: 1 })).toBe('created');
      clock.advance(ttlMs);
      await expectNothingCounted(store);
    });

    test('every call that names an utterance or returns it keeps it', async () => {
      const { store, clock } = here;
      const { id } = await submitted(store, 9, { window: 2 });
      const rest = { room: plenty, limit: 1 };
      const calls = [
        () => store.get(id),
        () => store.segments(id, 0, 1),
        () => store.progress(id, 0, 1),
        () => store.release(pool, rest),
        () => store.finished(id, 0, 0, ok),
        () => store.consumed(id, 1),
        () => store.release(pool, rest),
        () => store.overdue(pool, { olderThanMs: 0, limit: 1 }),
        () => store.regenerate(id, 0, 0),
        () => store.append(id, [], { at: 9, seal: true }),
        () => store.create(utteranceOf({ id }), { maxOpen: 9 }),
        () => store.cancel(id),
      ];
      for (const call of calls) {
        clock.advance(ttlMs - 1);
        await call();
      }
      clock.advance(ttlMs - 1);
      expect(await store.isCancelled(id)).toBe(true);
      clock.advance(1);
      expect(await store.isCancelled(id)).toBe(false);
    });
  });
}
