import { RhapsodeError } from '@rhapsode/contracts';
import type { ArtefactStore, BookRecord } from '@rhapsode/store';
import { bookFacts, readJson } from '../book-facts.ts';
import { planFolder } from '../layout.ts';
import { readRequest } from '../plan/plan-files.ts';
import { addNote, type NewNote } from './notes.ts';

/** To be called before it happens: who wants to be told of a book is told of this, too. */
export async function noteChange(
  event: NewNote['event'],
  { tenant, id, edition, facts }: BookRecord,
  artefacts: ArtefactStore,
): Promise<void> {
  const { home, plan } = readJson(bookFacts, facts);
  try {
    const { settings } = await readRequest(artefacts, planFolder({ tenant, id, home }, plan));
    if (settings.webhook !== undefined)
      await addNote(artefacts, { event, tenant, book: id, home, edition, url: settings.webhook });
  } catch (error) {
    // A book of which a part is gone can be cancelled and deleted all the same.
    if (!(error instanceof RhapsodeError && error.code === 'book_damaged')) throw error;
  }
}
