import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtefactStore } from '@rhapsode/store';
import {
  addNote,
  eventId,
  type NewNote,
  noteFolder,
  readNote,
  removeNote,
  type WebhookNote,
  writeNote,
} from './notes.ts';
import { type Sent, sendWebhook, type WebhookSettings } from './send.ts';

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
  note(to: NewNote): Promise<void>;
  /** Looks at once: something has ended. */
  kick(): void;
  close(): Promise<void>;
}

/** Messages under way; of them, those that were tried before, and those to one receiver: whoever is slow holds up itself. */
const most = { atOnce: 32, again: 16, toReceiver: 4 };
const minute = 60_000;
/** Each a time after the one before: ten tries in a day and a half. */
const usualRetries = [5_000, minute, 5 * minute, 30 * minute, 2 * 60 * minute, 5 * 60 * minute].concat(
  Array.from({ length: 3 }, () => 10 * 60 * minute),
);

/**
 * What is to be sent lies in the artefact store until a receiver has taken it, so it outlives every process, and any of them
 * may send it. It arrives at least once; a receiver tells a second copy by its `webhook-id`. Nothing is held in memory but what
 * is under way: what finds no room is found again when there is some.
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

  const write = (one: WebhookNote) => writeNote(artefacts, one);
  /** By the keys of their notes. */
  const underWay = new Map<string, { readonly note: WebhookNote; readonly ended: Promise<void> }>();
  /** Since the last look began: something found no room; there is room again. */
  let isLeft = false;
  let isFreed = false;

  async function deliver(one: WebhookNote, event: WebhookEvent): Promise<void> {
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
    await removeNote(artefacts, one);
  }

  function hasRoom(one: WebhookNote): boolean {
    const others = [...underWay.values()].map(({ note }) => note);
    const count = (same: (note: WebhookNote) => boolean) => others.filter(same).length;
    return (
      others.length < most.atOnce &&
      count(({ url }) => receiverOf(url) === receiverOf(one.url)) < most.toReceiver &&
      (one.attempts === 0 || count(({ attempts }) => attempts > 0) < most.again)
    );
  }

  function start(key: string, one: WebhookNote, event: WebhookEvent): void {
    const ended = deliver(one, event)
      .catch((error: unknown) => {
        if (!signal.aborted) onTrouble(error);
      })
      .finally(() => {
        underWay.delete(key);
        isFreed = true;
        if (isLeft) wake.abort();
      });
    underWay.set(key, { note: one, ended });
  }

  async function look(): Promise<void> {
    for await (const { key } of artefacts.list(noteFolder, { signal })) {
      if (underWay.has(key)) continue;
      const one = await readNote(artefacts, key);
      if (!one || one.nextAtMs > now()) continue;
      if (!hasRoom(one)) {
        isLeft = true;
        continue;
      }
      const event = await eventOf(one);
      if (event) start(key, one, event);
      else if (event === null || now() - one.notedAtMs > keepMs) await removeNote(artefacts, one);
    }
  }

  const looking = (async () => {
    while (!signal.aborted) {
      wake = new AbortController();
      [isLeft, isFreed] = [false, false];
      try {
        await look();
      } catch (error) {
        if (!signal.aborted) onTrouble(error);
      }
      if (isLeft && isFreed) continue;
      await sleep(lookEveryMs, undefined, { signal: AbortSignal.any([wake.signal, signal]) }).catch(() => {});
    }
  })();

  return {
    note: (to) => addNote(artefacts, to, now()),
    kick: () => wake.abort(),
    async close() {
      closing.abort();
      await looking;
      await Promise.all([...underWay.values()].map(({ ended }) => ended));
    },
  };
}

const receiverOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);
