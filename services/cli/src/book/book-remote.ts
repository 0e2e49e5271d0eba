import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { hostname } from 'node:os';
import { join, posix, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BookEstimate, BookSettings, BookView, Cover } from '@rhapsode/book';
import { download } from '@rhapsode/client/download';
import { createRetries } from '@rhapsode/client/retries';
import { RhapsodeError } from '@rhapsode/contracts';
import { createWholeFile } from '../whole-file.ts';
import { type BookServer, createBookServer } from './book-server.ts';
import { checkEnded, hasEnded, type MadeBook, madeBook } from './made-book.ts';

export interface RemoteBook {
  readonly url: string;
  readonly manuscript: string;
  /** Of its file, where it has one: a book that does not say its title is called so. */
  readonly name: string | undefined;
  readonly identity: string;
  readonly cover: Cover | undefined;
  readonly settings: BookSettings;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (view: BookView) => void;
}

interface RemoteFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly url: string;
}

/** Looks in a row at a server that is not there, or that ends its answers too soon. */
const mostTries = 60;
const retryMs = 1_000;

/** Has a server make a book, follows how it comes along, and fetches its files. Run again, it goes on with the same book. */
export async function makeRemote(book: RemoteBook): Promise<{ made: MadeBook; view: BookView }> {
  const { identity, folder, signal } = book;
  const startedAt = performance.now();
  const server = createBookServer(book.url, signal);
  // Others who use this server may have a manuscript of the same name.
  const own = JSON.stringify([hostname(), resolve(folder), identity]);
  const path = `/v1/books/b${createHash('sha256').update(own).digest('hex').slice(0, 24)}`;
  let isThere = false;
  try {
    const begun = await begin(server, book, path);
    isThere = true;
    const view = await follow(server, path, begun.view, book);
    checkEnded(view);
    const { data } = await server.look<{ data: RemoteFile[] }>(`${path}/files`);
    const paths: string[] = [];
    for (const file of data) paths.push(await fetchFile(server, file, folder, signal));
    return { made: madeBook(view, paths, startedAt, begun.spokenBefore), view };
  } catch (error) {
    if (!isThere || !signal.aborted) throw error;
    throw new RhapsodeError('cancelled', {
      message: 'stopped; the server goes on with the book, and the same command goes on here',
      cause: error,
    });
  }
}

export const estimateRemote = async ({
  url,
  ...book
}: Omit<RemoteBook, 'identity' | 'folder' | 'onProgress'>): Promise<BookEstimate> =>
  (await send<BookEstimate>(createBookServer(url, book.signal), book, '/v1/books?dry_run=true', 'POST')).body;

/** The book, under way: one that is there and is paused, was given up or has failed goes on. */
async function begin(server: BookServer, book: RemoteBook, path: string) {
  const { status, body: found } = await put(server, book, path);
  if (status !== 200 && found.state !== 'paused') return { view: found, spokenBefore: 0 };
  const action = found.state === 'paused' ? 'resume' : hasEnded(found) ? 'retry' : undefined;
  const view = action ? (await server.ask<BookView>(`${path}/${action}`, { method: 'POST' })).body : found;
  const spokenBefore = view.edition === found.edition ? found.progress.sentences_synthesized : 0;
  return { view, spokenBefore };
}

/** Where there is a book already that is another now, its next edition. */
async function put(server: BookServer, book: RemoteBook, path: string) {
  try {
    return await send<BookView>(server, book, path, 'PUT');
  } catch (error) {
    if (!(error instanceof RhapsodeError) || error.code !== 'book_exists') throw error;
    const { edition } = await server.look<BookView>(path);
    return send<BookView>(server, book, path, 'PUT', { 'if-match': `"${edition}"` });
  }
}

async function send<T>(
  server: BookServer,
  { manuscript, name, cover, settings }: Pick<RemoteBook, 'name' | 'manuscript' | 'cover' | 'settings'>,
  path: string,
  method: string,
  headers: Record<string, string> = {},
) {
  const form = new FormData();
  form.set('settings', JSON.stringify(settings));
  if (cover) form.set('cover', new Blob([Uint8Array.from(cover.bytes)], { type: cover.mediaType }), 'cover');
  form.set('document', await openAsBlob(manuscript), name ?? '');
  return server.ask<T>(path, { method, headers, body: form });
}

/** Until it has ended, across broken connections and restarts of the server. */
async function follow(
  server: BookServer,
  path: string,
  begun: BookView,
  { signal, onProgress }: Pick<RemoteBook, 'signal' | 'onProgress'>,
): Promise<BookView> {
  const retries = createRetries(1, { maxAttempts: mostTries, signal });
  let view = begun;
  while (!hasEnded(view)) {
    try {
      for await (const next of server.events(`${path}/events`)) {
        retries.progress();
        view = next;
        onProgress(view);
      }
    } catch (error) {
      await retries.after(error);
    }
    if (hasEnded(view)) break;
    // A stream that ended too soon may have ended because the book is gone: then this says so.
    view = await server.look<BookView>(path);
    if (!hasEnded(view)) await sleep(retryMs, undefined, { signal });
  }
  return view;
}

/** A file that is here already is not fetched again. */
async function fetchFile(
  server: BookServer,
  file: RemoteFile,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const name = posix.normalize(file.name);
  if (name.startsWith('../') || posix.isAbsolute(name) || name.includes('\\'))
    throw new RhapsodeError('bad_message', {
      message: `the server names a file outside of the book: ${file.name}`,
    });
  const path = join(folder, name);
  if ((await digestOf(path)) === file.sha256) return path;
  const { body } = await download([server.url + file.url], {
    signal,
    maxAttempts: mostTries,
  });
  const whole = await createWholeFile(path);
  try {
    const hash = createHash('sha256');
    for await (const piece of body) {
      hash.update(piece);
      await whole.write(piece);
    }
    if (hash.digest('hex') !== file.sha256)
      throw new RhapsodeError('bad_message', {
        message: `${file.name} arrived damaged; run the command again`,
      });
    await whole.finish();
  } catch (error) {
    await whole.discard();
    throw error;
  }
  return path;
}

async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
