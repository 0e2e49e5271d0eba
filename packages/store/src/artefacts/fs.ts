import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RhapsodeError } from '@rhapsode/contracts';
import { measured } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import type { ArtefactInfo, ArtefactStore } from './port.ts';

export interface FsArtefactsOptions {
  readonly dir: string;
  /** What a dead writer left is removed when it is this old. */
  readonly abandonedMs?: number;
}

/**
 * Artefacts as files under a folder, of any number of processes; the folder may be shared over a network. A file is written
 * beside the others under `.writing`, flushed, and then renamed to its place.
 */
export function createFsArtefacts({ dir, abandonedMs = 24 * 3_600_000 }: FsArtefactsOptions): ArtefactStore {
  const writing = join(dir, '.writing');
  const pathOf = (key: string) => join(dir, ...checkKey(key).split('/'));
  let prepared: Promise<void> | undefined;

  async function prepare(): Promise<void> {
    await mkdir(writing, { recursive: true });
    const oldest = Date.now() - abandonedMs;
    for (const name of await readdir(writing)) {
      const path = join(writing, name);
      const found = await stat(path).catch(() => undefined);
      if (found && found.mtimeMs < oldest) await rm(path, { force: true });
    }
  }

  /** Another process that ends, or somebody who tidies up, may have removed the folder since. */
  async function openTemporary(): Promise<{ temporary: string; file: FileHandle }> {
    const temporary = join(writing, randomUUID());
    for (let tries = 0; ; tries++) {
      prepared ??= prepare();
      try {
        await prepared;
        return { temporary, file: await open(temporary, 'wx', 0o640) };
      } catch (error) {
        prepared = undefined;
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries > 20) throw error;
      }
    }
  }

  async function infoOf(key: string): Promise<ArtefactInfo | undefined> {
    const found = await orAbsent(stat(pathOf(key)));
    return found?.isFile() ? { key, bytes: found.size, modifiedAtMs: found.mtimeMs } : undefined;
  }

  /** A folder that was just removed because it was empty is made again. */
  async function moveTo(temporary: string, path: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await mkdir(dirname(path), { recursive: true });
        return await rename(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries > 20) throw error;
      }
    }
  }

  async function* walk(folder: string, key: string, prefix: string): AsyncGenerator<ArtefactInfo> {
    for (const entry of (await orAbsent(readdir(folder, { withFileTypes: true }))) ?? []) {
      const place = key + entry.name;
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        const below = `${place}/`;
        if (below.startsWith(prefix) || prefix.startsWith(below))
          yield* walk(join(folder, entry.name), below, prefix);
      } else if (place.startsWith(prefix)) {
        const info = await infoOf(place);
        if (info) yield info;
      }
    }
  }

  return {
    put: (key, body, { durable = true, signal } = {}) =>
      mapped(async () => {
        const path = pathOf(key);
        const { temporary, file } = await openTemporary();
        const given = measured(body, signal);
        try {
          for await (const piece of given.pieces) await writeAll(file, piece);
          if (durable) await file.sync();
          await file.close();
          await moveTo(temporary, path);
        } catch (error) {
          await file.close().catch(() => {});
          await rm(temporary, { force: true });
          throw error;
        }
        if (durable) await syncFolder(dirname(path));
        return given.result();
      }),

    get: (key, { range, signal } = {}) =>
      mapped(async () => {
        const file = await orAbsent(open(pathOf(key), 'r'));
        const found = await file?.stat();
        if (!file || !found?.isFile()) {
          await file?.close();
          return undefined;
        }
        const first = range?.first ?? 0;
        const last = Math.min(range?.last ?? found.size - 1, found.size - 1);
        const info = { key, bytes: found.size, modifiedAtMs: found.mtimeMs };
        return { ...info, body: closing(file, piecesOf(file, first, last, signal)) };
      }),

    head: (key) => mapped(() => infoOf(key)),

    async *list(prefix, { signal } = {}) {
      try {
        for await (const info of walk(dir, '', prefix)) {
          signal?.throwIfAborted();
          yield info;
        }
      } catch (error) {
        throw asTrouble(error);
      }
    },

    delete: (key) =>
      mapped(async () => {
        const path = pathOf(key);
        await rm(path, { force: true });
        // Folders that hold nothing any more go too; one that holds something refuses.
        const depth = key.split('/').length - 1;
        for (let n = 0, at = dirname(path); n < depth; n++, at = dirname(at))
          if (
            !(await rmdir(at).then(
              () => true,
              () => false,
            ))
          )
            break;
      }),

    deleteAll: (prefix) =>
      mapped(() =>
        rm(join(dir, ...checkPrefix(prefix).slice(0, -1).split('/')), {
          recursive: true,
          force: true,
          // A folder that somebody wrote into meanwhile is not empty.
          maxRetries: 20,
          retryDelay: 5,
        }),
      ),

    ping: () =>
      mapped(async () => {
        await mkdir(writing, { recursive: true });
        await utimes(writing, new Date(), new Date());
      }),
    async close() {},
  };
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
}

const pieceLength = 65_536;

async function* piecesOf(file: FileHandle, first: number, last: number, signal: AbortSignal | undefined) {
  try {
    for (let at = first; at <= last; ) {
      signal?.throwIfAborted();
      const length = Math.min(pieceLength, last + 1 - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) throw new RhapsodeError('artefacts_unavailable');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw asTrouble(error);
  } finally {
    await file.close();
  }
}

/** Closes the file also where nothing of it was read. */
function closing(
  file: FileHandle,
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      async return() {
        await pieces.return();
        await file.close();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** The new name of a file is safe when its folder is flushed. Some systems can't open a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

async function orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** What the system says names paths, which are for the log only. */
function asTrouble(error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof RhapsodeError || typeof code !== 'string' || syscall === undefined) return error;
  return new RhapsodeError('artefacts_unavailable', { cause: error });
}

async function mapped<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asTrouble(error);
  }
}
