import type { BookControl, BookLease, BookRecord, BookStore, NewBook } from './port.ts';

interface Entry {
  book: NewBook;
  sequence: number;
  edition: number;
  control: BookControl;
  fence: number;
  leaseUntilMs: number | undefined;
  /** When it began to wait, or may be claimed. */
  readyAtMs: number;
  turn: number;
  progress: string | undefined;
  outcome: string | undefined;
  readonly edits: Map<number, string>;
}

/** A book as it can be written down. */
export type KeptBook = Pick<Entry, 'book' | 'edition' | 'control' | 'outcome' | 'sequence'> & {
  readonly edits: readonly (readonly [number, string])[];
};

export interface MemoryBooks extends BookStore {
  kept(tenant: string, id: string): KeptBook | undefined;
}

export interface MemoryBooksOptions {
  readonly now?: () => number;
  /** Books to begin with. */
  readonly kept?: readonly KeptBook[];
}

/** The books of a single process. */
export function createMemoryBooks(options: MemoryBooksOptions = {}): MemoryBooks {
  const { now = () => performance.now(), kept = [] } = options;
  const books = new Map<string, Entry>();
  let sequence = 0;
  let fences = 0;
  const keyOf = ({ tenant, id }: { tenant: string; id: string }) => `${tenant}:${id}`;
  const find = (tenant: string, id: string) => books.get(`${tenant}:${id}`);
  const isLeased = (entry: Entry) => entry.leaseUntilMs !== undefined && entry.leaseUntilMs > now();
  const isOpen = ({ control, outcome }: Entry) => outcome === undefined && control !== 'cancel';
  const waits = (entry: Entry) =>
    entry.control === 'run' && entry.outcome === undefined && !isLeased(entry) && entry.readyAtMs <= now();
  const recordOf = (entry: Entry): BookRecord => ({
    ...entry.book,
    edition: entry.edition,
    control: entry.control,
    fence: entry.fence,
    leased: isLeased(entry),
    progress: entry.progress,
    outcome: entry.outcome,
  });
  const held = (lease: BookLease) => {
    const entry = books.get(keyOf(lease));
    return entry?.fence === lease.fence ? entry : undefined;
  };
  function queue(entry: Entry, delayMs = 0): void {
    entry.leaseUntilMs = undefined;
    entry.readyAtMs = now() + delayMs;
    entry.turn = sequence++;
  }
  /** As they will be claimed: an expired lease waits since it expired. */
  function waiting(): Entry[] {
    const sinceOf = (entry: Entry) => entry.leaseUntilMs ?? entry.readyAtMs;
    return [...books.values()].filter(waits).sort((a, b) => sinceOf(a) - sinceOf(b) || a.turn - b.turn);
  }

  const entryOf = (book: NewBook, fields: Partial<Entry> = {}): Entry => ({
    book: { ...book },
    sequence: sequence++,
    edition: 0,
    control: 'run',
    fence: 0,
    leaseUntilMs: undefined,
    readyAtMs: 0,
    turn: 0,
    progress: undefined,
    outcome: undefined,
    edits: new Map(),
    ...fields,
  });
  for (const { book, edits, edition, control, outcome } of kept.toSorted((a, b) => a.sequence - b.sequence)) {
    const entry = entryOf(book, { edition, control, outcome, edits: new Map(edits) });
    queue(entry);
    books.set(keyOf(book), entry);
  }

  return {
    kept(tenant, id) {
      const entry = find(tenant, id);
      if (!entry) return undefined;
      const { book, edition, control, outcome, sequence, edits } = entry;
      return { book, edition, control, outcome, sequence, edits: [...edits] };
    },
    async create(book, { maxOpen }) {
      const known = find(book.tenant, book.id);
      if (known) return { result: 'exists', book: recordOf(known) };
      const open = [...books.values()].filter((one) => one.book.tenant === book.tenant && isOpen(one));
      if (open.length >= maxOpen) return { result: 'over_limit' };
      const entry = entryOf(book);
      queue(entry);
      books.set(keyOf(book), entry);
      return { result: 'created', book: recordOf(entry) };
    },
    async get(tenant, id) {
      const entry = find(tenant, id);
      return entry && recordOf(entry);
    },
    async list(tenant, { after, limit }) {
      const own = [...books.values()].filter((entry) => entry.book.tenant === tenant);
      const behind = after === undefined ? undefined : find(tenant, after);
      if (after !== undefined && !behind) return [];
      return own
        .filter((entry) => !behind || entry.sequence < behind.sequence)
        .sort((a, b) => b.sequence - a.sequence)
        .slice(0, limit)
        .map(recordOf);
    },
    async ahead(tenant, id) {
      const entry = find(tenant, id);
      const at = entry ? waiting().indexOf(entry) : -1;
      return at < 0 ? undefined : at;
    },
    async control(tenant, id, control) {
      const entry = find(tenant, id);
      if (!entry) return undefined;
      const isRefused = control === 'pause' && entry.control === 'cancel';
      if (entry.outcome === undefined && entry.control !== control && !isRefused) {
        entry.control = control;
        if (control === 'run' && !isLeased(entry)) queue(entry);
      }
      return recordOf(entry);
    },
    async revise(tenant, id, expected, { requestDigest, facts, edits }) {
      const entry = find(tenant, id);
      if (!entry) return undefined;
      if (entry.edition !== expected) return recordOf(entry);
      entry.edition += 1;
      entry.outcome = undefined;
      entry.progress = undefined;
      if (entry.control === 'cancel') entry.control = 'run';
      entry.book = {
        ...entry.book,
        ...(requestDigest === undefined ? {} : { requestDigest }),
        ...(facts === undefined ? {} : { facts }),
      };
      for (const [sentence, edit] of edits ?? [])
        if (edit === '') entry.edits.delete(sentence);
        else entry.edits.set(sentence, edit);
      if (!isLeased(entry)) queue(entry);
      return recordOf(entry);
    },
    async edits(tenant, id) {
      return new Map(find(tenant, id)?.edits);
    },
    async delete(tenant, id) {
      return books.delete(`${tenant}:${id}`);
    },

    async claim(_owner, leaseMs) {
      const running = new Map<string, number>();
      for (const entry of books.values())
        if (isLeased(entry)) running.set(entry.book.tenant, (running.get(entry.book.tenant) ?? 0) + 1);
      const load = (entry: Entry) => running.get(entry.book.tenant) ?? 0;
      let best: Entry | undefined;
      for (const entry of waiting()) if (!best || load(entry) < load(best)) best = entry;
      if (!best) return undefined;
      best.fence = ++fences;
      best.leaseUntilMs = now() + leaseMs;
      const { tenant, id } = best.book;
      return { lease: { tenant, id, fence: best.fence }, book: recordOf(best) };
    },
    async renew(lease, leaseMs, progress) {
      const entry = held(lease);
      if (!entry) return undefined;
      entry.leaseUntilMs = now() + leaseMs;
      if (progress !== undefined && entry.outcome === undefined) entry.progress = progress;
      return recordOf(entry);
    },
    async release(lease, delayMs) {
      const entry = held(lease);
      if (entry) queue(entry, delayMs);
    },
    async settle(lease, edition, outcome) {
      const entry = held(lease);
      if (!entry || entry.edition !== edition || entry.control !== 'run') return false;
      if (entry.outcome !== undefined) return entry.outcome === outcome;
      entry.outcome = outcome;
      entry.leaseUntilMs = undefined;
      return true;
    },
    async ping() {},
    async close() {},
  };
}
