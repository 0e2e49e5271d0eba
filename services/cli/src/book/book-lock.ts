import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { RhapsodeError } from '@rhapsode/contracts';

const beatMs = 2_000;
const silentMs = 30_000;

/**
 * One run of a book in a folder at a time: two would take away each other's pieces. Whoever holds the file `path` touches it
 * every few seconds; it belongs to nobody when its process is gone, or when it was not touched for long. The answer gives it back.
 */
export async function lockBook(path: string): Promise<() => Promise<void>> {
  const own = JSON.stringify({ host: hostname(), pid: process.pid });
  await mkdir(dirname(path), { recursive: true });
  while (!(await claim(path, own))) {
    const holder = await holderOf(path);
    if (holder === undefined) continue;
    if (holder.alive)
      throw new RhapsodeError('book_exists', {
        message: `another run (process ${holder.pid} on ${holder.host}) makes this book into this folder; wait for its end, or name another folder with -o`,
      });
    await takeAway(path, holder.text);
  }
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), beatMs);
  beat.unref();
  return async () => {
    clearInterval(beat);
    if ((await readFile(path, 'utf8').catch(() => '')) === own) await rm(path, { force: true });
  };
}

async function claim(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new RhapsodeError('artefacts_unavailable', { cause: error });
  }
}

/** Undefined: it was given back meanwhile. */
async function holderOf(path: string) {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const { host, pid } = readOwner(text);
    const touched = Date.now() - mtimeMs < silentMs;
    return { text, host, pid, alive: touched && (host !== hostname() || isRunning(pid)) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new RhapsodeError('artefacts_unavailable', { cause: error });
  }
}

/** One that is just being written says nothing yet. */
function readOwner(text: string): { host: string; pid: number } {
  try {
    return JSON.parse(text) as { host: string; pid: number };
  } catch {
    return { host: 'unknown', pid: 0 };
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Of two that find the same dead holder, the slower one must not take away what the faster one has claimed. */
async function takeAway(path: string, dead: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, 'utf8').catch(() => dead)) === dead) await rm(aside, { force: true });
  else await rename(aside, path).catch(() => {});
}
