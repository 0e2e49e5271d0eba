import { createHash } from 'node:crypto';
import { type ArtefactStore, readWhole } from '@rhapsode/store';
import { z } from 'zod';

/** Something became of a book, or is about to: somebody wants to be told. */
const note = z.object({
  event: z.enum(['ended', 'cancelled', 'deleted']).default('ended'),
  tenant: z.string(),
  book: z.string(),
  /** Tells it from a book that had its name before. */
  home: z.string().default(''),
  edition: z.int(),
  url: z.string(),
  attempts: z.int(),
  notedAtMs: z.number(),
  nextAtMs: z.number(),
});
export type WebhookNote = z.infer<typeof note>;
export type NewNote = Omit<WebhookNote, 'attempts' | 'notedAtMs' | 'nextAtMs'>;

export const noteFolder = 'webhooks/';

/** An edition ends once, however often that is noted; a book may be cancelled again while the first time is still being told. */
const nameOf = ({ event, home, edition, notedAtMs }: WebhookNote) =>
  [edition, event, home, ...(event === 'ended' ? [] : [notedAtMs])].join('-');
const keyOf = (one: WebhookNote) => `${noteFolder}${one.tenant}/${one.book}/${nameOf(one)}.json`;

/** Durable when it resolves. To be written before what it tells of is done, so that no crash comes between. */
export async function addNote(artefacts: ArtefactStore, to: NewNote, atMs = Date.now()): Promise<void> {
  await writeNote(artefacts, { ...to, attempts: 0, notedAtMs: atMs, nextAtMs: atMs });
}

export const writeNote = (artefacts: ArtefactStore, one: WebhookNote) =>
  artefacts.put(keyOf(one), Buffer.from(JSON.stringify(one)));

export const removeNote = (artefacts: ArtefactStore, one: WebhookNote) => artefacts.delete(keyOf(one));

export async function readNote(artefacts: ArtefactStore, key: string): Promise<WebhookNote | undefined> {
  const bytes = await readWhole(artefacts, key);
  if (!bytes) return undefined;
  const parsed = note.safeParse(JSON.parse(bytes.toString()));
  return parsed.success ? parsed.data : undefined;
}

/** The same for every try, so that a receiver can tell. */
export function eventId(one: WebhookNote): string {
  const of = `${one.tenant}/${one.book}/${nameOf(one)}`;
  return `msg_${createHash('sha256').update(of).digest('base64url').slice(0, 27)}`;
}
