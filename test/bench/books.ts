import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBook, startBookFleet } from '../support/books.ts';
import { residentBytes } from '../support/children.ts';
import { seeded } from '../support/seeded.ts';
import { plainText } from '../support/texts.ts';
import type { Row } from './table.ts';

async function withFleet<T>(
  options: Omit<Parameters<typeof startBookFleet>[0], 'dataDir'>,
  call: (fleet: Awaited<ReturnType<typeof startBookFleet>>) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rhapsode-bench-books-'));
  try {
    const fleet = await startBookFleet({ ...options, dataDir });
    try {
      return await call(fleet);
    } finally {
      await fleet.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** How much sooner a book is there with 8 slots than with 1. The test voice waits and does not compute, so cores do not count. */
async function parallelRow(): Promise<Row> {
  const text = plainText(64, 50);
  const took = (slots: number) =>
    withFleet(
      { workers: 1, slots, collectors: 1, env: { RHAPSODE_TONE_REAL_TIME_FACTOR: '0.5' } },
      async (fleet) => {
        const body = { text, outputs: { audio: ['wav'], captions: [], loudness: null } };
        const { view } = await makeBook(fleet, 'book', body, undefined, {}, 600_000);
        return view.result!.elapsed_seconds;
      },
    );
  const [eight, one] = [await took(8), await took(1)];
  return {
    what: `a book with 8 slots (${eight.toFixed(1)} s) against 1 (${one.toFixed(1)} s), test voice at RTF 0.5`,
    got: `${(one / eight).toFixed(2)} ×`,
    target: '7.2 ×',
    met: one / eight >= 7.2,
  };
}

const lookEveryMs = 250;
/** Not more often than a client would: what answers leave behind is not the book's. */
const askEveryMs = 1_000;
const warmUps = 2;

const shortWords =
  'a an the of to in on at by he she it we old new red big sea sun day man dog cat hill tree bird rain wind door lamp road ' +
  'town bell boat corn fire hand moon';
const chapterParagraphs = 32;
const paragraphSentences = 5;
const sentenceWords = 18;

/**
 * A book of so many words in chapters of some 2,900. All chapters say the same, so a million words need not be spoken to be gone
 * through; and the words are short, and spoken as fast as the voice can, since words count here and not hours.
 */
function bookOf(words: number, seed: number) {
  const random = seeded(seed);
  const pool = shortWords.split(' ');
  const many = (count: number, one: () => string, between: string) =>
    Array.from({ length: count }, one).join(between);
  const word = () => pool[Math.floor(random() * pool.length)]!;
  const sentence = () => `The ${many(sentenceWords - 1, word, ' ')}.`;
  const chapter = many(chapterParagraphs, () => many(paragraphSentences, sentence, ' '), '\n\n');
  const chapters = Math.ceil(words / (chapterParagraphs * paragraphSentences * sentenceWords));
  return {
    text: Array.from({ length: chapters }, (_, n) => `# Chapter ${n + 1}\n\n${chapter}\n\n`).join(''),
    type: 'markdown',
    speed: 4,
    outputs: { audio: ['wav'], captions: ['srt'], loudness: null },
  };
}

/** What gateway and collector hold at most while a book of so many words is accepted, spoken, rendered and fetched. */
const mostMemory = (words: number) =>
  withFleet({ workers: 1, slots: 2, collectors: 1 }, async (fleet) => {
    const watched = { gateway: fleet.gateway.pid, collector: fleet.collectors[0]!.pid };
    const make = (name: string, words: number, seed: number) =>
      makeBook(fleet, name, bookOf(words, seed), undefined, {}, 3_600_000, askEveryMs);
    // A process that has just started has not all that it uses again and again: short books come before, and do not count.
    for (let n = 1; n <= warmUps; n++) await make(`warm-up-${n}`, 10_000, 1 + n);
    const peaks = { gateway: 0, collector: 0 };
    const timer = setInterval(() => {
      for (const name of ['gateway', 'collector'] as const)
        peaks[name] = Math.max(peaks[name], residentBytes(watched[name]));
    }, lookEveryMs);
    try {
      await make('book', words, 1);
      return peaks;
    } finally {
      clearInterval(timer);
    }
  });

export async function measureBookMemory(): Promise<Row[]> {
  const [short, long] = [await mostMemory(10_000), await mostMemory(1_000_000)];
  return (['gateway', 'collector'] as const).map((name) => {
    const ratio = long[name] / short[name];
    const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
    return {
      what: `${name}: memory for 1,000,000 words (${mb(long[name])}) to that for 10,000 (${mb(short[name])})`,
      got: ratio.toFixed(2),
      target: '0.90 to 1.10',
      met: ratio >= 0.9 && ratio <= 1.1,
    };
  });
}

export const measureBooks = async (): Promise<Row[]> => [await parallelRow(), ...(await measureBookMemory())];
export const measureBookSpeed = async (): Promise<Row[]> => [await parallelRow()];
