import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { encodedRateHz } from '@rhapsode/audio';
import { RhapsodeError } from '@rhapsode/contracts';
import { z } from 'zod';
import { forEachOf } from '../limited.ts';
import { audiobookshelfMetadata } from './audiobookshelf.ts';
import { type CaptionedChapter, captions, captionTypes } from './captions.ts';
import { type FileNames, fileNames, isWhole } from './file-names.ts';
import { chooseGain, type Gain, gain } from './gain.ts';
import { createLoudnessSum, type Loudness } from './loudness.ts';
import { createMadeFiles, type MadeFiles, type Wanted } from './made-files.ts';
import { measureChapter } from './measure.ts';
import type { BookAudio, OutputFile, RenderBook, RenderChapter, RenderDeps } from './port.ts';
import { fingerprintOf, once, readRecord, writeRecord } from './records.ts';
import { type AudioPlan, chapterTitle, renderChapterAudio, renderWholeAudio } from './render-audio.ts';
import { placeChapters } from './timeline.ts';
import { writeManifest } from './write-manifest.ts';

const gainRecord = z.object({ settings: z.string(), gain });
const manifestKind = { kind: 'manifest', format: 'json', contentType: 'application/json' } as const;
/** Each chapter that is encoded has a thread and some megabytes. */
const defaultConcurrency = Math.max(2, Math.min(8, availableParallelism()));
const namesRecord = z.array(z.string());

export const renderChapter: RenderChapter = async (_book, chapter, deps) => {
  await measureChapter(chapter, deps);
};

export const renderBook: RenderBook = async (book, deps) => {
  const { chapters, outputs, metadata } = book;
  const { signal, onProgress = () => {} } = deps;
  checkBook(book);
  const sampleRateHz = chapters[0]!.sampleRateHz;

  const lengths: { samples: number; trailingZeros: number }[] = [];
  const heard = createLoudnessSum();
  for (const [index, chapter] of chapters.entries()) {
    const { samples, trailingZeros, loudness } = await measureChapter(chapter, deps);
    lengths.push({ samples, trailingZeros });
    heard.add(loudness);
    onProgress({ stage: 'measure', chapter: index + 1, chapters: chapters.length });
  }
  const places = placeChapters(lengths);
  const bookGain = await keepGain(book, heard.result(), deps);

  const names = fileNames(metadata, outputs, chapters.length);
  const made = createMadeFiles(deps);
  const plan: AudioPlan = {
    book,
    names,
    places,
    gainDb: bookGain.gainDb,
    made,
    deps,
    metadataDigest: digestOf(book),
  };
  await announce(plan, deps);

  const files: OutputFile[] = [];
  let encoded = 0;
  await forEachOf(chapters, deps.concurrency ?? defaultConcurrency, async (chapter) => {
    files.push(...(await renderChapterAudio(plan, chapter)));
    encoded += 1;
    onProgress({ stage: 'encode', chapter: encoded, chapters: chapters.length });
  });
  onProgress({ stage: 'assemble', chapter: chapters.length, chapters: chapters.length });
  files.push(...(await renderWholeAudio(plan)));
  files.push(...(await renderCaptions(plan)));
  files.push(...(await renderMetadata(plan)));
  files.sort(inOrder);

  const written = await writeManifest(
    book,
    { name: names.manifest, gain: bookGain, sampleRateHz, places, files },
    deps,
  );
  await removeOthers([...files.map(({ name }) => name), names.manifest], made, deps);
  signal?.throwIfAborted();
  return {
    files: [
      ...files,
      { name: names.manifest, ...manifestKind, bytes: written.bytes, sha256: written.sha256 },
    ],
    samples: places.reduce((sum, { samples }) => sum + samples, 0),
    sampleRateHz,
    gainDb: bookGain.gainDb,
    contentDigest: written.contentDigest,
  };
};

function checkBook({ chapters, outputs }: BookAudio): void {
  const rate = chapters[0]?.sampleRateHz;
  if (rate === undefined) throw new RhapsodeError('text_empty', { message: 'the book has no chapter' });
  if (chapters.some(({ sampleRateHz }) => sampleRateHz !== rate))
    throw new Error('the chapters of a book have different sample rates');
  if (outputs.audio.includes('m4b') && encodedRateHz('aac', rate) !== rate)
    throw new RhapsodeError('unsupported_format', {
      message: `AAC has no sample rate of ${rate} Hz, which is the voice's; use another format than m4b`,
      param: 'outputs.audio',
    });
}

function digestOf({ metadata: { cover, ...words } }: BookAudio): string {
  const picture = cover && [cover.mediaType, createHash('sha256').update(cover.bytes).digest('hex')];
  return fingerprintOf('metadata', Object.entries(words).sort(), picture ?? null);
}

/** The gain of the book, the same as the last time while it is good enough. */
async function keepGain(book: BookAudio, loudness: Loudness, deps: RenderDeps): Promise<Gain> {
  const settings = JSON.stringify(book.outputs.loudness);
  const known = await readRecord(deps.parts, 'gain.json', gainRecord, deps.signal);
  const previous = known?.settings === settings ? known.gain : undefined;
  const chosen = chooseGain([loudness], book.outputs.loudness, previous);
  if (chosen !== previous)
    await writeRecord(deps.parts, 'gain.json', { settings, gain: chosen }, deps.signal);
  return chosen;
}

