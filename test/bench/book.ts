import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bookSettings,
  createBooks,
  createInFlight,
  createSegmentStore,
  type RenderBook,
  renderBook,
  runBooks,
} from '@rhapsode/book';
import { silent } from '@rhapsode/pipeline';
import { createEmbedded } from '@rhapsode/pipeline/embedded';
import { createFsArtefacts } from '@rhapsode/store/artefacts/fs';
import { createMemoryBooks } from '@rhapsode/store/books/memory';
import { createEngineHost, openCatalogue } from '@rhapsode/voices';
import { childrenCpuMs } from '../support/children.ts';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';
import { createStopwatch, type RenderCost, renderCost } from './render-cost.ts';
import type { Row } from './table.ts';

export interface BookBench {
  readonly catalogue: { readonly modelsDir: string; readonly espeak: false };
  readonly voice: string;
  readonly slots: number;
  readonly rounds: number;
}

/** Of processor time for a second of audio. */
interface BookCost {
  /** In the engine's processes. */
  readonly synthesis: number;
  /** Queue, log and segment store, in this one. */
  readonly pipeline: number;
  readonly render: RenderCost;
  /** Waiting included. */
  readonly wallRatio: number;
  readonly audioSeconds: number;
}

const chapters = 4;
const sentences = 8;

/**
 * A book from its text to a finished M4B with captions, against its sentences alone. Processor time counts, so that what else
 * the machine does does not, and it is told what it is for.
 */
export async function measureBook({ catalogue: options, voice, slots, rounds }: BookBench): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'rhapsode-bench-book-'));
  const catalogue = await openCatalogue(options);
  const engine = createEngineHost({ children: slots, catalogue: options, warm: [voice] });
  await engine.ready();
  const path = join(dir, 'book.md');
  const text = Array.from(
    { length: chapters },
    (_, n) => `# Chapter ${n + 1}\n\n${plainText(sentences, 70, n + 1)}\n`,
  );
  await writeFile(path, text.join('\n'));
  try {
    const costs: BookCost[] = [];
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round++) costs.push(await make(join(dir, String(round))));
    return rowsOf(costs.slice(1));
  } finally {
    await engine.close();
    await rm(dir, { recursive: true, force: true });
  }

  async function make(folder: string): Promise<BookCost> {
    const artefacts = createFsArtefacts({ dir: folder });
    const bookStore = createMemoryBooks();
    const segments = createSegmentStore(artefacts);
    const embedded = createEmbedded({ engine, voices: catalogue.voices, slots });
    const books = createBooks({
      artefacts,
      books: bookStore,
      segments,
      findVoice: async (name) => ({ voice: catalogue.get(name), pool: 'default' }),
      limits: { maxCharacters: 10_000_000, maxBytes: 10_000_000, maxOpen: 1 },
    });
    await books.create({
      tenant: 't',
      id: 'b',
      settings: bookSettings.parse({ voice }),
      manuscript: { path },
    });
    let cost: BookCost | undefined;
    const engines = childrenCpuMs(process.pid);
    const stopwatch = createStopwatch();
    const book: RenderBook = async (book, deps) => {
      const spoken = stopwatch();
      const synthesisMs = childrenCpuMs(process.pid) - engines;
      const rendered = await renderBook(book, deps);
      const made = stopwatch();
      const audioSeconds = rendered.samples / rendered.sampleRateHz;
      cost = {
        synthesis: synthesisMs / audioSeconds,
        pipeline: spoken.cpuMs / audioSeconds,
        wallRatio: made.wallMs / spoken.wallMs,
        audioSeconds,
        render: await renderCost(book, made.cpuMs, audioSeconds),
      };
      return rendered;
    };
    const running = runBooks(
      {
        ...{ store: embedded.store, log: embedded.log, dispatcher: embedded.dispatcher, observer: silent },
        ...{ artefacts, books: bookStore, segments, inFlight: createInFlight(), render: { book } },
      },
      { owner: 'bench', lookEveryMs: 20 },
    );
    try {
      await until(async () => (await books.get('t', 'b')).state === 'succeeded', {
        what: 'the book',
        timeoutMs: 600_000,
        everyMs: 20,
      });
      return cost!;
    } finally {
      await running.close();
      await embedded.close();
    }
  }
}

function rowsOf(costs: readonly BookCost[]): Row[] {
  const of = (pick: (cost: BookCost) => number) => median(costs.map(pick));
  const ratio = of(({ synthesis, pipeline, render }) => render.all / (synthesis + pipeline));
  const withoutEncoding = of(
    ({ synthesis, pipeline, render }) => (render.all - render.encode) / (synthesis + pipeline),
  );
  const percent = (value: number) => `+${(100 * value).toFixed(1)} %`;
  const told = (what: string, pick: (cost: BookCost) => number): Row => ({
    what: `  ${what}: processor time for each second of audio`,
    got: `${of(pick).toFixed(2)} ms`,
    target: 'told',
    met: true,
  });
  const seconds = of(({ audioSeconds }) => audioSeconds).toFixed(0);
  return [
    {
      what: `book of ${seconds} s: processor time of a finished M4B against its sentences alone`,
      got: percent(ratio),
      target: '≤ 5 %',
      met: ratio <= 0.05,
    },
    {
      what: 'the same without encoding',
      got: percent(withoutEncoding),
      target: '≤ 5 %',
      met: withoutEncoding <= 0.05,
    },
    {
      what: 'the same as time that passes, speaking first and encoding after',
      got: percent(of(({ wallRatio }) => wallRatio)),
      target: 'told',
      met: true,
    },
    told('synthesis', ({ synthesis }) => synthesis),
    told('queue, log, segment store', ({ pipeline }) => pipeline),
    told('sentences read from the store and checked, twice', ({ render }) => render.reading),
    told('loudness and true peak', ({ render }) => render.loudness),
    told('gain', ({ render }) => render.gain),
    told('AAC', ({ render }) => render.encode),
    told('M4B, captions, manifest, all other', ({ render }) => render.rest),
  ];
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
