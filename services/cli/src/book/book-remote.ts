import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { hostname } from 'node:os';
import { join, posix, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BookEstimate, BookSettings, BookView, Cover } from '@rhapsode/book';
import { noAnswer } from '@rhapsode/client/errors';
import { isErrorCode, RhapsodeError } from '@rhapsode/contracts';
import { createWholeFile } from '../whole-file.ts';
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

const retryMs = 1_000;
const mostTries = 60;

/** Has a server make a book, follows how it comes along, and fetches its files. Run again, it goes on with the same book. */
export async function makeRemote(book: RemoteBook): Promise<{ made: MadeBook; view: BookView }> {
  const { url, identity, folder, signal, onProgress } = book;
  const startedAt = performance.now();
  // Others who use this server may have a manuscript of the same name.
  const own = JSON.stringify([hostname(), resolve(folder), identity]);
  const id = `b${createHash('sha256').update(own).digest('hex').slice(0, 24)}`;
  const path = `/v1/books/${id}`;
  let view = await put(book, path);
  for (let tries = 0; !hasEnded(view); ) {
    try {
      for await (const next of events(url, `${path}/events`, signal)) {
        tries = 0;
        view = next;
        onProgress(view);
      }
      if (!hasEnded(view)) view = (await ask(url, path, { signal })) as BookView;
    } catch (error) {
      signal.throwIfAborted();
      const again = !(error instanceof RhapsodeError) || error.retryable;
      if (!again || ++tries > mostTries) throw error;
    }
    if (!hasEnded(view)) await sleep(retryMs, undefined, { signal });
  }
  checkEnded(view);
  const { data } = (await ask(url, `${path}/files`, { signal })) as { data: RemoteFile[] };
  const paths: string[] = [];
  for (const file of data) paths.push(await fetchFile(url, file, folder, signal));
  return { made: madeBook(view, paths, startedAt), view };
}

export const estimateRemote = async (
  book: Omit<RemoteBook, 'identity' | 'folder' | 'onProgress'>,
): Promise<BookEstimate> => (await send(book, '/v1/books?dry_run=true', 'POST', {})) as BookEstimate;

/** The book; where there is one already that is another now, its next edition. */
async function put(book: RemoteBook, path: string): Promise<BookView> {
  try {
    return (await send(book, path, 'PUT', {})) as BookView;
  } catch (error) {
    if (!(error instanceof RhapsodeError) || error.code !== 'book_exists') throw error;
    const { edition } = (await ask(book.url, path, { signal: book.signal })) as BookView;
    return (await send(book, path, 'PUT', { 'if-match': `"${edition}"` })) as BookView;
  }
}

async function send(
  {
    url,
    manuscript,
    name,
    cover,
    settings,
    signal,
  }: Pick<RemoteBook, 'url' | 'name' | 'manuscript' | 'cover' | 'settings' | 'signal'>,
  path: string,
  method: string,
  headers: Record<string, string>,
): Promise<unknown> {
  const form = new FormData();
  form.set('settings', JSON.stringify(settings));
  if (cover) form.set('cover', new Blob([Uint8Array.from(cover.bytes)], { type: cover.mediaType }), 'cover');
  form.set('document', await openAsBlob(manuscript), name ?? '');
  return ask(url, path, { method, headers, body: form, signal });
}

async function ask(url: string, path: string, init: RequestInit): Promise<unknown> {
  const answer = await reach(url, path, init);
  return answer.status === 204 ? undefined : answer.json();
}

async function reach(url: string, path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(new URL(path, url), init).catch((cause: unknown) => {
    init.signal?.throwIfAborted();
    throw noAnswer(url, cause);
  });
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => undefined)) as
    | { error?: { code?: string; message?: string } }
    | undefined;
  const code = body?.error?.code ?? '';
  throw new RhapsodeError(isErrorCode(code) ? code : 'internal_error', {
    message: body?.error?.message ?? `${url} answered ${answer.status}`,
  });
}

/** The states of a book as the server tells them. */
async function* events(url: string, path: string, signal: AbortSignal): AsyncGenerator<BookView> {
  const answer = await reach(url, path, { signal, headers: { accept: 'text/event-stream' } });
  let held = '';
  for await (const text of answer.body!.pipeThrough(new TextDecoderStream())) {
    held += text;
    for (let end = held.indexOf('\n\n'); end >= 0; end = held.indexOf('\n\n')) {
      const lines = held.slice(0, end).split('\n');
      held = held.slice(end + 2);
      const data = lines
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n');
      if (data !== '' && !lines.includes('event: error')) yield JSON.parse(data) as BookView;
    }
  }
}

/** A file that is here already is not fetched again. */
async function fetchFile(
  url: string,
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
  const answer = await reach(url, file.url, { signal });
  const whole = await createWholeFile(path);
  try {
    const hash = createHash('sha256');
    for await (const piece of answer.body!) {
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
