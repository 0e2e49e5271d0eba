import { createHash } from 'node:crypto';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';

export interface DownloadOptions {
  readonly sha256?: string | undefined;
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Tries in a row that bring nothing new. */
  readonly tries?: number | undefined;
  readonly mostBytes?: number | undefined;
}

/**
 * Fetches a file to `path`, which appears whole and checked or not at all. What has arrived waits in `path.part`: a
 * connection that breaks, and a later call, go on from there if the server's file is still the same.
 */
export async function download(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<{ sha256: string; bytes: number }> {
  const part = `${path}.part`;
  const tries = options.tries ?? 4;
  let failures = 0;
  let error: unknown;
  while (failures < tries) {
    const before = await sizeOf(part);
    try {
      if (await fetchOnce(url, part, options)) {
        const known = await hashOf(part);
        if (options.sha256 !== undefined && known.sha256 !== options.sha256) {
          await forget(part);
          throw new RhapsodeError('model_checksum', { message: `${nameOf(url)} has a wrong checksum` });
        }
        await rename(part, path);
        await forget(part);
        return known;
      }
    } catch (caught) {
      options.signal?.throwIfAborted();
      if (caught instanceof RhapsodeError) throw caught;
      const code = (caught as NodeJS.ErrnoException).code;
      if (code === 'ENOSPC' || code === 'EDQUOT') {
        await forget(part);
        throw new RhapsodeError('config_invalid', { message: 'the disk is full', cause: caught });
      }
      error = caught;
    }
    failures = (await sizeOf(part)) > before ? 0 : failures + 1;
  }
  throw new RhapsodeError('model_missing', {
    message: `${nameOf(url)} could not be downloaded: ${new URL(url).host} does not deliver it. Is this machine online? A mirror can be set`,
    cause: error,
  });
}

/** One request; true if the file is complete then. */
async function fetchOnce(url: string, part: string, options: DownloadOptions): Promise<boolean> {
  const have = await sizeOf(part);
  const tag = await readFile(`${part}.tag`, 'utf8').catch(() => '');
  const resume = have > 0 && tag !== '';
  const headers: Record<string, string> = resume ? { range: `bytes=${have}-`, 'if-range': tag } : {};
  const response = await fetch(url, { headers, redirect: 'follow', signal: options.signal ?? null });
  if (response.status === 404 || response.status === 410) {
    await response.body?.cancel();
    throw new RhapsodeError('voice_not_found', {
      message: `${new URL(url).host} has no file ${nameOf(url)}`,
    });
  }
  if (response.status === 416) {
    // What is here is as long as the file or longer: if it is not the file, the checksum says so.
    await response.body?.cancel();
    return resume;
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const from = response.status === 206 ? have : 0;
  const length = response.headers.get('content-length');
  const total = length === null ? undefined : from + Number(length);
  if (total !== undefined && total > (options.mostBytes ?? Infinity)) {
    await response.body.cancel();
    throw new RhapsodeError('model_invalid', { message: `${nameOf(url)} is larger than a voice may be` });
  }
  await writeFile(`${part}.tag`, response.headers.get('etag') ?? '');
  const file = await open(part, from === 0 ? 'w' : 'a');
  let done = from;
  try {
    for await (const bytes of response.body) {
      done += bytes.length;
      if (done > (options.mostBytes ?? Infinity))
        throw new RhapsodeError('model_invalid', { message: `${nameOf(url)} is larger than a voice may be` });
      await file.writeFile(bytes);
      options.onProgress?.(done, total);
    }
    await file.sync().catch(() => {});
  } finally {
    await file.close();
  }
  return total === undefined || done === total;
}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.tag`, { force: true });
}

async function hashOf(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'r');
  try {
    for await (const chunk of file.createReadStream()) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } finally {
    await file.close().catch(() => {});
  }
  return { sha256: hash.digest('hex'), bytes };
}

const nameOf = (url: string): string => decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? url);
