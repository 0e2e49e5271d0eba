import type { BookMetadata } from './settings.ts';
import { roundedMs } from './timeline.ts';

export interface Id3Facts {
  readonly metadata: BookMetadata;
  readonly title: string;
  readonly track?: { readonly number: number; readonly of: number };
  readonly chapters?: readonly {
    readonly title: string;
    readonly startSample: number;
    readonly samples: number;
  }[];
  readonly sampleRateHz: number;
}

/** ID3v2.3, which every player reads, with text as UTF-16. */
export function id3({ metadata, title, track, chapters = [], sampleRateHz }: Id3Facts): Uint8Array {
  const { cover } = metadata;
  const author = metadata.authors.join('/');
  const frames = [
    text('TIT2', title),
    text('TIT3', metadata.subtitle),
    text('TALB', metadata.title),
    text('TPE1', author),
    text('TPE2', author),
    text('TCOM', metadata.narrator),
    text('TPUB', metadata.publisher),
    text('TCON', metadata.genre),
    text('TYER', metadata.year === undefined ? undefined : String(metadata.year).padStart(4, '0')),
    text('TRCK', track && `${track.number}/${track.of}`),
    named('SERIES', metadata.series),
    named('SERIES-PART', metadata.seriesNumber),
    named('LANGUAGE', metadata.language),
    metadata.description === undefined
      ? none
      : frame('COMM', one, latin('eng'), utf16(''), utf16(metadata.description, '')),
    cover ? frame('APIC', zero, latin(`${cover.mediaType}\0`), Uint8Array.of(3), zero, cover.bytes) : none,
    ...tableOfContents(chapters.length),
    ...chapters.map(({ title: words, startSample, samples }, index) =>
      frame(
        'CHAP',
        latin(`${chapterId(index)}\0`),
        u32(roundedMs(startSample, sampleRateHz)),
        u32(roundedMs(startSample + samples, sampleRateHz)),
        // Places in bytes are not given: times decide.
        u32(0xffff_ffff),
        u32(0xffff_ffff),
        text('TIT2', words),
      ),
    ),
  ];
  const body = Buffer.concat(frames);
  if (body.length >= 2 ** 28) throw new Error(`an ID3 tag of ${body.length} bytes is too large`);
  const size = [21, 14, 7, 0].map((shift) => (body.length >> shift) & 127);
  return Buffer.concat([latin('ID3'), Uint8Array.of(3, 0, 0, ...size), body]);
}

const zero = Uint8Array.of(0);
const one = Uint8Array.of(1);
const none = new Uint8Array(0);
const latin = (words: string): Uint8Array => Buffer.from(words, 'latin1');
const utf16 = (words: string, end = '\0'): Uint8Array => Buffer.from(`\ufeff${words}${end}`, 'utf16le');

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function frame(id: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([latin(id), u32(body.length), Uint8Array.of(0, 0), body]);
}

const text = (id: string, words: string | undefined): Uint8Array =>
  words === undefined || words === '' ? none : frame(id, one, utf16(words, ''));

const named = (name: string, words: string | undefined): Uint8Array =>
  words === undefined ? none : frame('TXXX', one, utf16(name), utf16(words, ''));

const chapterId = (index: number) => `ch${index}`;
/** A list counts its entries in one byte. */
const mostEntries = 255;

/** One list of all chapters, or a list of lists. */
function tableOfContents(chapters: number): Uint8Array[] {
  const list = (id: string, isTop: boolean, entries: readonly string[]) =>
    frame(
      'CTOC',
      latin(`${id}\0`),
      Uint8Array.of(isTop ? 3 : 1, entries.length),
      latin(entries.map((e) => `${e}\0`).join('')),
    );
  if (chapters === 0) return [];
  const ids = Array.from({ length: chapters }, (_, index) => chapterId(index));
  if (chapters <= mostEntries) return [list('toc', true, ids)];
  const groups = Array.from({ length: Math.ceil(chapters / mostEntries) }, (_, group) =>
    ids.slice(group * mostEntries, (group + 1) * mostEntries),
  );
  return [
    list(
      'toc',
      true,
      groups.slice(0, mostEntries).map((_, group) => `toc${group}`),
    ),
    ...groups.map((entries, group) => list(`toc${group}`, false, entries)),
  ];
}
