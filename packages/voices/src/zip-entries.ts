import { promisify } from 'node:util';
import { RhapsodeError } from '@rhapsode/contracts';
import yauzl from 'yauzl';

const openBuffer = promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer);

/** The entries of an archive in memory, one after the other, `mostBytes` of them all together. */
export async function* zipEntries(
  bytes: Buffer,
  { name, mostBytes }: { name: string; mostBytes: number },
): AsyncGenerator<{ readonly name: string; readonly data: Buffer }> {
  const invalid = (cause: unknown) =>
    new RhapsodeError('model_invalid', { message: `the archive ${name} can’t be read`, cause });
  try {
    const zip = await openBuffer(bytes, { lazyEntries: true });
    const openStream = promisify(zip.openReadStream.bind(zip)) as (
      entry: yauzl.Entry,
    ) => Promise<NodeJS.ReadableStream>;
    let left = mostBytes;
    for await (const entry of entriesOf(zip)) {
      left -= entry.uncompressedSize;
      if (left < 0) throw new Error(`it inflates to more than ${mostBytes} bytes`);
      const parts: Buffer[] = [];
      for await (const part of await openStream(entry)) parts.push(part as Buffer);
      yield { name: entry.fileName, data: Buffer.concat(parts) };
    }
  } catch (cause) {
    if (cause instanceof RhapsodeError) throw cause;
    throw invalid(cause);
  }
}

async function* entriesOf(zip: yauzl.ZipFile): AsyncGenerator<yauzl.Entry> {
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<yauzl.Entry | undefined>();
    zip
      .once('entry', resolve)
      .once('end', () => resolve(undefined))
      .once('error', reject);
    zip.readEntry();
    const entry = await promise;
    zip.removeAllListeners();
    if (entry === undefined) return;
    yield entry;
  }
}
