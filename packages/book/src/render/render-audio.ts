import { type AudioFormat, formatFacts } from '@rhapsode/audio';
import { z } from 'zod';
import { audioSpecificConfig, writeAacPackets } from './aac-packets.ts';
import { chapterPcm } from './chapter-pcm.ts';
import { type EncodedFacts, encodeFile } from './encode-file.ts';
import { feed } from './feed.ts';
import type { FileNames } from './file-names.ts';
import { isWhole } from './file-names.ts';
import type { Id3Facts } from './id3.ts';
import type { MadeFiles, Wanted } from './made-files.ts';
import { chapterPart } from './measure.ts';
import { type EncodedChapter, m4b } from './mp4/m4b.ts';
import type { BookAudio, ChapterAudio, OutputFile, RenderDeps } from './port.ts';
import { fingerprintOf, readRecord, writeRecord } from './records.ts';
import type { ChapterPlace } from './timeline.ts';

/** What all audio of a book is made with. */
export interface AudioPlan {
  readonly book: BookAudio;
  readonly names: FileNames;
  readonly places: readonly ChapterPlace[];
  readonly gainDb: number;
  readonly made: MadeFiles;
  readonly deps: RenderDeps;
  /** Of the metadata and the picture. */
  readonly metadataDigest: string;
}

const aacRecord = z.object({
  fingerprint: z.string(),
  packets: z.int(),
  bytes: z.int(),
  lastPacketBytes: z.int(),
});

type Receiver = (pcm: AsyncIterable<Uint8Array>) => Promise<OutputFile | undefined>;

/** What decides the samples of a chapter as it is heard. */
const heardFrom = ({ places, gainDb }: AudioPlan, chapter: ChapterAudio) =>
  fingerprintOf('heard', chapter.audioDigest, chapter.sampleRateHz, places[chapter.index]!.samples, gainDb);

/** Makes what is missing of one chapter, all formats in one reading; answers its files. */
export async function renderChapterAudio(plan: AudioPlan, chapter: ChapterAudio): Promise<OutputFile[]> {
  const { book, made, deps, places, gainDb } = plan;
  const place = places[chapter.index]!;
  const files: OutputFile[] = [];
  const receivers: Receiver[] = [];
  for (const format of book.outputs.audio) {
    if (format === 'm4b') {
      if (!(await knownAac(plan, chapter))) receivers.push((pcm) => encodeAac(plan, chapter, pcm));
    } else if (!isWhole(format, book.outputs)) {
      const wanted = chapterFile(plan, chapter, format);
      const known = await made.known(wanted);
      if (known) files.push(known);
      else
        receivers.push((pcm) =>
          makeAudio(plan, wanted, format, pcm, place.samples, chapterTags(plan, chapter)),
        );
    }
  }
  if (receivers.length > 0)
    for (const file of await feed(chapterPcm(chapter, place, gainDb, deps.signal), receivers))
      if (file) files.push(file);
  return files;
}

const chapterTags = ({ book }: AudioPlan, { index, title, sampleRateHz }: ChapterAudio): Id3Facts => ({
  metadata: book.metadata,
  title: title.trim() === '' ? `${book.metadata.title} ${index + 1}` : title,
  track: { number: index + 1, of: book.chapters.length },
  sampleRateHz,
});

function chapterFile(plan: AudioPlan, chapter: ChapterAudio, format: AudioFormat & OutputFormat): Wanted {
  const { title, track } = chapterTags(plan, chapter);
  return {
    name: plan.names.chapter(format, chapter.index, chapter.title),
    // WAV has no tags.
    fingerprint: fingerprintOf(
      format,
      heardFrom(plan, chapter),
      ...(format === 'wav' ? [] : [plan.metadataDigest, title, track]),
    ),
    about: { kind: 'audio', format, contentType: formatFacts(format).contentType, chapter: chapter.index },
  };
}
type OutputFormat = BookAudio['outputs']['audio'][number];

async function makeAudio(
  { made }: AudioPlan,
  wanted: Wanted,
  format: AudioFormat,
  pcm: AsyncIterable<Uint8Array>,
  samples: number,
  tags: Id3Facts,
): Promise<OutputFile> {
  let facts: EncodedFacts | undefined;
  const onEnd = (end: EncodedFacts) => {
    facts = end;
  };
  return made.make(wanted, encodeFile(format, pcm, { samples, tags, onEnd }), () => facts!);
}

const aacPlaces = (index: number) => ({
  payload: chapterPart(index, 'aac.packets'),
  sizes: chapterPart(index, 'aac.sizes'),
  record: chapterPart(index, 'aac.json'),
});

