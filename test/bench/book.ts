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
import { createMemoryArtefacts } from '@rhapsode/store/artefacts/memory';
import { createMemoryBooks } from '@rhapsode/store/books/memory';
import { createEngineHost, openCatalogue } from '@rhapsode/voices';
import { plainText } from '../support/texts.ts';
import { until } from '../support/wait.ts';
import type { Row } from './table.ts';

export interface BookBench {
  readonly catalogue: { readonly modelsDir: string; readonly espeak: false };
  readonly voice: string;
  readonly slots: number;
  readonly rounds: number;
}

/** Every sentence is spoken and kept, and no file is made. */
const noFiles: RenderBook = async ({ chapters }) => ({
  files: [],
  samples: chapters.reduce((sum, { samples }) => sum + samples, 0),
  sampleRateHz: chapters[0]!.sampleRateHz,
  gainDb: 0,
  contentDigest: '',
});

const chapters = 4;
const sentences = 8;

/** A book from its text to a finished M4B with captions, against its sentences alone, in turns on the same cores. */
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
    const alone: number[] = [];
    const whole: number[] = [];
    const stages: number[] = [];
    let audioSeconds = 0;
    for (let round = 0; round <= rounds; round++) {
      const spoken = await make(noFiles);
      const finished = await make(async (book, deps) => {
        const startedMs = performance.now();
        const cpu = process.cpuUsage();
        const rendered = await renderBook(book, deps);
        const { user, system } = process.cpuUsage(cpu);
        audioSeconds = rendered.samples / rendered.sampleRateHz;
        stages.push((user + system) / 1000 / audioSeconds, (performance.now() - startedMs) / audioSeconds);
        return rendered;
      });
      // The first round is for the compiler.
      if (round === 0) stages.length = 0;
      else {
        alone.push(spoken);
        whole.push(finished);
      }
    }
    const ratio = median(whole.map((ms, index) => ms / alone[index]!)) - 1;
    const cpu = median(stages.filter((_, index) => index % 2 === 0));
    return [
      {
        what: `book of ${audioSeconds.toFixed(0)} s: finished M4B against its sentences alone`,
        got: `+${(100 * ratio).toFixed(1)} %`,
        target: '≤ 5 %',
        met: ratio <= 0.05,
      },
      {
        what: 'sentences alone: time for each second of audio',
        got: `${(median(alone) / audioSeconds).toFixed(1)} ms`,
        target: 'told',
        met: true,
      },
      {
        what: 'loudness, AAC, M4B, captions, manifest: processor time for each second of audio',
        got: `${cpu.toFixed(1)} ms`,
        target: 'told',
        met: true,
      },
    ];
  } finally {
    await engine.close();
    await rm(dir, { recursive: true, force: true });
  }

  async function make(book: RenderBook): Promise<number> {
    const artefacts = createMemoryArtefacts();
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
    const startedMs = performance.now();
    const running = runBooks(
      {
        ...{ store: embedded.store, log: embedded.log, dispatcher: embedded.dispatcher, observer: silent },
        ...{ artefacts, books: bookStore, segments, inFlight: createInFlight(), render: { book } },
      },
      { owner: 'bench', lookEveryMs: 1 },
    );
    try {
      await until(async () => (await books.get('t', 'b')).state === 'succeeded', {
        what: 'the book',
        timeoutMs: 600_000,
        everyMs: 2,
      });
      return performance.now() - startedMs;
    } finally {
      await running.close();
      await embedded.close();
    }
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
