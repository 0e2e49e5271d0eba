import type { ArtefactStore, BookRecord, BookStore } from '@rhapsode/store';
import { bookFacts, bookOutcome, readJson } from '../book-facts.ts';
import { viewOf } from '../book-view.ts';
import { noteChange } from './note-change.ts';
import type { WebhookNote } from './notes.ts';
import { createOutbox, type OutboxDeps, type WebhookEvent } from './outbox.ts';

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

/** What was noted and has not come to be after this long will not. */
const changeMs = 60_000;

export function createBookWebhooks(deps: BookWebhooksDeps): BookWebhooks {
  const { artefacts, books, now = Date.now } = deps;
  const outbox = createOutbox({ ...deps, eventOf });

  /** From what the store says of the book, so that nothing is told that is not so. */
  async function eventOf(note: WebhookNote): Promise<WebhookEvent | undefined | null> {
    const found = await books.get(note.tenant, note.book);
    const isSame = found !== undefined && [readJson(bookFacts, found.facts).home, ''].includes(note.home);
    const record = isSame ? found : undefined;
    const notYet = now() - note.notedAtMs > changeMs ? null : undefined;
    const noted = new Date(note.notedAtMs).toISOString();
    const { book: id, edition } = note;
    if (note.event === 'deleted')
      return record
        ? notYet
        : { type: 'book.deleted', timestamp: noted, data: { id, object: 'book', edition, deleted: true } };
    // Deleted, or there is another edition, of which there will be another note.
    if (!record || record.edition !== edition) return null;
    const { outcome, control } = record;
    if (note.event === 'cancelled') {
      if (outcome !== undefined) return null;
      if (control !== 'cancel') return notYet;
      return { type: 'book.cancelled', timestamp: noted, data: viewOf(record, undefined) };
    }
    if (outcome === undefined) return undefined;
    const { state, endedAtMs } = readJson(bookOutcome, outcome);
    const timestamp = new Date(endedAtMs).toISOString();
    return { type: `book.${state}`, timestamp, data: viewOf(record, undefined) };
  }

  return {
    beforeEnd: (book) => noteChange('ended', book, artefacts),
    onEnded: () => outbox.kick(),
    close: () => outbox.close(),
  };
}
