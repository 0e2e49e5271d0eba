import { setTimeout as sleep } from 'node:timers/promises';
import { asRhapsodeError } from '@rhapsode/contracts';
import type { BookRecord, ClaimedBook } from '@rhapsode/store';
import { bookFacts, readJson } from '../book-facts.ts';
import { type BookPlace, homeFolder } from '../layout.ts';
import { SpeechStopped } from '../speak/speak-sentences.ts';
import { type BookRun, type RunDeps, runBook } from './run-book.ts';

export interface RunBooksOptions {
  /** Name of this process, for those who look. */
  readonly owner: string;
  /** Books at once. */
  readonly atOnce?: number;
  /** Who is not heard of for this long loses its books to others. */
  readonly leaseMs?: number;
  readonly lookEveryMs?: number;
  /** Called before it is said that a book has ended, and may be called for one that then has not. */
  readonly beforeEnd?: (book: BookRecord) => Promise<void>;
  readonly onEnded?: (book: BookRecord, outcome: string) => Promise<void> | void;
}

export interface RunningBooks {
  running(): number;
  /** Gives back what runs, for others to go on with, and takes nothing more. */
  close(): Promise<void>;
}

/** Others may go on with it at once. */
class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const told = ({ progress }: BookRun, { edition }: BookRecord): string =>
  JSON.stringify({ ...progress.snapshot(), edition });

class BookDeleted extends SpeechStopped {}

const retryMs = { first: 500, most: 30_000 };

/**
 * Claims books and makes them, as long as it lives. Any number of processes may do that; each book is made by one of them at
 * a time, and where a lease was lost while its holder still works, both make the same bytes.
 */
export function runBooks(deps: RunDeps, options: RunBooksOptions): RunningBooks {
  const { owner, atOnce = 4, leaseMs = 6_000, lookEveryMs = 500, beforeEnd, onEnded } = options;
  const { artefacts, books, observer } = deps;
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  const troubles = new Map<string, number>();

  async function work({ lease, book }: ClaimedBook): Promise<void> {
    const stop = new AbortController();
    const name = `${lease.tenant}/${lease.id}`;
    const interrupt = () => stop.abort(new Interrupted('this process ends'));
    closing.signal.addEventListener('abort', interrupt, { once: true });
    const run = runBook(lease, book, deps, stop.signal);
    run.ended.catch(() => {});
    const renewing = renewUntil(run, lease, book, stop);
    try {
      const outcome = JSON.stringify(await run.ended);
      await beforeEnd?.(book);
      // What can't be said now is said later: the next one who runs the book finds all of it made.
      if (await books.settle(lease, book.edition, outcome)) {
        troubles.delete(name);
        await onEnded?.(book, outcome);
      } else await books.release(lease, 0);
    } catch (error) {
      if (!stop.signal.aborted) {
        observer.trouble('book', error, { book: name, code: asRhapsodeError(error).code });
        troubles.set(name, (troubles.get(name) ?? 0) + 1);
      }
      // Whoever goes on counts from here.
      await books.renew(lease, leaseMs, told(run, book)).catch(() => {});
      const delayMs = stop.signal.aborted
        ? 0
        : Math.min(retryMs.most, retryMs.first * 2 ** ((troubles.get(name) ?? 1) - 1));
      await books
        .release(lease, delayMs)
        .catch((failure: unknown) => observer.trouble('release', failure, { book: name }));
    } finally {
      const { reason } = stop.signal;
      stop.abort(new Interrupted('it has ended'));
      // Whoever deleted it did not see what was written since.
      if (reason instanceof BookDeleted) await artefacts.deleteAll(homeFolder(placeOf(book)));
      closing.signal.removeEventListener('abort', interrupt);
      await renewing;
    }
  }

  /** Keeps the lease, tells how far the book is, and hears what is to become of it. */
  async function renewUntil(
    run: BookRun,
    lease: ClaimedBook['lease'],
    book: BookRecord,
    stop: AbortController,
  ) {
    let goodMs = performance.now();
    while (!stop.signal.aborted) {
      await sleep(leaseMs / 6, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      try {
        const now = await books.renew(lease, leaseMs, told(run, book));
        goodMs = performance.now();
        if (stop.signal.aborted) return;
        const gone = now === undefined && (await books.get(lease.tenant, lease.id)) === undefined;
        if (gone) stop.abort(new BookDeleted());
        else if (now === undefined) stop.abort(new Interrupted('somebody else runs it'));
        else if (now.control !== 'run') stop.abort(new SpeechStopped(`the book is to ${now.control}`));
        else if (now.edition !== book.edition) stop.abort(new Interrupted('there is a new edition'));
      } catch (error) {
        // By now somebody else may run it, who finds what this one makes.
        if (performance.now() - goodMs > 10 * leaseMs) observer.trouble('renew', error, { book: lease.id });
      }
    }
  }

  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      let claimed: ClaimedBook | undefined;
      try {
        claimed = running.size < atOnce ? await books.claim(owner, leaseMs) : undefined;
      } catch (error) {
        observer.trouble('claim', error);
      }
      if (claimed) {
        const working: Promise<void> = work(claimed)
          .catch((error: unknown) => observer.trouble('book', error, { book: claimed.lease.id }))
          .finally(() => running.delete(working));
        running.add(working);
        if (!closing.signal.aborted) continue;
      }
      await sleep(lookEveryMs, undefined, { signal: closing.signal }).catch(() => {});
    }
  }
  const looking = look();

  return {
    running: () => running.size,
    async close() {
      closing.abort();
      await looking;
      await Promise.all(running);
    },
  };
}

const placeOf = ({ tenant, id, facts }: BookRecord): BookPlace => ({
  tenant,
  id,
  home: readJson(bookFacts, facts).home,
});
