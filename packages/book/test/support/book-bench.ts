import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '@rhapsode/pipeline';
import { createEmbedded } from '@rhapsode/pipeline/embedded';
import { type ArtefactStore, type BookStore, collect } from '@rhapsode/store';
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { createMemoryBooks } from '@rhapsode/store/books/memory';
import { createLocalEngine, openCatalogue, type SpeakRequest } from '@rhapsode/voices';
import { until } from '../../../../test/support/wait.ts';
import type { BookView } from '../../src/book-view.ts';
import { type Books, createBooks } from '../../src/books.ts';
import { bookSettings } from '../../src/request.ts';
import type { Render, RunDeps } from '../../src/run/run-book.ts';
import { type RunBooksOptions, type RunningBooks, runBooks } from '../../src/run/run-books.ts';
import { createSegmentStore } from '../../src/segments/segment-store.ts';
import { createInFlight } from '../../src/speak/in-flight.ts';
import { plainRender } from './plain-render.ts';

export interface BenchOptions {
  readonly artefacts?: ArtefactStore;
  readonly books?: BookStore;
  readonly slots?: number;
  readonly realTimeFactor?: number;
  readonly maxOpen?: number;
  readonly render?: Render;
  readonly webhooks?: { readonly allowPrivate: boolean };
  readonly newHome?: () => string;
  readonly firstRound?: () => number;
  /** A sentence is not spoken before this resolves. */
  readonly hold?: (text: string) => Promise<void>;
}

async function untilAborted(promise: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => aborted.resolve(), { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.throwIfAborted();
}

/** Books on the embedded pipeline with the test voices. */
export async function bench(options: BenchOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-book-'));
  const catalogue = await openCatalogue({
    testVoices: true,
    espeak: false,
    tone: { realTimeFactor: options.realTimeFactor ?? 0 },
  });
  const spoken: SpeakRequest[] = [];
  const local = createLocalEngine(catalogue);
  const engine = {
    ...local,
    async *speak(request: SpeakRequest, signal: AbortSignal) {
      spoken.push(request);
      await untilAborted(options.hold?.(request.text), signal);
      yield* local.speak(request, signal);
    },
  };
  const embedded = createEmbedded({ engine, voices: catalogue.voices, slots: options.slots ?? 4 });
  const { artefacts = createMemoryArtefacts(), books: store = createMemoryBooks() } = options;
  const segments = createSegmentStore(artefacts);
  const books: Books = createBooks({
    artefacts,
    books: store,
    segments,
    findVoice: async (name) => ({
      voice: catalogue.get(name === 'default' ? 'tone' : name),
      pool: 'default',
    }),
    limits: { maxCharacters: 10_000_000, maxBytes: 100_000_000, maxOpen: options.maxOpen ?? 100 },
    ...(options.webhooks ? { webhooks: options.webhooks } : {}),
    ...(options.newHome ? { newHome: options.newHome } : {}),
    ...(options.firstRound ? { firstRound: options.firstRound } : {}),
  });
  const troubles: unknown[] = [];
  const runDeps: RunDeps = {
    store: embedded.store,
    log: embedded.log,
    dispatcher: embedded.dispatcher,
    observer: { ...silent, trouble: (what, error, fields) => void troubles.push([what, error, fields]) },
    artefacts,
    segments,
    books: store,
    inFlight: createInFlight(),
    render: options.render ?? plainRender,
  };
  const runners: RunningBooks[] = [];
  let manuscripts = 0;

  async function manuscript(text: string | Uint8Array, name = 'book.md') {
    const path = join(dir, `${manuscripts++}-${name}`);
    await writeFile(path, text);
    return { path };
  }
  return {
    artefacts,
    store,
    segments,
    books,
    embedded,
    troubles,
    /** What the engine was asked for. */
    spoken,
    manuscript,
    run(fields: Partial<RunBooksOptions> = {}) {
      const running = runBooks(runDeps, { owner: 'test', lookEveryMs: 10, leaseMs: 2_000, ...fields });
      runners.push(running);
      return running;
    },
    async create(id: string, text: string, settings: Record<string, unknown> = {}, replaces?: number) {
      return books.create({
        tenant: 'acme',
        id,
        settings: bookSettings.parse(settings),
        manuscript: await manuscript(text),
        replaces,
      });
    },
    get: (id: string) => books.get('acme', id),
    ended: (
      id: string,
      states: readonly BookView['state'][] = ['succeeded', 'partially_succeeded', 'failed'],
    ) =>
      until(
        async () => {
          const view = await books.get('acme', id);
          return states.includes(view.state) && view;
        },
        { what: `the book ${id} to be ${states.join(' or ')}`, timeoutMs: 30_000 },
      ),
    async file(id: string, name: string): Promise<Buffer> {
      return collect((await books.file('acme', id, name)).artefact.body);
    },
    async close() {
      await Promise.all(runners.map((one) => one.close()));
      await embedded.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
export type Bench = Awaited<ReturnType<typeof bench>>;
