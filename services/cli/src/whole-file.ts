import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RhapsodeError } from '@rhapsode/contracts';

/**
 * Writes beside a file's place and moves it there when it is whole: a file under its own name is never half of one. What is
 * no file (a folder, a device, a pipe) is refused before anything is done, for it would be replaced.
 */
export async function createWholeFile(path: string) {
  const partial = `${path}.partial`;
  const file = await openBeside(path, partial);
  let end = 0;

  async function writeAt(bytes: Uint8Array, position: number) {
    // A disk that is nearly full takes less than it is given.
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
  const told = <T>(action: Promise<T>): Promise<T> =>
    action.catch((cause: unknown) => {
      throw unwritable(path, cause);
    });

  return {
    async write(bytes: Uint8Array): Promise<void> {
      await told(writeAt(bytes, end));
      end += bytes.length;
    },
    /** `beginning` replaces the first bytes. */
    async finish(beginning?: Uint8Array): Promise<void> {
      if (beginning) await told(writeAt(beginning, 0));
      await told(file.close());
      await told(rename(partial, path));
    },
    async discard(): Promise<void> {
      await file.close();
      await rm(partial, { force: true });
    },
  };
}

async function openBeside(path: string, partial: string) {
  const there = await stat(path).catch(() => undefined);
  if (path.endsWith('/') || there?.isDirectory()) throw unwritable(path, undefined, 'it is a folder');
  if (there && !there.isFile()) throw unwritable(path, undefined, 'it is no file');
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(partial, 'w');
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

const unwritable = (path: string, cause: unknown, reason = String((cause as Error).message)) =>
  new RhapsodeError('invalid_request', { message: `can't write ${path}: ${reason}`, param: 'output', cause });
