import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, createClock } from '../conformance/fixtures.ts';
import type { BookStore, NewBook } from './port.ts';

/** Makes a store that is empty and takes its time from `now`. */
export type BooksFactory = (options: { now: () => number }) => BookStore | Promise<BookStore>;

/** What every store of books must do, as vitest tests. */
export function bookConformance(name: string, factory: BooksFactory): void {
  describe(`books in ${name}`, () => {
    let clock: Clock;
    let store: BookStore;
    beforeEach(async () => {
      clock = createClock();
      store = await factory({ now: clock.now });
    });
    afterEach(() => store.close());

    const bookOf = (id: string, fields: Partial<NewBook> = {}): NewBook => ({
      tenant: 'acme',
      id,
      createdAtMs: 1_700_000_000_000,
      requestDigest: 'd1',
      facts: '{"title":"Ἰλιάς"}',
      ...fields,
    });
    const add = (id: string, fields: Partial<NewBook> = {}) =>
      store.create(bookOf(id, fields), { maxOpen: 100 });
    const claimed = async () => {
      const claim = await store.claim('me', 1000);
      return claim && `${claim.lease.tenant}/${claim.lease.id}`;
    };

    test('keeps a book as it was given; a second one under its name is not taken', async () => {
      expect(await add('a')).toEqual({
        result: 'created',
        book: {
          ...bookOf('a'),
          edition: 0,
          control: 'run',
          fence: 0,
          leased: false,
          progress: undefined,
          outcome: undefined,
        },
      });
      const second = await add('a', { requestDigest: 'd2', facts: '{}' });
      expect(second).toMatchObject({ result: 'exists', book: { requestDigest: 'd1' } });
      expect(await store.get('acme', 'a')).toMatchObject(bookOf('a'));
      expect(await store.get('acme', 'b')).toBeUndefined();
      expect(await store.get('other', 'a')).toBeUndefined();
      expect(await add('a', { tenant: 'other' })).toMatchObject({ result: 'created' });
    });

    test('takes no more open books than the tenant may have; what has ended or was cancelled does not count', async () => {
      const limited = (id: string) => store.create(bookOf(id), { maxOpen: 2 });
      await limited('a');
      await limited('b');
      expect(await limited('c')).toEqual({ result: 'over_limit' });
      expect(await limited('a')).toMatchObject({ result: 'exists' });
      expect(await store.create(bookOf('c', { tenant: 'other' }), { maxOpen: 2 })).toMatchObject({
        result: 'created',
      });
      await store.control('acme', 'a', 'cancel');
      expect(await limited('c')).toMatchObject({ result: 'created' });
      const { lease } = (await store.claim('me', 1000))!;
      await store.settle(lease, 0, '{}');
      expect(await limited('d')).toMatchObject({
        result: lease.tenant === 'acme' ? 'created' : 'over_limit',
      });
    });

    test('lists the books of a tenant, newest first, page by page', async () => {
      for (const id of ['a', 'b', 'c', 'd', 'e']) await add(id);
      await add('x', { tenant: 'other' });
      const ids = async (options: { after?: string; limit: number }) =>
        (await store.list('acme', options)).map(({ id }) => id);
      expect(await ids({ limit: 9 })).toEqual(['e', 'd', 'c', 'b', 'a']);
      expect(await ids({ limit: 2 })).toEqual(['e', 'd']);
      expect(await ids({ after: 'd', limit: 2 })).toEqual(['c', 'b']);
      expect(await ids({ after: 'b', limit: 2 })).toEqual(['a']);
      expect(await ids({ after: 'a', limit: 2 })).toEqual([]);
      expect(await ids({ after: 'gone', limit: 2 })).toEqual([]);
    });

    test('is claimed once, first come first served; a fence rises with every claim', async () => {
      for (const id of ['a', 'b', 'c']) await add(id);
      expect(await store.ahead('acme', 'a')).toBe(0);
      expect(await store.ahead('acme', 'c')).toBe(2);
      const first = (await store.claim('me', 1000))!;
      expect(first).toMatchObject({
        lease: { id: 'a', fence: 1 },
        book: { id: 'a', leased: true, fence: 1 },
      });
      expect(await store.ahead('acme', 'a')).toBeUndefined();
      expect(await store.ahead('acme', 'c')).toBe(1);
      expect([await claimed(), await claimed(), await claimed()]).toEqual(['acme/b', 'acme/c', undefined]);
      expect(await store.ahead('acme', 'gone')).toBeUndefined();
    });

    test('is claimed again when its lease was not renewed, and the old lease is worth nothing then', async () => {
      await add('a');
      const { lease: old } = (await store.claim('me', 1000))!;
      clock.advance(900);
      expect(await store.renew(old, 1000, '{"sentences":3}')).toMatchObject({
        id: 'a',
        progress: '{"sentences":3}',
      });
      clock.advance(999);
      expect(await store.claim('you', 1000)).toBeUndefined();
      expect(await store.get('acme', 'a')).toMatchObject({ leased: true });
      clock.advance(1);
      expect(await store.get('acme', 'a')).toMatchObject({ leased: false });
      const { lease } = (await store.claim('you', 1000))!;
      expect(lease.fence).toBe(2);
      expect(await store.renew(old, 1000, '{"sentences":1}')).toBeUndefined();
      await store.release(old, 0);
      expect(await store.settle(old, 0, '{}')).toBe(false);
      expect(await store.get('acme', 'a')).toMatchObject({
        fence: 2,
        leased: true,
        progress: '{"sentences":3}',
        outcome: undefined,
      });
      expect(await store.claim('me', 1000)).toBeUndefined();
    });

    test('a late holder that nobody followed goes on', async () => {
      await add('a');
      const { lease } = (await store.claim('me', 1000))!;
      clock.advance(5000);
      expect(await store.renew(lease, 1000)).toMatchObject({ leased: true });
      expect(await store.claim('you', 1000)).toBeUndefined();
      clock.advance(5000);
      expect(await store.settle(lease, 0, '{"state":"succeeded"}')).toBe(true);
    });

    test('is given back, at once or for later', async () => {
      await add('a');
      await add('b');
      const { lease } = (await store.claim('me', 1000))!;
      await store.release(lease, 0);
      expect([await claimed(), await claimed()]).toEqual(['acme/b', 'acme/a']);
      const again = (await store.get('acme', 'a'))!;
      await store.release({ ...lease, fence: again.fence }, 500);
      clock.advance(499);
      expect(await claimed()).toBeUndefined();
      expect(await store.ahead('acme', 'a')).toBeUndefined();
      clock.advance(1);
      expect(await store.ahead('acme', 'a')).toBe(0);
      expect(await claimed()).toBe('acme/a');
    });

    test('a tenant with many books does not keep another one waiting', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await add(id, { tenant: 'many' });
      await add('x', { tenant: 'few' });
      expect([await claimed(), await claimed(), await claimed()]).toEqual(['many/a', 'few/x', 'many/b']);
    });

    test('ends with an outcome, which stays', async () => {
      await add('a');
      const { lease } = (await store.claim('me', 1000))!;
      expect(await store.settle(lease, 0, '{"state":"succeeded"}')).toBe(true);
      expect(await store.settle(lease, 0, '{"state":"succeeded"}')).toBe(true);
      expect(await store.settle(lease, 0, '{"state":"failed"}')).toBe(false);
      expect(await store.get('acme', 'a')).toMatchObject({ outcome: '{"state":"succeeded"}', leased: false });
      for (const control of ['pause', 'cancel', 'run'] as const)
        expect(await store.control('acme', 'a', control)).toMatchObject({ control: 'run' });
      clock.advance(10_000);
      expect(await claimed()).toBeUndefined();
    });

    test('is not claimed while it is paused or cancelled; who works on it hears it, and cannot end it', async () => {
      await add('a');
      await store.control('acme', 'a', 'pause');
      expect(await claimed()).toBeUndefined();
      expect(await store.ahead('acme', 'a')).toBeUndefined();
      await store.control('acme', 'a', 'run');
      const { lease } = (await store.claim('me', 1000))!;
      expect(await store.control('acme', 'a', 'cancel')).toMatchObject({ control: 'cancel' });
      expect(await store.renew(lease, 1000)).toMatchObject({ control: 'cancel' });
      expect(await store.settle(lease, 0, '{}')).toBe(false);
      await store.release(lease, 0);
      clock.advance(10_000);
      expect(await claimed()).toBeUndefined();
      await store.control('acme', 'a', 'run');
      expect(await claimed()).toBe('acme/a');
    });

    test('goes on under the same lease when it is paused and resumed before the holder heard of it', async () => {
      await add('a');
      const { lease } = (await store.claim('me', 1000))!;
      await store.control('acme', 'a', 'pause');
      await store.control('acme', 'a', 'run');
      expect(await store.claim('you', 1000)).toBeUndefined();
      expect(await store.settle(lease, 0, '{}')).toBe(true);
    });

    test('is revised: a new edition runs, with what was edited, and an outcome of the old one does not count', async () => {
      await add('a');
      const { lease } = (await store.claim('me', 1000))!;
      const edits = new Map([
        [3, '{"text":"Three."}'],
        [70_000, '{"take":2}'],
      ]);
      expect(await store.revise('acme', 'a', 0, { edits })).toMatchObject({
        edition: 1,
        facts: bookOf('a').facts,
      });
      expect(await store.settle(lease, 0, '{}')).toBe(false);
      expect(await store.renew(lease, 1000)).toMatchObject({ edition: 1 });
      expect(await store.settle(lease, 1, '{"n":1}')).toBe(true);
      expect(await store.edits('acme', 'a')).toEqual(edits);
      expect(await store.revise('acme', 'a', 0, { edits: new Map([[4, 'late']]) })).toMatchObject({
        edition: 1,
        outcome: '{"n":1}',
      });
      const change = { facts: '{}', requestDigest: 'd2', edits: new Map([[3, '']]) };
      expect(await store.revise('acme', 'a', 1, change)).toMatchObject({
        edition: 2,
        requestDigest: 'd2',
        facts: '{}',
        outcome: undefined,
        control: 'run',
      });
      expect([...(await store.edits('acme', 'a')).keys()]).toEqual([70_000]);
      expect(await claimed()).toBe('acme/a');
      expect(await store.revise('acme', 'gone', 0, {})).toBeUndefined();
    });

    test('a cancelled book that is revised runs again', async () => {
      await add('a');
      await store.control('acme', 'a', 'cancel');
      await store.revise('acme', 'a', 0, {});
      expect(await claimed()).toBe('acme/a');
    });

    test('a paused book that is revised stays paused, and a cancelled one is not paused', async () => {
      await add('a');
      await store.control('acme', 'a', 'pause');
      expect(await store.revise('acme', 'a', 0, {})).toMatchObject({ edition: 1, control: 'pause' });
      expect(await claimed()).toBeUndefined();
      await store.control('acme', 'a', 'cancel');
      expect(await store.control('acme', 'a', 'pause')).toMatchObject({ control: 'cancel' });
      await store.control('acme', 'a', 'run');
      expect(await claimed()).toBe('acme/a');
    });

    test('is deleted with all that belongs to it, also while somebody works on it', async () => {
      await add('a');
      const { lease } = (await store.claim('me', 1000))!;
      await store.revise('acme', 'a', 0, { edits: new Map([[1, 'x']]) });
      expect(await store.delete('acme', 'a')).toBe(true);
      expect(await store.delete('acme', 'a')).toBe(false);
      expect(await store.renew(lease, 1000)).toBeUndefined();
      expect(await store.settle(lease, 0, '{}')).toBe(false);
      await store.release(lease, 0);
      expect(await store.list('acme', { limit: 9 })).toEqual([]);
      expect(await store.edits('acme', 'a')).toEqual(new Map());
      clock.advance(10_000);
      expect(await claimed()).toBeUndefined();
      expect(await add('a')).toMatchObject({ result: 'created', book: { fence: 0 } });
      expect((await store.claim('you', 1000))!.lease.fence).not.toBe(lease.fence);
    });
  });
}
