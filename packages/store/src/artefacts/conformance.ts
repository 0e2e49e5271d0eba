import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collect, readWhole } from './body.ts';
import type { ArtefactStore } from './port.ts';

/** Makes a store that is empty. */
export type ArtefactsFactory = () => ArtefactStore | Promise<ArtefactStore>;

/** What every artefact store must do, as vitest tests. */
export function artefactConformance(name: string, factory: ArtefactsFactory): void {
  describe(`artefacts in ${name}`, () => {
    let store: ArtefactStore;
    beforeEach(async () => {
      store = await factory();
    });
    afterEach(() => store.close());
    const text = async (key: string) => (await readWhole(store, key))?.toString();
    const keys = async (prefix: string) => {
      const found: string[] = [];
      for await (const { key } of store.list(prefix)) found.push(key);
      return found.sort();
    };
    async function* pieces(bytes: Buffer, length: number) {
      for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
    }

    test('gives back what was put, its length and its digest; what was not put is not there', async () => {
      const sha256 = createHash('sha256').update('Sing, O goddess').digest('hex');
      expect(await store.put('books/a/text', Buffer.from('Sing, O goddess'))).toEqual({ bytes: 15, sha256 });
      expect(await text('books/a/text')).toBe('Sing, O goddess');
      expect(await store.head('books/a/text')).toMatchObject({ key: 'books/a/text', bytes: 15 });
      expect(await store.get('books/a')).toBeUndefined();
      expect(await store.head('books/a')).toBeUndefined();
      expect(await store.get('books/a/text2')).toBeUndefined();
      expect(await store.get('nothing/at/all')).toBeUndefined();
    });

    test('keeps names in any script, with spaces and signs', async () => {
      const key = 'books/x/01 - Ὅμηρος & "Ilias" 100% #1?+=ü 语/a&b.mp3';
      await store.put(key, Buffer.from('x'));
      expect(await keys('books/')).toEqual([key]);
      expect(await text(key)).toBe('x');
      await store.delete(key);
      expect(await keys('books/')).toEqual([]);
    });

    test('takes a stream of any pieces and length, and an empty one', async () => {
      const long = randomBytes(12 * 1024 * 1024 + 17);
      const put = await store.put('long', pieces(long, 700_001));
      expect(put).toEqual({ bytes: long.length, sha256: createHash('sha256').update(long).digest('hex') });
      const { body, bytes } = (await store.get('long'))!;
      expect(bytes).toBe(long.length);
      expect((await collect(body)).equals(long)).toBe(true);
      expect((await store.put('empty', pieces(Buffer.alloc(0), 1))).bytes).toBe(0);
      expect(await text('empty')).toBe('');
      expect((await store.head('empty'))?.bytes).toBe(0);
    });

    test('gives any part of a piece', async () => {
      await store.put('x', Buffer.from('0123456789'));
      const part = async (first: number, last?: number) => {
        const got = await store.get('x', { range: { first, ...(last === undefined ? {} : { last }) } });
        return [got?.bytes, (await collect(got!.body)).toString()];
      };
      expect(await part(0)).toEqual([10, '0123456789']);
      expect(await part(3, 5)).toEqual([10, '345']);
      expect(await part(9)).toEqual([10, '9']);
      expect(await part(4, 99)).toEqual([10, '456789']);
      expect(await part(10)).toEqual([10, '']);
      await store.put('nothing', Buffer.alloc(0));
      expect((await collect((await store.get('nothing', { range: { first: 0 } }))!.body)).length).toBe(0);
    });

    test('shows the old bytes until the new ones are whole; a put that fails or is stopped changes nothing', async () => {
      await store.put('x', Buffer.from('old'));
      const seen: (string | undefined)[] = [];
      async function* slowly() {
        yield Buffer.alloc(9_000_000, 1);
        seen.push(await text('x'), ...(await keys('')));
        yield Buffer.from('end');
      }
      await store.put('x', slowly());
      expect(seen).toEqual(['old', 'x']);
      expect((await store.head('x'))?.bytes).toBe(9_000_003);

      async function* broken() {
        yield Buffer.alloc(9_000_000, 2);
        throw new Error('the source broke');
      }
      await expect(store.put('x', broken())).rejects.toThrow('the source broke');
      await expect(store.put('y', broken())).rejects.toThrow('the source broke');
      const stop = new AbortController();
      async function* stopped() {
        yield Buffer.alloc(9_000_000, 3);
        stop.abort(new Error('enough'));
        yield Buffer.alloc(9_000_000, 3);
      }
      await expect(store.put('x', stopped(), { signal: stop.signal })).rejects.toThrow('enough');
      expect((await store.head('x'))?.bytes).toBe(9_000_003);
      expect(await keys('')).toEqual(['x']);
    });

    test('gives a reader one version to its end or fails', async () => {
      const old = Buffer.alloc(9_000_000, 1);
      await store.put('x', old);
      const reading = (await store.get('x'))!.body[Symbol.asyncIterator]();
      const got = [(await reading.next()).value as Uint8Array];
      await store.put('x', Buffer.from('new'));
      try {
        for (let next = await reading.next(); !next.done; next = await reading.next()) got.push(next.value);
        expect(Buffer.concat(got).equals(old)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'artefacts_unavailable' });
      }
      expect(await text('x')).toBe('new');
    });

    test('may be closed by a reader that has enough, or read nothing', async () => {
      await store.put('x', Buffer.alloc(9_000_000, 1));
      for (let turn = 0; turn < 100; turn++) {
        const iterator = (await store.get('x'))!.body[Symbol.asyncIterator]();
        if (turn % 2 === 0) await iterator.next();
        await iterator.return?.();
      }
      expect((await store.head('x'))?.bytes).toBe(9_000_000);
    });

    test('lists by prefix', async () => {
      const all = ['a', 'b/10', 'b/2', 'b.x', 'b/c/1', 'b/c.y', 'bc', 'd/e'].sort();
      for (const key of all.toReversed()) await store.put(key, Buffer.from(key));
      expect(await keys('')).toEqual(all);
      expect(await keys('b')).toEqual(all.filter((key) => key.startsWith('b')));
      expect(await keys('b/')).toEqual(['b/10', 'b/2', 'b/c.y', 'b/c/1']);
      expect(await keys('b/c')).toEqual(['b/c.y', 'b/c/1']);
      expect(await keys('x/')).toEqual([]);
    });

    test('deletes one, and all of a folder', async () => {
      for (const key of ['a/1', 'a/2/3', 'ab', 'b']) await store.put(key, Buffer.from('x'));
      await store.delete('a/1');
      await store.delete('a/1');
      await store.delete('never');
      expect(await keys('')).toEqual(['a/2/3', 'ab', 'b']);
      await store.deleteAll('a/');
      await store.deleteAll('a/');
      // Others may write there meanwhile, and delete the same.
      const write = async (n: number) => {
        for (let at = 0; at < 5; at++) await store.put(`a/${n % 4}/${at}/${n}`, Buffer.from('x'));
      };
      const writing = Promise.all(Array.from({ length: 4 }, (_, n) => write(n)));
      for (let n = 0; n < 5; n++) await Promise.all([store.deleteAll('a/'), store.deleteAll('a/')]);
      await writing;
      await store.deleteAll('a/');
      expect(await keys('')).toEqual(['ab', 'b']);
    });

    test('is written and emptied by many at once', async () => {
      await Promise.all(
        Array.from({ length: 60 }, async (_, n) => {
          const key = `shared/${n % 6}/${n % 4}`;
          await store.put(key, Buffer.from(String(n)));
          await store.delete(`shared/${(n + 1) % 6}/${n % 3}`);
        }),
      );
      for await (const { key, bytes } of store.list('shared/')) expect([key, bytes > 0]).toEqual([key, true]);
      await store.put('shared/0/0', Buffer.from('last'));
      expect(await text('shared/0/0')).toBe('last');
    });

    test('refuses what is no key', async () => {
      for (const key of [
        '',
        '/a',
        'a/',
        'a//b',
        '../a',
        'a/..',
        '.a',
        'a\0',
        'a\\b',
        'x'.repeat(201),
        '\ud800',
      ]) {
        await expect((async () => store.put(key, Buffer.from('x')))()).rejects.toMatchObject({
          code: 'internal_error',
        });
        await expect((async () => store.get(key))()).rejects.toMatchObject({ code: 'internal_error' });
      }
      await expect((async () => store.deleteAll('a'))()).rejects.toMatchObject({ code: 'internal_error' });
      expect(await keys('')).toEqual([]);
    });
  });
}
