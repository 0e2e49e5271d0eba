import { afterEach, describe, expect, it } from 'vitest';
import { sweepLeftovers } from '../src/leftovers.ts';
import { type Bench, bench } from './support/book-bench.ts';

let here: Bench;
afterEach(() => here.close());

const text = 'The morning was silver. Nobody spoke.';
const tomorrow = () => Date.now() + 25 * 3_600_000;
const sweep = (nowMs = tomorrow()) =>
  sweepLeftovers({ artefacts: here.artefacts, books: here.store }, { nowMs });
async function keys(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of here.artefacts.list(prefix)) found.push(key);
  return found;
}
const plans = async () => (await keys('books/')).filter((key) => key.endsWith('/plan.json')).length;

describe('the sweep of leftovers', () => {
  it('finds nothing where nothing went wrong, and touches no book', async () => {
    here = await bench();
    here.run();
    await here.create('a', text);
    await here.ended('a');
    await here.create('a', `${text} More.`, {}, 0);
    await here.ended('a');
    expect(await keys('leftovers/')).toEqual([]);
    const before = await keys('books/');
    expect(await sweep()).toEqual({ removed: 0 });
    expect(await keys('books/')).toEqual(before);
    expect(await plans()).toBe(1);
  });

  it('removes the plan of an upload that nobody could finish, when it is old', async () => {
    here = await bench();
    const { create } = here.store;
    here.store.create = async () => {
      throw new Error('the process dies here');
    };
    await expect(here.create('a', text)).rejects.toThrow('dies');
    here.store.create = create;
    expect(await plans()).toBe(1);
    expect(await sweep(Date.now())).toEqual({ removed: 0 });
    expect(await plans()).toBe(1);
    expect(await sweep()).toEqual({ removed: 1 });
    expect([await keys('books/'), await keys('leftovers/')]).toEqual([[], []]);
  });

  it('keeps the plan of a book that was created although its creator never heard of it', async () => {
    here = await bench();
    const { create } = here.store;
    here.store.create = async (...given) => {
      await create(...given);
      throw new Error('the answer is lost');
    };
    await expect(here.create('a', text)).rejects.toThrow('lost');
    here.store.create = create;
    expect(await keys('leftovers/')).toHaveLength(1);
    expect(await sweep()).toEqual({ removed: 0 });
    expect(await keys('leftovers/')).toEqual([]);
    here.run();
    expect(await here.ended('a')).toMatchObject({ state: 'succeeded' });
  });

  it('removes the plan that an edition replaced while its creator died, and keeps the new one', async () => {
    here = await bench();
    await here.create('a', text);
    const { revise } = here.store;
    here.store.revise = async (...given) => {
      await revise(...given);
      throw new Error('the process dies here');
    };
    await expect(here.create('a', `${text} More.`, {}, 0)).rejects.toThrow('dies');
    here.store.revise = revise;
    expect(await plans()).toBe(2);
    expect(await sweep()).toEqual({ removed: 1 });
    expect(await plans()).toBe(1);
    here.run();
    expect(await here.ended('a')).toMatchObject({ state: 'succeeded', edition: 1, sentences: 3 });
  });

  it('removes what is written of a book after it was deleted, and nothing of one that has its name now', async () => {
    here = await bench();
    await here.create('a', text);
    const [one] = await keys('books/acme/a/');
    await here.books.delete('acme', 'a');
    await here.artefacts.put(one!, Buffer.from('late'));
    await here.create('a', text);
    expect(await sweep()).toEqual({ removed: 1 });
    expect(await keys('books/')).not.toContain(one);
    expect(await plans()).toBe(1);
    here.run();
    expect(await here.ended('a')).toMatchObject({ state: 'succeeded' });
  });
});
