import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createBookWebhooks,
  createInFlight,
  createSegmentStore,
  renderBook,
  renderChapter,
  runBooks,
  sweepLeftovers,
  sweepSegments,
  webhookSettings,
} from '@rhapsode/book';
import type { AudioLog } from '@rhapsode/log';
import type { Dispatcher, Observer } from '@rhapsode/pipeline';
import type { ArtefactStore, BookStore, RequestStore } from '@rhapsode/store';
import type { Lifecycle, Log } from '@rhapsode/telemetry';
import type { CollectorConfig } from './config.ts';

export interface BookWorkDeps {
  readonly store: RequestStore;
  readonly bookStore: BookStore;
  readonly artefacts: ArtefactStore;
  readonly audioLog: AudioLog;
  readonly dispatcher: Dispatcher;
  readonly observer: Observer;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

const sweepEveryMs = 3_600_000;

/** Makes the books that wait, and forgets sentences that were kept long enough; gives back what it has when it closes. */
export function startBooks(
  {
    booksAtOnce,
    keepSentenceDays,
    keepSentencesMb,
    ...config
  }: Pick<
    CollectorConfig,
    'booksAtOnce' | 'keepSentenceDays' | 'keepSentencesMb' | 'webhookSecret' | 'webhookPrivate'
  >,
  deps: BookWorkDeps,
): void {
  const { store, bookStore, artefacts, audioLog, dispatcher, observer, lifecycle, log } = deps;
  if (booksAtOnce > 0) {
    const settings = webhookSettings(config);
    const webhooks =
      settings &&
      createBookWebhooks({
        artefacts,
        books: bookStore,
        settings,
        onTrouble: (error) => observer.trouble('webhooks', error),
        onGivenUp: ({ tenant, book }, reason) => log.warn({ tenant, book, reason }, 'a webhook was given up'),
      });
    if (webhooks) lifecycle.onClose('webhooks', () => webhooks.close());
    const running = runBooks(
      {
        store,
        log: audioLog,
        dispatcher,
        observer,
        artefacts,
        books: bookStore,
        segments: createSegmentStore(artefacts),
        inFlight: createInFlight(),
        render: { book: renderBook, chapter: renderChapter },
      },
      {
        owner: `${hostname()}-${randomUUID().slice(0, 8)}`,
        atOnce: booksAtOnce,
        ...(webhooks ? { beforeEnd: webhooks.beforeEnd } : {}),
        onEnded({ id, tenant }, outcome) {
          log.info({ book: id, tenant, outcome }, 'a book has ended');
          webhooks?.onEnded();
        },
      },
    );
    lifecycle.onClose('books at work', () => running.close());
  }
  void sweepForever();

  async function sweepForever(): Promise<void> {
    const signal = lifecycle.draining;
    const limits = {
      maxAgeMs: keepSentenceDays * 86_400_000,
      ...(keepSentencesMb === undefined ? {} : { maxBytes: keepSentencesMb * 2 ** 20 }),
    };
    while (!signal.aborted) {
      // Many collectors that were started together do not look together.
      await sleep(sweepEveryMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await sweepSegments(artefacts, limits, { signal }).catch((error: unknown) =>
        observer.trouble('sweep segments', error),
      );
      await sweepLeftovers({ artefacts, books: bookStore }, { signal }).catch((error: unknown) =>
        observer.trouble('sweep leftovers', error),
      );
    }
  }
}
