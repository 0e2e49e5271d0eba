import { RhapsodeError } from '@rhapsode/contracts';
import yauzl from 'yauzl';
import type { DocumentLimits } from './document.ts';

/** The entries of a checked zip archive. */
export interface Archive {
  readonly names: readonly string[];
  /** The entry's bytes, piece by piece, never more than its limit. Nothing if there is no such entry. */
  read(name: string): Promise<Uint8Array | undefined>;
  close(): void;
}

const unsafe = (message: string, cause?: unknown) => new RhapsodeError('document_unsafe', { message, cause });

/**
 * Opens a zip archive that a stranger sent. Its directory is read whole and checked before anything is inflated: number of
 * entries, sizes and ratio as declared, names, links, entries that lie over each other or are there twice. What is inflated
 * is counted again, since a directory may lie.
 */
export async function openArchive(source: string | Uint8Array, limits: DocumentLimits): Promise<Archive> {
  // A name with `\\` is taken for one with `/`, as it was meant, before it is checked.
  const options = { lazyEntries: true, autoClose: false, validateEntrySizes: true, strictFileNames: false };
  let zip: yauzl.ZipFile;
  try {
    zip =
      typeof source === 'string'
        ? await openPath(source, options)
        : await openBytes(Buffer.from(source.buffer, source.byteOffset, source.byteLength), options);
  } catch (cause) {
    throw new RhapsodeError('document_invalid', {
      message: 'the document is not a readable zip archive',
      cause,
    });
  }
  try {
    const entries = await readDirectory(zip, limits);
    let inflated = 0;
    return {
      names: [...entries.keys()],
      async read(name) {
        const entry = entries.get(name);
        if (!entry) return undefined;
        const bytes = await inflate(zip, entry, limits);
        inflated += bytes.length;
        // Entries may be read again, but not for ever.
        if (inflated > 2 * limits.inflatedBytes) throw unsafe('the archive inflates to too many bytes');
        return bytes;
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

const openPath = (path: string, options: yauzl.Options) =>
  new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.open(path, options, (error, zip) => (error ? reject(error) : resolve(zip))),
  );
const openBytes = (bytes: Buffer, options: yauzl.Options) =>
  new Promise<yauzl.ZipFile>((resolve, reject) =>
    yauzl.fromBuffer(bytes, options, (error, zip) => (error ? reject(error) : resolve(zip))),
  );

function readDirectory(zip: yauzl.ZipFile, limits: DocumentLimits): Promise<Map<string, yauzl.Entry>> {
  if (zip.entryCount > limits.entries)
    throw unsafe(`the archive has ${zip.entryCount} entries; at most ${limits.entries} are read`);
  return new Promise((resolve, reject) => {
    const entries = new Map<string, yauzl.Entry>();
    const spans: [start: number, end: number][] = [];
    let total = 0;
    const fail = (error: Error) => {
      zip.removeAllListeners('entry');
      reject(error);
    };
    zip.on('error', (cause: Error) => fail(unsafe(`the archive can't be trusted: ${cause.message}`, cause)));
    zip.on('end', () => {
      spans.sort(([a], [b]) => a - b);
      for (let n = 1; n < spans.length; n++)
        if (spans[n]![0] < spans[n - 1]![1]) return fail(unsafe('entries of the archive overlap'));
      resolve(entries);
    });
    zip.on('entry', (entry: yauzl.Entry) => {
      const { compressedSize, uncompressedSize } = entry;
      const fileName = nameOf(entry);
      total += uncompressedSize;
      // The upper half of the attributes is Unix's mode: a link points out of the archive.
      const mode = (entry.externalFileAttributes >>> 16) & 0o170000;
      if (mode !== 0 && mode !== 0o100000 && mode !== 0o040000)
        return fail(unsafe('the archive holds a link or device'));
      if (entries.has(fileName)) return fail(unsafe('the archive holds two entries of one name'));
      if (uncompressedSize > limits.entryBytes && !isMedia(fileName))
        return fail(unsafe(`an entry of the archive inflates to more than ${limits.entryBytes} bytes`));
      if (uncompressedSize > 1_000_000 && uncompressedSize > compressedSize * limits.ratio)
        return fail(unsafe(`an entry of the archive inflates more than ${limits.ratio} times`));
      if (total > limits.inflatedBytes)
        return fail(unsafe(`the archive inflates to more than ${limits.inflatedBytes} bytes`));
      // 30 bytes of local header and the name at least; its extra field may differ from the directory's.
      const start = entry.relativeOffsetOfLocalHeader;
      spans.push([start, start + 30 + entry.fileNameLength + compressedSize]);
      entries.set(fileName, entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

/** Many who write UTF-8 don't say so, and the name is then taken for one of DOS: an EPUB's are always UTF-8. */
function nameOf({ fileName, fileNameRaw }: yauzl.Entry): string {
  if (/^[ -~]*$/u.test(fileName)) return fileName;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(fileNameRaw).replaceAll('\\', '/');
  } catch {
    return fileName;
  }
}

const isMedia = (name: string) =>
  /\.(?:mp3|mp4|m4a|m4v|ogg|webm|wav|jpe?g|png|gif|webp|tiff?|otf|ttf|woff2?)$/iu.test(name);

function inflate(zip: yauzl.ZipFile, entry: yauzl.Entry, limits: DocumentLimits): Promise<Uint8Array> {
  if (entry.isEncrypted())
    throw new RhapsodeError('document_invalid', { message: 'the document is protected by encryption' });
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) return reject(unsafe(`an entry of the archive can't be read: ${error.message}`, error));
      const parts: Buffer[] = [];
      let length = 0;
      stream.on('data', (part: Buffer) => {
        length += part.length;
        if (length > Math.min(limits.entryBytes, entry.uncompressedSize))
          stream.destroy(new Error('it is larger than it says'));
        else parts.push(part);
      });
      stream.on('error', (cause: Error) =>
        reject(unsafe(`an entry of the archive can't be read: ${cause.message}`, cause)),
      );
      stream.on('end', () => resolve(Buffer.concat(parts)));
    });
  });
}
