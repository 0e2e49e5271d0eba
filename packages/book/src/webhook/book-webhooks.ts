import type { ArtefactStore, BookRecord, BookStore } from '@rhapsode/store';
import { bookFacts, bookOutcome, readJson } from '../book-facts.ts';
import { viewOf } from '../book-view.ts';
import { planFolder } from '../layout.ts';
import { readRequest } from '../plan/plan-files.ts';
import { createOutbox, type OutboxDeps, type WebhookNote } from './outbox.ts';

export interface BookWebhooksDeps extends Omit<OutboxDeps, 'eventOf'> {
  readonly artefacts: ArtefactStore;
  readonly books: BookStore;
}

/** To be given to `runBooks`: tells those who want to know that a book has ended. */
export interface BookWebhooks {
  beforeEnd(book: BookRecord): Promise<void>;
  onEnded(): void;
  close(): Promise<void>;
}

export function createBookWebhooks(deps: BookWebhooksDeps): BookWebhooks {
  const { artefacts, books } = deps;
  const outbox = createOutbox({ ...deps, eventOf });

  /** From what the store says of the book, so that nothing is told that is not so. */
  async function eventOf({ tenant, book, edition }: WebhookNote) {
    const record = await books.get(tenant, book);
    // Deleted, or there is another edition, of which there will be another note.
    if (!record || record.edition !== edition) return null;
    if (record.outcome === undefined) return undefined;
    const { state, endedAtMs } = readJson(bookOutcome, record.outcome);
    const timestamp = new Date(endedAtMs).toISOString();
    return { type: `book.${state}`, timestamp, data: viewOf(record, undefined) };
  }

  return {
    async beforeEnd({ tenant, id, edition, facts }) {
      const { home, plan } = readJson(bookFacts, facts);
      const { settings } = await readRequest(artefacts, planFolder({ tenant, id, home }, plan));
      if (settings.webhook !== undefined)
        await outbox.note({ tenant, book: id, edition, url: settings.webhook });
    },
    onEnded: () => outbox.kick(),
    close: () => outbox.close(),
  };
}
