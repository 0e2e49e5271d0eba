import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createFsArtefacts } from '../src/artefacts/fs.ts';
import { createMemoryArtefacts } from '../src/artefacts/memory.ts';
import { bookConformance } from '../src/books/conformance.ts';
import { createKeptBooks } from '../src/books/kept.ts';

bookConformance('memory and artefacts', (options) => createKeptBooks(createMemoryArtefacts(), options));

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function folder() {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-kept-'));
  ends.push(() => rm(dir, { recursive: true, force: true }));
  return () => createKeptBooks(createFsArtefacts({ dir }));
}
const book = (id: string) => ({
  tenant: 't',
  id,
  createdAtMs: 1,
  requestDigest: `d-${id}`,
  facts: `{"f":"${id}"}`,
});

describe('the books that a single process keeps', () => {
  it('are there again when it starts again, with what was said of them, in their order', async () => {
    const open = await folder();
    const before = await open();
    for (const id of ['a', 'b', 'c', 'd', 'gone']) await before.create(book(id), { maxOpen: 9 });
    const claimed = (await before.claim('w', 60_000))!;
    expect(claimed.book.id).toBe('a');
    await before.settle(claimed.lease, 0, '{"state":"succeeded"}');
    await before.revise('t', 'b', 0, { facts: '{"f":"new"}', edits: new Map([[3, 'x']]) });
    await before.control('t', 'c', 'pause');
    await before.delete('t', 'gone');
    // Under way when the process dies.
    expect(await before.claim('w', 60_000)).toBeDefined();

    const after = await open();
    expect((await after.list('t', { limit: 9 })).map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
    expect(await after.get('t', 'a')).toMatchObject({
      outcome: '{"state":"succeeded"}',
      requestDigest: 'd-a',
    });
    expect(await after.get('t', 'b')).toMatchObject({ edition: 1, facts: '{"f":"new"}', leased: false });
    expect(await after.edits('t', 'b')).toEqual(new Map([[3, 'x']]));
    expect(await after.get('t', 'c')).toMatchObject({ control: 'pause' });
    expect(await after.get('t', 'gone')).toBeUndefined();
    const next = [
      await after.claim('w', 60_000),
      await after.claim('w', 60_000),
      await after.claim('w', 60_000),
    ];
    expect(next.map((one) => one?.book.id)).toEqual(['b', 'd', undefined]);
    // A new book comes behind those of before.
    await after.create(book('e'), { maxOpen: 9 });
    expect((await (await open()).list('t', { limit: 1 })).map(({ id }) => id)).toEqual(['e']);
  });

  it('are kept as they were changed last, however many changes there are at once', async () => {
    const open = await folder();
    const before = await open();
    await before.create(book('a'), { maxOpen: 9 });
    const controls = ['pause', 'run', 'pause', 'cancel', 'run', 'pause'] as const;
    await Promise.all(controls.map((control) => before.control('t', 'a', control)));
    expect(await (await open()).get('t', 'a')).toMatchObject({ control: 'pause' });
    await Promise.all([before.control('t', 'a', 'run'), before.delete('t', 'a')]);
    expect(await (await open()).get('t', 'a')).toBeUndefined();
  });
});
