import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Cover } from '@rhapsode/book';
import { RhapsodeError } from '@rhapsode/contracts';

/** What a request for a book brought: its text lies in a file, however long it is. */
export interface ReceivedBook {
  /** As they were sent, unchecked. */
  readonly settings: Record<string, unknown>;
  readonly path: string;
  /** Of the file, without its ending, as far as a client told it. */
  readonly name: string | undefined;
  readonly cover: Cover | undefined;
}

/** A folder for one request's files, which goes with it. */
export interface Upload {
  readonly dir: string;
  /** Writes a stream into a file of the folder; refuses what is longer, as a book if nothing else is said. */
  keep(
    body: Readable,
    name: string,
    mostBytes: number,
    tooLarge?: () => Error,
  ): Promise<{ path: string; bytes: number }>;
  remove(): Promise<void>;
}

export async function createUpload(): Promise<Upload> {
  const dir = join(tmpdir(), `rhapsode-upload-${randomUUID()}`);
  await mkdir(dir, { mode: 0o700 });
  return {
    dir,
    async keep(body, name, mostBytes, tooLarge = () => bookTooLarge(mostBytes)) {
      const path = join(dir, name);
      let bytes = 0;
      const file = await open(path, 'w', 0o600);
      try {
        // A connection that brings too much is still needed for the answer.
        for await (const piece of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          bytes += piece.length;
          if (bytes > mostBytes) throw tooLarge();
          await file.writeFile(piece);
        }
      } finally {
        await file.close();
      }
      return { path, bytes };
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

const bookTooLarge = (mostBytes: number) =>
  new RhapsodeError('payload_too_large', { message: `the book is larger than ${mostBytes} bytes` });

/** What a file is called, from a name that a client gave: no folders, no ending. */
export function titleOfName(name: string): string | undefined {
  const last = name.split(/[\\/]/u).at(-1)!;
  const title = last.replace(/(?<=.)\.[a-z0-9]{1,10}$/iu, '').trim();
  return title === '' ? undefined : title.slice(0, 500);
}

/** The ending of a name that a client gave, and nothing else of it. */
export const endingOf = (name: string): string =>
  /\.([a-z0-9]{1,10})$/iu.exec(name)?.[0]?.toLowerCase() ?? '';
