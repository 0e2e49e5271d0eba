import { type Box, box, fourLetters, fullBox, join, u8, u16, u32, u64, zeros } from './box.ts';
import { cutUtf8, packedLanguage } from './metadata.ts';

/** All times of the file are samples. */
interface TrackFacts {
  readonly id: number;
  readonly timescale: number;
  /** In the film's time, after the edit list. */
  readonly durationSamples: number;
  /** Of the media itself. */
  readonly mediaSamples: number;
  readonly language: string;
}

const matrix = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);

/** Two dates, which are left at zero, and a duration: 64 bits wide where it needs to be. */
const isLong = (samples: number) => samples > 0xffff_ffff;

export const movieHeader = (timescale: number, durationSamples: number, nextTrack: number): Box =>
  fullBox(
    'mvhd',
    isLong(durationSamples) ? 1 : 0,
    0,
    isLong(durationSamples) ? u64(0, 0) : u32(0, 0),
    u32(timescale),
    isLong(durationSamples) ? u64(durationSamples) : u32(durationSamples),
    u32(0x1_0000),
    u16(0x100),
    zeros(10),
    matrix,
    zeros(24),
    u32(nextTrack),
  );

function trackHeader({ id, durationSamples }: TrackFacts, isPlayed: boolean): Box {
  const long = isLong(durationSamples);
  return fullBox(
    'tkhd',
    long ? 1 : 0,
    // Enabled and in the film; a list of chapters is neither.
    isPlayed ? 3 : 0,
    long ? u64(0, 0) : u32(0, 0),
    u32(id, 0),
    long ? u64(durationSamples) : u32(durationSamples),
    zeros(8),
    u16(0, isPlayed ? 1 : 0, isPlayed ? 0x100 : 0, 0),
    matrix,
    u32(0, 0),
  );
}

const mediaHeader = ({ timescale, mediaSamples, language }: TrackFacts): Box =>
  fullBox(
    'mdhd',
    isLong(mediaSamples) ? 1 : 0,
    0,
    isLong(mediaSamples) ? u64(0, 0) : u32(0, 0),
    u32(timescale),
    isLong(mediaSamples) ? u64(mediaSamples) : u32(mediaSamples),
    packedLanguage(language),
    u16(0),
  );

const handler = (kind: string, name: string): Box =>
  fullBox('hdlr', 0, 0, u32(0), fourLetters(kind), zeros(12), Buffer.from(`${name}\0`));

const dataHere: Box = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));

/** The first packet only leads in: playing begins behind it. */
function edits({ durationSamples }: TrackFacts, skipSamples: number): Box {
  const long = isLong(durationSamples);
  return box(
    'edts',
    fullBox(
      'elst',
      long ? 1 : 0,
      0,
      u32(1),
      long ? u64(durationSamples, skipSamples) : u32(durationSamples, skipSamples),
      u32(0x1_0000),
    ),
  );
}

export interface AudioTrack extends TrackFacts {
  readonly packets: number;
  readonly packetSamples: number;
  readonly skipSamples: number;
  readonly audioSpecificConfig: Uint8Array;
  readonly averageBitsPerSecond: number;
  readonly chapterTrack: number | undefined;
  /** `stsz` and `stsc`, `stco` or `co64`. */
  readonly tables: readonly Box[];
}

export function audioTrack(facts: AudioTrack): Box {
  const { packets, packetSamples, skipSamples, chapterTrack } = facts;
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), aacEntry(facts)),
    fullBox('stts', 0, 0, u32(1, packets, packetSamples)),
    ...facts.tables,
    // Every packet needs the one before it to be whole.
    fullBox('sgpd', 1, 0, fourLetters('roll'), u32(2, 1), u16(0xffff)),
    fullBox('sbgp', 0, 0, fourLetters('roll'), u32(1, packets, 1)),
  );
  return box(
    'trak',
    trackHeader(facts, true),
    edits(facts, skipSamples),
    ...(chapterTrack === undefined ? [] : [box('tref', box('chap', u32(chapterTrack)))]),
    box(
      'mdia',
      mediaHeader(facts),
      handler('soun', 'Sound'),
      box('minf', fullBox('smhd', 0, 0, u32(0)), dataHere, table),
    ),
  );
}

function aacEntry({ timescale, audioSpecificConfig, averageBitsPerSecond }: AudioTrack): Box {
  const descriptor = (tag: number, ...parts: readonly Uint8Array[]) => {
    const body = join(...parts);
    return join(u8(tag, body.length), body);
  };
  const decoder = descriptor(
    4,
    u8(0x40, 0x15, 0, 0, 0),
    u32(averageBitsPerSecond, averageBitsPerSecond),
    descriptor(5, audioSpecificConfig),
  );
  const stream = descriptor(3, u16(1), u8(0), decoder, descriptor(6, u8(2)));
  return box(
    'mp4a',
    zeros(6),
    u16(1),
    zeros(8),
    u16(1, 16, 0, 0),
    // 16 bits for the rate and 16 behind the point.
    u16(timescale > 0xffff ? 0 : timescale, 0),
    fullBox('esds', 0, 0, stream),
  );
}

/** A title as a sample of a text track: its length, itself, and that it is UTF-8. */
export const titleSample = (title: string): Uint8Array => {
  const words = cutUtf8(title, 0xffff);
  return join(u16(words.length), words, u32(12), fourLetters('encd'), u32(0x100));
};

export interface ChapterTrack extends TrackFacts {
  readonly chapters: readonly { readonly title: string; readonly samples: number }[];
  /** `stco` or `co64` of the one place where all titles are. */
  readonly place: Box;
}

/** QuickTime's list of chapters: a track of text that the audio track refers to. */
export function chapterTrack(facts: ChapterTrack): Box {
  const { chapters, place } = facts;
  const colour = u16(0, 0, 0);
  const entry = box(
    'text',
    zeros(6),
    u16(1),
    u32(1, 1),
    colour,
    zeros(8),
    zeros(8),
    u16(0, 0),
    zeros(3),
    colour,
    u8(0),
  );
  const table = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), entry),
    fullBox('stts', 0, 0, u32(chapters.length), join(...chapters.map(({ samples }) => u32(1, samples)))),
    fullBox(
      'stsz',
      0,
      0,
      u32(0, chapters.length),
      join(...chapters.map(({ title }) => u32(titleSample(title).length))),
    ),
    fullBox('stsc', 0, 0, u32(1, 1, chapters.length, 1)),
    place,
  );
  const header = box(
    'gmhd',
    fullBox('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)),
    box('text', matrix),
  );
  return box(
    'trak',
    trackHeader(facts, false),
    box('mdia', mediaHeader(facts), handler('text', 'Chapters'), box('minf', header, dataHere, table)),
  );
}
