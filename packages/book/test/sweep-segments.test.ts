import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { afterEach, describe, expect, it } from 'vitest';
import { segmentKey } from '../src/layout.ts';
import { createSegmentStore } from '../src/segments/segment-store.ts';
import { sweepSegments } from '../src/segments/sweep-segments.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 10, 21, 12, 30);

/** Spoken sentences of a given age in files, as long as each other. */
async function setUp() {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-sweep-'));
  ends.push(() => rm(dir, { recursive: true, force: true }));
  const artefacts = createFsArtefacts({ dir });
  ends.push(() => artefacts.close());
  const segments = createSegmentStore(artefacts);
  const keyOf = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0');
  return {
    artefacts,
    async speak(tenant: string, name: string, ageHours: number) {
      const key = keyOf(name);
      const facts = {
        key,
        sampleRateHz: 16_000,
        marksFrom: 'none' as const,
        marks: [],
        attempt: 1,
        worker: 'w',
      };
      await segments.put(tenant, facts, new Uint8Array(2_000));
      const at = segmentKey(tenant, key);
      for await (const { key: found, bytes } of artefacts.list(at)) {
        const when = new Date(nowMs - ageHours * hourMs);
        await utimes(join(dir, ...found.split('/')), when, when);
        return bytes;
      }
      throw new Error('it is not there');
    },
    /** Those of these that are still there, whole. */
    async left(tenant: string, names: readonly string[]) {
      const found = await Promise.all(names.map((name) => segments.facts(tenant, keyOf(name))));
      return names.filter((_, n) => found[n]?.samples === 1_000);
    },
  };
}

describe('the sweep of spoken sentences', () => {
  it('forgets those that were kept long enough, and nothing else', async () => {
    const { artefacts, speak, left } = await setUp();
    await speak('a', 'old', 49);
    await speak('a', 'young', 47);
    await speak('b', 'older', 480);
    await artefacts.put('books/a/book/home/files/old.wav', Buffer.from('a book'));
    expect(await sweepSegments(artefacts, { maxAgeMs: 48 * hourMs }, { nowMs })).toEqual({ deleted: 2 });
    expect(await left('a', ['old', 'young'])).toEqual(['young']);
    expect(await left('b', ['older'])).toEqual([]);
    expect(await artefacts.head('books/a/book/home/files/old.wav')).toMatchObject({ bytes: 6 });
    expect(await sweepSegments(artefacts, {}, { nowMs })).toEqual({ deleted: 0 });
  });

  it('keeps each tenant below its size: the oldest go, and no more than must', async () => {
    const { artefacts, speak, left } = await setUp();
    const names = ['s0', 's1', 's2', 's3', 's4', 's5'];
    let bytes = 0;
    for (const [age, name] of names.entries()) bytes = await speak('a', name, 10 * age);
    await speak('b', 's5', 1_000);
    expect(await sweepSegments(artefacts, { maxBytes: 4 * bytes }, { nowMs })).toEqual({ deleted: 2 });
    expect(await left('a', names)).toEqual(['s0', 's1', 's2', 's3']);
    expect(await left('b', names)).toEqual(['s5']);
    expect(await sweepSegments(artefacts, { maxBytes: 4 * bytes }, { nowMs })).toEqual({ deleted: 0 });
    // A byte too much is a sentence too much; of one hour only as many as must.
    for (const name of ['t0', 't1', 't2']) await speak('c', name, 5);
    await speak('c', 'u', 0);
    expect(await sweepSegments(artefacts, { maxBytes: 3 * bytes - 1 }, { nowMs })).toEqual({
      deleted: 2 + 2,
    });
    expect(await left('c', ['u'])).toEqual(['u']);
    expect(await left('c', ['t0', 't1', 't2'])).toHaveLength(1);
    expect(await left('a', names)).toEqual(['s0', 's1']);
  });

  it('stops when it is told to', async () => {
    const { artefacts, speak, left } = await setUp();
    await speak('a', 'old', 49);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(sweepSegments(artefacts, { maxAgeMs: hourMs }, { nowMs, signal })).rejects.toThrow('enough');
    expect(await left('a', ['old'])).toEqual(['old']);
  });
});
