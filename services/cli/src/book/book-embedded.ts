import { createHash } from 'node:crypto';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BookEstimate,
  type BookSettings,
  type BookView,
  type Cover,
  createBooks,
  createInFlight,
  createSegmentStore,
  type RenderProgress,
  runBooks,
} from '@rhapsode/book';
import { homeFolder } from '@rhapsode/book/layout';
import { fileNames } from '@rhapsode/book/render/file-names';
import { renderBook } from '@rhapsode/book/render/render-book';
import { renderFiles } from '@rhapsode/book/run/render-files';
import { silent } from '@rhapsode/pipeline';
import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { createMemoryBooks } from '@rhapsode/store/books/memory';
import type { CliConfig } from '../config.ts';
import { openVoices } from '../open-voices.ts';
import { createSpeaker } from '../speaker.ts';
import { lockBook } from './book-lock.ts';
import { checkEnded, hasEnded, type MadeBook, madeBook } from './made-book.ts';

export interface EmbeddedBook {
  readonly manuscript: string;
  /** For a book that does not say its title. */
  readonly name: string | undefined;
  /** What tells this book from others in the same folder. */
  readonly identity: string;
  readonly cover: Cover | undefined;
  readonly settings: BookSettings;
  /** Where files go; what is needed to go on later is kept in `.rhapsode` there. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (view: BookView, rendering: RenderProgress | undefined) => void;
  readonly onTrouble: (what: string, error: unknown) => void;
}

const lookEveryMs = 100;
const tenant = 'local';
const id = 'book';
const maxBytes = 256 * 1024 * 1024;

/** The one book of this process. Its pieces have the same place each time, so that the next run finds them. */
async function openBooks(config: CliConfig, folder: string, identity: string) {
  const catalogue = await openVoices(config);
  const artefacts = createFsArtefacts({ dir: join(folder, '.rhapsode') });
  const bookStore = createMemoryBooks();
  const segments = createSegmentStore(artefacts);
  const home = createHash('sha256').update(identity).digest('hex').slice(0, 24);
  const books = createBooks({
    artefacts,
    books: bookStore,
    segments,
    newHome: () => home,
    // Whoever runs the command again wants what failed to be tried again.
    firstRound: () => Math.floor(Date.now() / 1000),
    findVoice: async (name) => ({ voice: catalogue.get(name), pool: 'default' }),
    limits: { maxCharacters: config.maxBulkCharacters, maxBytes, maxOpen: 1 },
  });
  const lock = (name: string) => lockBook(join(folder, '.rhapsode', `.running-${name}`));
  return { artefacts, bookStore, segments, books, home, place: homeFolder({ tenant, id, home }), lock };
}

export async function estimateEmbedded(
  config: CliConfig,
  book: Omit<EmbeddedBook, 'onProgress' | 'onTrouble'>,
): Promise<BookEstimate> {
  const { manuscript, name, identity, cover, settings, folder, signal } = book;
  const { books } = await openBooks(config, folder, identity);
  return books.estimate({ tenant, settings, manuscript: { path: manuscript, name, cover }, signal });
}

/** Makes a book in this process. What was spoken before is not spoken again, whenever and however that run ended. */
export async function makeEmbedded(
  config: CliConfig,
  book: EmbeddedBook,
): Promise<{ made: MadeBook; view: BookView }> {
  const { identity, folder } = book;
  const opened = await openBooks(config, folder, identity);
  const unlock = await opened.lock(opened.home);
  try {
    return await make(config, book, opened);
  } finally {
    await unlock();
  }
}

async function make(
  config: CliConfig,
  { manuscript, name, cover, settings, folder, signal, onProgress, onTrouble }: EmbeddedBook,
  { artefacts, bookStore, segments, books, place, lock }: Awaited<ReturnType<typeof openBooks>>,
): Promise<{ made: MadeBook; view: BookView }> {
  const startedAt = performance.now();
  // Plans and results of earlier runs: nobody asks for them any more.
  await artefacts.deleteAll(`${place}plans/`);
  await artefacts.deleteAll(`${place}results/`);
  await artefacts.deleteAll('leftovers/');
  const outputs = renderFiles(createFsArtefacts({ dir: folder }), '');
  await books.create({ tenant, id, settings, manuscript: { path: manuscript, name, cover }, signal });
  const speaker = await createSpeaker(config, { warm: [] });
  let rendering: RenderProgress | undefined;
  const running = runBooks(
    {
      store: speaker.embedded.store,
      log: speaker.embedded.log,
      dispatcher: speaker.embedded.dispatcher,
      observer: { ...silent, trouble: onTrouble },
      artefacts,
      books: bookStore,
      segments,
      inFlight: createInFlight(),
      render: {
        book: async (audio, deps) => {
          // What belongs to these files: a manuscript that was renamed still changes only what changed.
          const files = fileNames(audio.metadata, audio.outputs, audio.chapters.length);
          const of = createHash('sha256').update(files.folder).digest('hex').slice(0, 24);
          const parts = renderFiles(artefacts, `renderings/${of}/`);
          const onRendered = (progress: RenderProgress) => {
            rendering = progress;
            deps.onProgress?.(progress);
          };
          // Another manuscript may have the same author and title.
          const unlock = await lock(of);
          try {
            return await renderBook(audio, {
              ...deps,
              outputs,
              parts,
              onProgress: onRendered,
              concurrency: speaker.slots,
            });
          } finally {
            await unlock();
          }
        },
      },
    },
    { owner: 'this process', atOnce: 1, lookEveryMs: 20, leaseMs: 1_500 },
  );
  try {
    let view = await books.get(tenant, id);
    while (!hasEnded(view)) {
      await sleep(lookEveryMs, undefined, { signal }).catch(() => {});
      signal.throwIfAborted();
      view = await books.get(tenant, id);
      onProgress(view, rendering);
    }
    checkEnded(view);
    const files = await books.files(tenant, id);
    const paths = files.map(({ name }) => join(folder, name));
    return { made: madeBook(view, paths, startedAt), view };
  } finally {
    await running.close();
    await speaker.close();
    await artefacts.close();
    await rmdir(join(folder, '.writing')).catch(() => {});
  }
}
