import { describe, expect, test } from 'vitest';
import { ok, plenty, pool, submitted, utteranceOf } from '../src/conformance/fixtures.ts';
import { storeConformance } from '../src/conformance.ts';
import { createMemoryStore, type StoreFaults } from '../src/memory.ts';

storeConformance('memory', (options) => createMemoryStore(options));

describe('faults of the memory store', () => {
  const unavailable = expect.objectContaining({ code: 'store_unavailable' });
  const release = { room: plenty, limit: 9 };

  test('a lost answer has had its effect, and is lost once', async () => {
    const faults: StoreFaults = {};
    const store = createMemoryStore({ faults });
    const { id } = await submitted(store, 3);
    faults.loseAnswer = 'release';
    await expect(store.release(pool, release)).rejects.toEqual(unavailable);
    expect(faults.loseAnswer).toBeUndefined();
    expect(await store.release(pool, release)).toEqual([]);
    expect(await store.overdue(pool, { olderThanMs: 0, limit: 9 })).toHaveLength(3);
    expect(await store.get(id)).toMatchObject({ released: 3 });
  });

  test('a refused call has no effect, and is refused once', async () => {
    const faults: StoreFaults = { refuse: 'create' };
    const store = createMemoryStore({ faults });
    await expect(store.create(utteranceOf(), { maxOpen: 1 })).rejects.toEqual(unavailable);
    expect(await store.create(utteranceOf(), { maxOpen: 1 })).toBe('created');
  });

  test('while it is down, every call is refused; what was there is there afterwards', async () => {
    const faults: StoreFaults = {};
    const store = createMemoryStore({ faults });
    const { id } = await submitted(store, 1);
    faults.down = true;
    await expect(store.ping()).rejects.toEqual(unavailable);
    await expect(store.finished(id, 0, 0, ok)).rejects.toEqual(unavailable);
    faults.down = false;
    expect(await store.release(pool, release)).toHaveLength(1);
  });

  test('a closed store refuses every call', async () => {
    const store = createMemoryStore();
    await store.close();
    await expect(store.get('utterance0')).rejects.toEqual(unavailable);
  });
});
