import { open, rename, rm } from 'node:fs/promises';
import type { Client } from './client.ts';
import type { SynthOptions } from './one-shots.ts';
import { wavHeadBytes, wavSizes } from './wav.ts';

/** What needs Node: everything else of the package runs in browsers too. */

const endings: Readonly<Record<string, string>> = {
  '.wav': 'wav',
  '.mp3': 'mp3',
  '.opus': 'opus',
  '.ogg': 'opus',
  '.flac': 'flac',
  '.aac': 'aac',
  '.pcm': 'pcm',
};

/**
 * Speaks a text into a file, which appears when it is whole: what fails leaves none. The format follows the ending of its name.
 * Returns its bytes.
 */
export async function synthToFile(
  client: Pick<Client, 'synthTo'>,
  text: string,
  path: string,
  options: SynthOptions = {},
): Promise<number> {
  const format = options.format ?? endings[/\.[a-z0-9]+$/i.exec(path)?.[0].toLowerCase() ?? ''];
  const part = `${path}.part`;
  const file = await open(part, 'w+');
  try {
    const written = await client.synthTo(text, async (bytes) => void (await file.writeFile(bytes)), {
      ...options,
      ...(format === undefined ? {} : { format }),
    });
    const head = new Uint8Array(Math.min(written, wavHeadBytes));
    await file.read(head, 0, head.length, 0);
    for (const { offset, bytes } of wavSizes(head, written)) await file.write(bytes, 0, bytes.length, offset);
    await file.close();
    await rename(part, path);
    return written;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}
