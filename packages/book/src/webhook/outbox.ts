import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ArtefactStore, readWhole } from '@rhapsode/store';
import { z } from 'zod';
import { type Sent, sendWebhook, type WebhookSettings } from './send.ts';

/** A book that has ended, or is about to: somebody wants to be told. */
const note = z.object({
  tenant: z.string(),
  book: z.string(),
  edition: z.int(),
  url: z.string(),
  attempts: z.int(),
  notedAtMs: z.number(),
  nextAtMs: z.number(),
});
export type WebhookNote = z.infer<typeof note>;

export interface OutboxDeps {
  readonly artefacts: ArtefactStore;
  readonly settings: WebhookSettings;
  /** What is to be told of this edition; undefined as long as it has not ended, null if it never will. */
  readonly eventOf: (note: WebhookNote) => Promise<WebhookEvent | undefined | null>;
  readonly onGivenUp?: (note: WebhookNote, reason: string) => void;
  readonly onTrouble?: (error: unknown) => void;
  readonly now?: () => number;
  /** How often the notes are looked through. */
  readonly lookEveryMs?: number;
  readonly retryAfterMs?: readonly number[];
  /** A note of a book that has not ended is kept for so long: whoever made it died before. */
  readonly keepMs?: number;
}

export interface WebhookEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: unknown;
}

export interface Outbox {
  /** Durable when it resolves. To be called before the book is settled, so that no crash comes between. */
  note(to: Pick<WebhookNote, 'tenant' | 'book' | 'edition' | 'url'>): Promise<void>;
  /** Looks at once: something has ended. */
  kick(): void;
  close(): Promise<void>;
}

const folder = 'webhooks/';
const minute = 60_000;
/** Each a time after the one before: ten tries in a day and a half. */
const usualRetries = [5_000, minute, 5 * minute, 30 * minute, 2 * 60 * minute, 5 * 60 * minute].concat(
  Array.from({ length: 3 }, () => 10 * 60 * minute),
);

/**
 * What is to be sent lies in the artefact store until a receiver has taken it, so it outlives every process, and any of them
 * may send it. It arrives at least once; a receiver tells a second copy by its `webhook-id`.
 */
export function createOutbox(deps: OutboxDeps): Outbox {
  const {
    artefacts,
    settings,
    eventOf,
    now = Date.now,
    lookEveryMs = 5_000,
    retryAfterMs = usualRetries,
  } = deps;
  const { onGivenUp = () => {}, onTrouble = () => {}, keepMs = 3 * 24 * 60 * minute } = deps;
  const closing = new AbortController();
  const { signal } = closing;
  let wake = new AbortController();

  const keyOf = ({ tenant, book, edition }: Pick<WebhookNote, 'tenant' | 'book' | 'edition'>) =>
    `${folder}${tenant}/${book}/${edition}.json`;
  const write = (one: WebhookNote) => artefacts.put(keyOf(one), Buffer.from(JSON.stringify(one)));

  async function deliver(one: WebhookNote): Promise<void> {
    const event = await eventOf(one);
    if (event === null || (event === undefined && now() - one.notedAtMs > keepMs)) {
      await artefacts.delete(keyOf(one));
      return;
    }
    if (event === undefined) return;
    const delayMs = retryAfterMs[one.attempts];
    // Others leave it alone meanwhile; should this process die, they find it when the time has come.
    await write({ ...one, attempts: one.attempts + 1, nextAtMs: now() + (delayMs ?? lookEveryMs) + 30_000 });
    const sent: Sent = await sendWebhook(
      {
        url: one.url,
        id: eventId(one),
        timestampSeconds: Math.floor(now() / 1000),
        body: JSON.stringify(event),
      },
      settings,
      signal,
    );
    if (!sent.ok && sent.again && delayMs !== undefined) {
      await write({ ...one, attempts: one.attempts + 1, nextAtMs: now() + delayMs });
      return;
    }
    if (!sent.ok) onGivenUp(one, sent.reason);
    await artefacts.delete(keyOf(one));
  }

  async function look(): Promise<void> {
    for await (const { key } of artefacts.list(folder, { signal })) {
      const one = await readNote(artefacts, key);
      if (one && one.nextAtMs <= now()) await deliver(one);
    }
  }

  const looking = (async () => {
    while (!signal.aborted) {
      wake = new AbortController();
      try {
        await look();
      } catch (error) {
        if (!signal.aborted) onTrouble(error);
      }
      await sleep(lookEveryMs, undefined, { signal: AbortSignal.any([wake.signal, signal]) }).catch(() => {});
    }
  })();

  return {
    async note(to) {
      const at = now();
      await write({ ...to, attempts: 0, notedAtMs: at, nextAtMs: at });
    },
    kick: () => wake.abort(),
    async close() {
      closing.abort();
      await looking;
    },
  };
}

/** The same for every try, so that a receiver can tell. */
const eventId = ({ tenant, book, edition }: WebhookNote): string =>
  `msg_${createHash('sha256').update(`${tenant}/${book}/${edition}`).digest('base64url').slice(0, 27)}`;

async function readNote(artefacts: ArtefactStore, key: string): Promise<WebhookNote | undefined> {
  const bytes = await readWhole(artefacts, key);
  if (!bytes) return undefined;
  const parsed = note.safeParse(JSON.parse(bytes.toString()));
  return parsed.success ? parsed.data : undefined;
}
