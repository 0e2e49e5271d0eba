import { type ArtefactStore, type BookStore, readWhole } from '@rhapsode/store';
import { z } from 'zod';
import { bookFacts, readJson } from './book-facts.ts';
import { type BookPlace, homeFolder, planFolder } from './layout.ts';

/**
 * What nobody will ask for, should a process die in between: a plan that is being made for a book that is not there yet, the
 * plan of an edition that is followed by another, the home of a book that is being deleted. Each is marked before that begins,
 * and the mark goes when it is certain what became of it. Who sweeps looks at old marks only, and asks the store of books before
 * it removes anything: what has no mark is never touched, whoever else keeps books in the same artefact store.
 */
const folder = 'leftovers/';

const marked = z.object({
  tenant: z.string(),
  id: z.string(),
  home: z.string(),
  plan: z.string().optional(),
});

const keyOf = ({ tenant, id, home }: BookPlace, plan: string | undefined) =>
  `${folder}${tenant}/${id}/${home}/${plan ?? 'home'}.json`;

/** `plan`: that one alone; without it, all of the book. */
export async function markLeftover(artefacts: ArtefactStore, at: BookPlace, plan?: string): Promise<void> {
  const { tenant, id, home } = at;
  await artefacts.put(keyOf(at, plan), Buffer.from(JSON.stringify({ tenant, id, home, plan })));
}

export const unmarkLeftover = (artefacts: ArtefactStore, at: BookPlace, plan?: string): Promise<void> =>
  artefacts.delete(keyOf(at, plan));

/** Longer than anything of a book is under way without being said in the store of books. */
const usualAgeMs = 24 * 3_600_000;

/** Removes what was left over, and the marks of what was not. */
export async function sweepLeftovers(
  { artefacts, books }: { readonly artefacts: ArtefactStore; readonly books: Pick<BookStore, 'get'> },
  {
    ageMs = usualAgeMs,
    nowMs = Date.now(),
    signal,
  }: { ageMs?: number; nowMs?: number; signal?: AbortSignal } = {},
): Promise<{ removed: number }> {
  let removed = 0;
  for await (const { key, modifiedAtMs } of artefacts.list(folder, signal ? { signal } : {})) {
    if (modifiedAtMs > nowMs - ageMs) continue;
    const bytes = await readWhole(artefacts, key);
    if (!bytes) continue;
    const { plan, ...at } = marked.parse(JSON.parse(bytes.toString()));
    const record = await books.get(at.tenant, at.id);
    const facts = record && readJson(bookFacts, record.facts);
    const isNeeded = facts?.home === at.home && (plan === undefined || facts.plan === plan);
    if (!isNeeded) {
      await artefacts.deleteAll(plan === undefined ? homeFolder(at) : planFolder(at, plan));
      removed++;
    }
    await artefacts.delete(key);
  }
  return { removed };
}