async function renderCaptions(plan: AudioPlan): Promise<OutputFile[]> {
  const { book, names, places, made, deps } = plan;
  const files: OutputFile[] = [];
  const hasChapterFiles = book.outputs.audio.some((format) => !isWhole(format, book.outputs));
  const captioned = (index: number, startSample: number): CaptionedChapter => {
    const chapter = book.chapters[index]!;
    return { chapter, title: chapterTitle(chapter), startSample, samples: places[index]!.samples };
  };
  for (const format of book.outputs.captions) {
    const about = {
      kind: format === 'json' ? 'timings' : 'captions',
      format,
      contentType: captionTypes[format],
    } as const;
    const all = book.chapters.map((_, index) => captioned(index, places[index]!.startSample));
    files.push(
      await written({ name: names.captions(format), fingerprint: captionsFrom(format, all), about }, all),
    );
    if (!hasChapterFiles) continue;
    for (const [index, chapter] of book.chapters.entries()) {
      const one = [captioned(index, 0)];
      const name = names.chapterCaptions(format, index, chapter.title);
      files.push(
        await written(
          { name, fingerprint: captionsFrom(format, one), about: { ...about, chapter: index } },
          one,
        ),
      );
    }
  }
  return files;

  async function written(wanted: Wanted, chapters: readonly CaptionedChapter[]): Promise<OutputFile> {
    const format = wanted.about.format as (typeof book.outputs.captions)[number];
    return (await made.known(wanted)) ?? made.make(wanted, captions(format, chapters, deps.signal));
  }
}

const captionsFrom = (format: string, chapters: readonly CaptionedChapter[]): string =>
  fingerprintOf(
    'captions',
    format,
    chapters.map(({ chapter, title, startSample, samples }) => [
      chapter.index,
      title,
      chapter.digest,
      startSample,
      samples,
    ]),
  );

async function renderMetadata({
  book,
  names,
  places,
  made,
  metadataDigest,
}: AudioPlan): Promise<OutputFile[]> {
  const { metadata, chapters } = book;
  const listed = chapters.map((chapter, index) => ({ title: chapterTitle(chapter), ...places[index]! }));
  const words: Wanted = {
    name: names.metadata,
    fingerprint: fingerprintOf('audiobookshelf', metadataDigest, listed),
    about: { kind: 'metadata', format: 'json', contentType: 'application/json' },
  };
  const files = [
    (await made.known(words)) ??
      (await made.make(words, once(audiobookshelfMetadata(metadata, listed, chapters[0]!.sampleRateHz)))),
  ];
  const { cover } = metadata;
  if (!cover) return files;
  const picture: Wanted = {
    name: names.cover,
    fingerprint: fingerprintOf('cover', metadataDigest),
    about: { kind: 'cover', format: cover.mediaType.split('/')[1]!, contentType: cover.mediaType },
  };
  return [...files, (await made.known(picture)) ?? (await made.make(picture, once(cover.bytes)))];
}

/** Sound first, in the order of the book; everything else by its name. */
function inOrder(a: OutputFile, b: OutputFile): number {
  const rank = ({ kind }: OutputFile) => (kind === 'audio' ? 0 : 1);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Names that may come to be are noted before they do, so that whoever comes after a crash finds what to remove. */
async function announce({ book, names }: AudioPlan, { parts, signal }: RenderDeps): Promise<void> {
  const before = (await readRecord(parts, 'names.json', namesRecord, signal)) ?? [];
  const all = new Set([...before, ...namesOf(book, names)]);
  if (all.size > before.length) await writeRecord(parts, 'names.json', [...all].sort(), signal);
}

function namesOf({ outputs, chapters, metadata }: BookAudio, names: FileNames): string[] {
  const perChapter = outputs.audio.filter((format) => !isWhole(format, outputs));
  return [
    ...outputs.audio.filter((format) => isWhole(format, outputs)).map((format) => names.book(format)),
    ...chapters.flatMap(({ index, title }) => [
      ...perChapter.map((format) => names.chapter(format, index, title)),
      ...(perChapter.length > 0
        ? outputs.captions.map((format) => names.chapterCaptions(format, index, title))
        : []),
    ]),
    ...outputs.captions.map((format) => names.captions(format)),
    names.metadata,
    ...(metadata.cover ? [names.cover] : []),
    names.manifest,
  ];
}

/** What an earlier edition had and this one has not. */
async function removeOthers(
  kept: readonly string[],
  made: MadeFiles,
  { parts, signal }: RenderDeps,
): Promise<void> {
  const stay = new Set(kept);
  const before = (await readRecord(parts, 'names.json', namesRecord, signal)) ?? [];
  const gone = before.filter((name) => !stay.has(name));
  for (const name of gone) await made.remove(name);
  if (gone.length > 0) await writeRecord(parts, 'names.json', [...stay].sort(), signal);
}
