import { readWhole } from '../artefacts/body.ts';
import type { ArtefactStore } from '../artefacts/port.ts';
import { createMemoryBooks, type KeptBook, type MemoryBooksOptions } from './memory.ts';
import type { BookStore } from './port.ts';

const folder = 'shelf/';

/**
 * The books of a single process that are there again when it starts again: in memory, and after every change that matters as
 * an artefact. Leases are of this process alone, so none outlives it.
 */
export async function createKeptBooks(
  artefacts: ArtefactStore,
  options: Pick<MemoryBooksOptions, 'now'> = {},
): Promise<BookStore> {
  const kept: KeptBook[] = [];
  for await (const { key } of artefacts.list(folder)) {
    const bytes = await readWhole(artefacts, key);
    if (bytes) kept.push(JSON.parse(bytes.toString()) as KeptBook);
  }
  const memory = createMemoryBooks({ ...options, kept });
  const keyOf = (tenant: string, id: string) => `${folder}${tenant}/${id}.json`;
  const turns = new Map<string, Promise<unknown>>();

  /** What is answered is kept; changes of one book are kept in their order. */
  async function keep<T>(tenant: string, id: string, change: () => Promise<T>): Promise<T> {
    const answer = await change();
    const key = keyOf(tenant, id);
    const turn = (turns.get(key) ?? Promise.resolve())
      .catch(() => {})
      .then(async () => {
        const book = memory.kept(tenant, id);
        if (book) await artefacts.put(key, Buffer.from(JSON.stringify(book)));
        else await artefacts.delete(key);
      });
    turns.set(key, turn);
    try {
      await turn;
    } finally {
      if (turns.get(key) === turn) turns.delete(key);
    }
    return answer;
  }

  return {
    ...memory,
    create: (book, limits) => keep(book.tenant, book.id, () => memory.create(book, limits)),
    control: (tenant, id, control) => keep(tenant, id, () => memory.control(tenant, id, control)),
    revise: (tenant, id, expected, change) =>
      keep(tenant, id, () => memory.revise(tenant, id, expected, change)),
    delete: (tenant, id) => keep(tenant, id, () => memory.delete(tenant, id)),
    settle: (lease, edition, outcome) =>
      keep(lease.tenant, lease.id, () => memory.settle(lease, edition, outcome)),
  };
}
