import { type BookMetadata, type bookAudioFormats, coverTypes, type OutputSettings } from './settings.ts';

type Format = (typeof bookAudioFormats)[number];

/** Where a book's files are, as Audiobookshelf reads it: `Author/Series/Title`, and one format of audio in a folder. */
export interface FileNames {
  /** Of the book: captions, metadata and the first format of audio. */
  readonly folder: string;
  book(format: Format): string;
  chapter(format: Format, index: number, title: string): string;
  captions(format: string): string;
  chapterCaptions(format: string, index: number, title: string): string;
  readonly metadata: string;
  readonly cover: string;
  readonly manifest: string;
}

const longestNameBytes = 120;

export function fileNames(metadata: BookMetadata, outputs: OutputSettings, chapterCount: number): FileNames {
  const title = safeName(metadata.title, 'Untitled');
  const { seriesNumber } = metadata;
  const own =
    metadata.series !== undefined && seriesNumber !== undefined
      ? safeName(`Vol ${seriesNumber} - ${metadata.title}`, title)
      : title;
  const above = [
    safeName(metadata.authors.join(', '), 'Unknown author'),
    ...(metadata.series === undefined ? [] : [safeName(metadata.series, 'Series')]),
  ].join('/');
  const folder = `${above}/${own}`;
  const folderOf = (format: Format) =>
    outputs.audio[0] === format ? folder : `${above}/${own} (${format.toUpperCase()})`;
  const perChapter = outputs.audio.find((format) => !isWhole(format, outputs));
  const digits = Math.max(2, String(chapterCount).length);
  const chapterName = (index: number, chapterTitle: string) => {
    const number = String(index + 1).padStart(digits, '0');
    return chapterTitle.trim() === '' ? number : safeName(`${number} - ${chapterTitle}`, number);
  };
  return {
    folder,
    book: (format) => `${folderOf(format)}/${title}.${format}`,
    chapter: (format, index, chapterTitle) =>
      `${folderOf(format)}/${chapterName(index, chapterTitle)}.${format}`,
    captions: (format) => `${folder}/${title}.${captionEnding(format)}`,
    chapterCaptions: (format, index, chapterTitle) =>
      `${folderOf(perChapter ?? outputs.audio[0]!)}/${chapterName(index, chapterTitle)}.${captionEnding(format)}`,
    metadata: `${folder}/metadata.json`,
    cover: `${folder}/cover.${metadata.cover?.mediaType === coverTypes[1] ? 'png' : 'jpg'}`,
    manifest: `${folder}/book.json`,
  };
}

/** A book may be called `metadata` or `book`. */
const captionEnding = (format: string) => (format === 'json' ? 'timings.json' : format);

/** Whether one file of this format holds the whole book. */
export const isWhole = (format: Format, { single }: OutputSettings): boolean =>
  format === 'm4b' || (single as readonly string[]).includes(format);

/** A name for any file system: what one of them forbids becomes a space, and nothing begins or ends with a dot or a space. */
export function safeName(words: string, otherwise: string): string {
  const clean = (text: string) =>
    text
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029<>:"/\\|?*]+/gu, ' ')
      .replace(/\s+/gu, ' ')
      .replace(/^[ .]+|[ .]+$/gu, '');
  let name = clean(words.normalize('NFC'));
  while (Buffer.byteLength(name) > longestNameBytes) name = clean([...name].slice(0, -1).join(''));
  return name === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/iu.test(name) ? otherwise : name;
}