async function knownAac(plan: AudioPlan, chapter: ChapterAudio) {
  const { parts, signal } = plan.deps;
  const places = aacPlaces(chapter.index);
  const known = await readRecord(parts, places.record, aacRecord, signal);
  if (known?.fingerprint !== fingerprintOf('aac', heardFrom(plan, chapter))) return undefined;
  const whole =
    (await parts.size(places.payload)) === known.bytes &&
    (await parts.size(places.sizes)) === known.packets * 2;
  return whole ? known : undefined;
}

async function encodeAac(
  plan: AudioPlan,
  chapter: ChapterAudio,
  pcm: AsyncIterable<Uint8Array>,
): Promise<undefined> {
  const { parts, signal } = plan.deps;
  const { samples } = plan.places[chapter.index]!;
  const places = aacPlaces(chapter.index);
  await parts.delete(places.record);
  const facts = await writeAacPackets(
    pcm,
    { sampleRateHz: chapter.sampleRateHz, samples },
    places,
    parts,
    signal,
  );
  await writeRecord(
    parts,
    places.record,
    { fingerprint: fingerprintOf('aac', heardFrom(plan, chapter)), ...facts },
    signal,
  );
  return undefined;
}

/** Makes the files that hold the whole book, when all chapters are encoded. */
export async function renderWholeAudio(plan: AudioPlan): Promise<OutputFile[]> {
  const { book, made } = plan;
  const files: OutputFile[] = [];
  for (const format of book.outputs.audio) {
    if (!isWhole(format, book.outputs)) continue;
    const wanted = wholeFile(plan, format);
    const known = await made.known(wanted);
    if (known) files.push(known);
    else files.push(format === 'm4b' ? await makeM4b(plan, wanted) : await makeSingle(plan, wanted, format));
  }
  return files;
}

const wholeFile = (plan: AudioPlan, format: OutputFormat): Wanted => ({
  name: plan.names.book(format),
  fingerprint: fingerprintOf(
    'whole',
    format,
    plan.metadataDigest,
    plan.book.chapters.map((chapter) => [chapter.title, heardFrom(plan, chapter)]),
  ),
  about: {
    kind: 'audio',
    format,
    contentType: format === 'm4b' ? 'audio/mp4' : formatFacts(format).contentType,
  },
});

const lengthOf = ({ places }: AudioPlan): number => places.reduce((sum, { samples }) => sum + samples, 0);

async function makeM4b(plan: AudioPlan, wanted: Wanted): Promise<OutputFile> {
  const { book, places, deps, made } = plan;
  const { sampleRateHz } = book.chapters[0]!;
  const chapters: EncodedChapter[] = [];
  for (const chapter of book.chapters) {
    const known = await knownAac(plan, chapter);
    if (!known) throw new Error(`chapter ${chapter.index} is not encoded`);
    const { payload, sizes } = aacPlaces(chapter.index);
    chapters.push({
      title: chapterTitle(chapter),
      samples: places[chapter.index]!.samples,
      packets: known.packets,
      bytes: known.bytes,
      lastPacketBytes: known.lastPacketBytes,
      sizes: () => readPart(deps, sizes),
      payload: () => readPart(deps, payload),
    });
  }
  const bytes = m4b({
    metadata: book.metadata,
    sampleRateHz,
    audioSpecificConfig: audioSpecificConfig(sampleRateHz),
    chapters,
  });
  return made.make(wanted, bytes, () => ({ samples: lengthOf(plan), sampleRateHz }));
}

export const chapterTitle = ({ index, title }: Pick<ChapterAudio, 'index' | 'title'>): string =>
  title.trim() === '' ? `Chapter ${index + 1}` : title.replace(/[\s\p{Cc}]+/gu, ' ').trim();

async function* readPart({ parts, signal }: RenderDeps, name: string): AsyncIterable<Uint8Array> {
  const bytes = await parts.get(name, signal);
  if (!bytes) throw new Error(`the part ${name} of a book is gone`);
  yield* bytes;
}

async function makeSingle(
  plan: AudioPlan,
  wanted: Wanted,
  format: AudioFormat & OutputFormat,
): Promise<OutputFile> {
  const { book, places, gainDb, deps } = plan;
  async function* pcm() {
    for (const chapter of book.chapters)
      yield* chapterPcm(chapter, places[chapter.index]!, gainDb, deps.signal);
  }
  const tags: Id3Facts = {
    metadata: book.metadata,
    title: book.metadata.title,
    chapters: book.chapters.map((chapter) => ({ title: chapterTitle(chapter), ...places[chapter.index]! })),
    sampleRateHz: book.chapters[0]!.sampleRateHz,
  };
  return makeAudio(plan, wanted, format, pcm(), lengthOf(plan), tags);
}
