import type { AudioFormat } from '@rhapsode/audio';
import { createOggStream } from '@rhapsode/audio/ogg';
import type { Id3Facts } from './id3.ts';
import { cutUtf8 } from './mp4/metadata.ts';

/** The header of a FLAC or Opus file with its tags put in; those of other formats have none, or stand before it. */
export function taggedHeader(format: AudioFormat, header: Uint8Array, tags: Id3Facts): Uint8Array {
  if (format === 'flac') return flacHeader(header, tags);
  if (format === 'opus') return opusHeader(header, tags);
  return header;
}

const u32le = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u32be = (value: number): Uint8Array => Buffer.from(u32le(value)).reverse();

/** Names and values as Vorbis, Opus and FLAC share them. */
function comments({ metadata, title, track }: Id3Facts, mostBytes: number): Uint8Array {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['TITLE', title],
    ['ALBUM', metadata.title],
    ['SUBTITLE', metadata.subtitle],
    ...metadata.authors.map((author) => ['ARTIST', author] as const),
    ['ALBUMARTIST', metadata.authors.join(', ') || undefined],
    ['COMPOSER', metadata.narrator],
    ['PERFORMER', metadata.narrator],
    ['PUBLISHER', metadata.publisher],
    ['GENRE', metadata.genre],
    ['DATE', metadata.year === undefined ? undefined : String(metadata.year)],
    ['TRACKNUMBER', track && String(track.number)],
    ['TRACKTOTAL', track && String(track.of)],
    ['SERIES', metadata.series],
    ['SERIES-PART', metadata.seriesNumber],
    ['LANGUAGE', metadata.language],
    ['DESCRIPTION', metadata.description],
  ];
  let bytes = 0;
  const given = pairs
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => cutUtf8(`${name}=${value}`, mostBytes / 2))
    .filter((pair) => {
      bytes += pair.length + 4;
      return bytes < mostBytes;
    });
  const vendor = Buffer.from('rhapsode');
  return Buffer.concat([
    u32le(vendor.length),
    vendor,
    u32le(given.length),
    ...given.flatMap((pair) => [u32le(pair.length), pair]),
  ]);
}

const streamInfo = 0;
const vorbisComment = 4;
const picture = 6;
const last = 0x80;

function flacHeader(header: Uint8Array, tags: Id3Facts): Uint8Array {
  const infoEnd = 4 + 4 + header[7]! + 256 * header[6]!;
  if ((header[4]! & 127) !== streamInfo) throw new Error('a FLAC file does not begin with its stream info');
  const info = Uint8Array.from(header.subarray(0, infoEnd));
  info[4] = streamInfo;
  const block = (kind: number, body: Uint8Array) => {
    if (body.length >= 2 ** 24) throw new Error(`a FLAC block of ${body.length} bytes is too large`);
    const head = u32be(body.length);
    head[0] = kind;
    return Buffer.concat([head, body]);
  };
  const words = comments(tags, 1_000_000);
  const { cover } = tags.metadata;
  if (!cover) return Buffer.concat([info, block(vorbisComment | last, words)]);
  const type = Buffer.from(cover.mediaType);
  const image = Buffer.concat([
    u32be(3),
    u32be(type.length),
    type,
    ...[0, 0, 0, 0, 0].map(u32be),
    u32be(cover.bytes.length),
    cover.bytes,
  ]);
  return Buffer.concat([info, block(vorbisComment, words), block(picture | last, image)]);
}

/**
 * The second of the two pages is made anew. Tags must fit into one page, or all later pages would have other numbers: so what
 * does not fit is cut, and there is no picture.
 */
function opusHeader(header: Uint8Array, tags: Id3Facts): Uint8Array {
  const page = createOggStream();
  const headBytes = 27 + header[26]! + header.subarray(27, 27 + header[26]!).reduce((a, b) => a + b, 0);
  const head = page({ packets: [header.subarray(27 + header[26]!, headBytes)], granule: 0 });
  const words = Buffer.concat([Buffer.from('OpusTags'), comments(tags, 60_000)]);
  return Buffer.concat([head, page({ packets: [words], granule: 0 })]);
}
