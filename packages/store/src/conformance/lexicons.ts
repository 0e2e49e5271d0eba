import { describe, expect, test } from 'vitest';
import { freshStore, type StoreFactory, ttlMs } from './fixtures.ts';

export function lexiconConformance(name: string, factory: StoreFactory): void {
  describe(`${name}: lexicons`, () => {
    const here = freshStore(factory);
    const limits = { most: 2 };

    test('keeps a text under a name of a tenant until it is replaced or deleted', async () => {
      const { store, clock } = here;
      expect(await store.putLexicon('a', 'names', '["ä"]', limits)).toBe('created');
      expect(await store.putLexicon('b', 'names', '["b"]', limits)).toBe('created');
      expect(await store.putLexicon('a', 'names', '["c"]', limits)).toBe('replaced');
      clock.advance(100 * ttlMs);
      expect(await store.lexicon('a', 'names')).toBe('["c"]');
      expect(await store.lexicon('b', 'names')).toBe('["b"]');
      expect(await store.deleteLexicon('a', 'names')).toBe(true);
      expect(await store.deleteLexicon('a', 'names')).toBe(false);
      expect(await store.lexicon('a', 'names')).toBeUndefined();
      expect(await store.lexicon('b', 'names')).toBe('["b"]');
    });

    test('lists the names of a tenant in order, and takes no more of them than may be', async () => {
      const { store } = here;
      expect(await store.lexicons('a')).toEqual([]);
      for (const name of ['b', 'a']) await store.putLexicon('a', name, '[]', limits);
      expect(await store.putLexicon('a', 'c', '[]', limits)).toBe('over_limit');
      expect(await store.putLexicon('a', 'b', '[1]', limits)).toBe('replaced');
      expect(await store.putLexicon('other', 'c', '[]', limits)).toBe('created');
      expect(await store.lexicons('a')).toEqual(['a', 'b']);
    });
  });
}
