import { createHash } from 'node:crypto';
import type { BookView } from '@rhapsode/book';
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import { until } from './wait.ts';

export interface BookFleetOptions extends FleetOptions {
  readonly dataDir: string;
}

/** The three services, twice the collectors, sharing a folder for books. */
export const startBookFleet = ({ dataDir, env, ...options }: BookFleetOptions): Promise<Fleet> =>
  startFleet({ collectors: 2, ...options, env: { RHAPSODE_DATA_DIR: dataDir, ...env } });

/** Names of the files, and the SHA-256 of what was received of each. */
export type Files = ReadonlyMap<string, string>;

export interface BookInTheMaking {
  look(): Promise<BookView>;
  /** Waits until so many sentences are there. */
  spoken(sentences: number): Promise<void>;
  post(action: 'pause' | 'resume' | 'cancel' | 'retry'): Promise<void>;
}

const ended = ['succeeded', 'partially_succeeded', 'failed'];

/** Asks for a book, disturbs its making, waits for its end and fetches its files. */
export async function makeBook(
  fleet: Pick<Fleet, 'gateway' | 'output'>,
  id: string,
  body: unknown,
  disturb: (book: BookInTheMaking) => Promise<void> = async () => {},
  headers: Record<string, string> = {},
  timeoutMs = 90_000,
  everyMs = 50,
): Promise<{ view: BookView; files: Files }> {
  const url = `${fleet.gateway.url}/v1/books/${id}`;
  const read = async <T>(path: string): Promise<T> => {
    const response = await fetch(url + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
  const look = () => read<BookView>('');
  const waits = { timeoutMs, everyMs };
  const told = (error: unknown): never => {
    throw new Error(`${(error as Error).message}\n${fleet.output()}`, { cause: error });
  };

  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  await disturb({
    look,
    async spoken(sentences) {
      const enough = async () => {
        const { state, progress } = await look();
        return ended.includes(state) || progress.sentences >= sentences;
      };
      await until(enough, { what: `${sentences} sentences of ${id}`, ...waits }).catch(told);
    },
    async post(action) {
      const answer = await fetch(`${url}/${action}`, { method: 'POST' });
      if (!answer.ok) throw new Error(`${action}: ${answer.status} ${await answer.text()}`);
    },
  });
  const view = await until(
    async () => {
      const book = await look();
      return ended.includes(book.state) && book;
    },
    { what: `${id} to end`, ...waits },
  ).catch(told);

  const files = new Map<string, string>();
  const { data } = await read<{ data: { name: string; url: string; sha256: string }[] }>('/files');
  for (const file of data) {
    const { sha256, content } = await fetched(fleet.gateway.url + file.url, file.name.endsWith('book.json'));
    if (sha256 !== file.sha256) throw new Error(`${file.name} is not what the server says that it is`);
    files.set(file.name, content ? contentOf(content) : sha256);
  }
  return { view, files };
}

/** A book's sound may be longer than what fits into memory: only what is asked for is kept. */
async function fetched(url: string, isKept: boolean): Promise<{ sha256: string; content?: Buffer }> {
  const { body } = await fetch(url);
  const hash = createHash('sha256');
  const pieces: Uint8Array[] = [];
  for await (const piece of body!) {
    hash.update(piece);
    if (isKept) pieces.push(piece);
  }
  return { sha256: hash.digest('hex'), ...(isKept ? { content: Buffer.concat(pieces) } : {}) };
}

/** Who made a sentence, and how often it was begun, differs from run to run; all else must not. */
export function contentOf(manifest: Buffer): string {
  const neutral = manifest.toString().replace(/"(worker|attempt)":\s*("[^"]*"|\d+)/g, '"$1":0');
  return createHash('sha256').update(neutral).digest('hex');
}

/** Names of the files that are not the same in both. */
export function sameFiles(one: Files, other: Files): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name));
}
