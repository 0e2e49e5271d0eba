import { readExactly } from '../bytes.ts';
import type { BookMetadata } from '../settings.ts';
import { packetSamples } from '../timeline.ts';
import { type Box, box, boxBytes, fourLetters, fullBox, join, stream, u32 } from './box.ts';
import { metadataBox, neroChapters } from './metadata.ts';
import { audioTrack, chapterTrack, movieHeader, titleSample } from './tracks.ts';

/** A chapter as AAC packets, of which the first only leads in and is silent where the chapter before it ends. */
export interface EncodedChapter {
  readonly title: string;
  /** Whole packets. */
  readonly samples: number;
  /** One more than the chapter's samples fill. */
  readonly packets: number;
  readonly bytes: number;
  /** Of the last packet, which only the book's last chapter needs. */
  readonly lastPacketBytes: number;
  /** Two bytes for each packet, little-endian. */
  sizes(): AsyncIterable<Uint8Array>;
  payload(): AsyncIterable<Uint8Array>;
}

export interface M4bFacts {
  readonly metadata: BookMetadata;
  readonly sampleRateHz: number;
  readonly audioSpecificConfig: Uint8Array;
  readonly chapters: readonly EncodedChapter[];
}

/** Packets that one entry of the table of places stands for: about a second. */
const chunkPackets = 32;

/**
 * The whole file, from its first byte to its last: what describes it comes first, so that a player can begin at once. Made
 * from the sizes of all packets, which are read thrice and never held: a book of any length takes the same memory.
 */
export function m4b(facts: M4bFacts): AsyncIterable<Uint8Array> {
  const { chapters, metadata, sampleRateHz, audioSpecificConfig } = facts;
  const samples = chapters.reduce((sum, chapter) => sum + chapter.samples, 0);
  const packets = samples / packetSamples + 1;
  const audioBytes =
    chapters.reduce((sum, { bytes, lastPacketBytes }) => sum + bytes - lastPacketBytes, 0) +
    (chapters.at(-1)?.lastPacketBytes ?? 0);
  const titles = join(...chapters.map(({ title }) => titleSample(title)));
  const chunks = Math.ceil(packets / chunkPackets);
  const trackFacts = { timescale: sampleRateHz, durationSamples: samples, language: metadata.language };

  /** The table of places has to know where the media begin, which is behind the table. */
  const movie = (mediaAt: number, isLarge: boolean): Box => {
    const places = (count: number, from: number, bytes: (from: number) => AsyncIterable<Uint8Array>) =>
      fullBox(
        isLarge ? 'co64' : 'stco',
        0,
        0,
        u32(count),
        stream(count * (isLarge ? 8 : 4), () => bytes(from)),
      );
    const last = packets % chunkPackets;
    const runs = [
      ...(packets >= chunkPackets ? [[1, chunkPackets, 1]] : []),
      ...(last > 0 ? [[chunks, last, 1]] : []),
    ];
    return box(
      'moov',
      movieHeader(sampleRateHz, samples, 3),
      audioTrack({
        ...trackFacts,
        id: 1,
        mediaSamples: packets * packetSamples,
        packets,
        packetSamples,
        skipSamples: packetSamples,
        audioSpecificConfig,
        averageBitsPerSecond: Math.round((audioBytes * 8 * sampleRateHz) / (packets * packetSamples)),
        chapterTrack: 2,
        tables: [
          fullBox('stsc', 0, 0, u32(runs.length, ...runs.flat())),
          fullBox(
            'stsz',
            0,
            0,
            u32(0, packets),
            stream(packets * 4, () => sizeTable(chapters)),
          ),
          places(chunks, mediaAt + titles.length, (from) => chunkTable(chapters, from, isLarge)),
        ],
      }),
      chapterTrack({
        ...trackFacts,
        id: 2,
        mediaSamples: samples,
        chapters,
        place: places(1, mediaAt, async function* (from) {
          yield place(from, isLarge);
        }),
      }),
      box('udta', metadataBox(metadata), ...neroChapters(withStarts(chapters), sampleRateHz)),
    );
  };

  const type = box('ftyp', fourLetters('M4B '), u32(0x200), fourLetters('M4B M4A mp42isom'));
  const media = box(
    'mdat',
    titles,
    stream(audioBytes, () => payload(chapters)),
  );
  const mediaHeaderBytes = media.size - titles.length - audioBytes;
  const isLarge = type.size + movie(0, true).size + media.size > 0xffff_ffff;
  const mediaAt = type.size + movie(0, isLarge).size + mediaHeaderBytes;
  return boxBytes([type, movie(mediaAt, isLarge), media]);
}

function withStarts(chapters: readonly EncodedChapter[]) {
  let startSample = 0;
  return chapters.map(({ title, samples }) => {
    const chapter = { title, startSample };
    startSample += samples;
    return chapter;
  });
}

function place(at: number, isLarge: boolean): Uint8Array {
  const bytes = Buffer.alloc(isLarge ? 8 : 4);
  if (isLarge) bytes.writeBigUInt64BE(BigInt(at));
  else bytes.writeUInt32BE(at);
  return bytes;
}

/** Sizes of the packets that are used, in stretches. */
async function* usedSizes(chapters: readonly EncodedChapter[]): AsyncIterable<Uint16Array> {
  for (const [index, chapter] of chapters.entries()) {
    let left = chapter.packets - (index === chapters.length - 1 ? 0 : 1);
    for await (const bytes of readExactly(chapter.sizes(), chapter.packets * 2, 2)) {
      const count = Math.min(left, bytes.length / 2);
      left -= count;
      yield Uint16Array.from({ length: count }, (_, i) => bytes[2 * i]! + 256 * bytes[2 * i + 1]!);
    }
  }
}

async function* sizeTable(chapters: readonly EncodedChapter[]): AsyncIterable<Uint8Array> {
  for await (const sizes of usedSizes(chapters)) {
    const table = Buffer.alloc(sizes.length * 4);
    for (let i = 0; i < sizes.length; i++) table.writeUInt32BE(sizes[i]!, i * 4);
    yield table;
  }
}

async function* chunkTable(
  chapters: readonly EncodedChapter[],
  from: number,
  isLarge: boolean,
): AsyncIterable<Uint8Array> {
  let at = from;
  let packet = 0;
  for await (const sizes of usedSizes(chapters)) {
    const places: Uint8Array[] = [];
    for (const size of sizes) {
      if (packet % chunkPackets === 0) places.push(place(at, isLarge));
      packet += 1;
      at += size;
    }
    yield join(...places);
  }
}

async function* payload(chapters: readonly EncodedChapter[]): AsyncIterable<Uint8Array> {
  for (const [index, { payload, bytes, lastPacketBytes }] of chapters.entries()) {
    let left = bytes - (index === chapters.length - 1 ? 0 : lastPacketBytes);
    for await (const piece of readExactly(payload(), bytes, 1)) {
      const used = piece.subarray(0, Math.min(left, piece.length));
      left -= used.length;
      if (used.length > 0) yield used;
    }
  }
}
