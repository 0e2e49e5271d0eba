import type { BookMetadata } from './settings.ts';

/** `metadata.json` as Audiobookshelf reads and writes it beside a book. */
export function audiobookshelfMetadata(
  metadata: BookMetadata,
  chapters: readonly { readonly title: string; readonly startSample: number; readonly samples: number }[],
  sampleRateHz: number,
): Uint8Array {
  const { series, seriesNumber } = metadata;
  const content = {
    tags: [],
    chapters: chapters.map(({ title, startSample, samples }, id) => ({
      id,
      start: startSample / sampleRateHz,
      end: (startSample + samples) / sampleRateHz,
      title,
    })),
    title: metadata.title,
    subtitle: metadata.subtitle ?? null,
    authors: metadata.authors,
    narrators: metadata.narrator === undefined ? [] : [metadata.narrator],
    series: series === undefined ? [] : [seriesNumber === undefined ? series : `${series} #${seriesNumber}`],
    genres: [metadata.genre],
    publishedYear: metadata.year === undefined ? null : String(metadata.year),
    publishedDate: null,
    publisher: metadata.publisher ?? null,
    description: metadata.description ?? null,
    isbn: null,
    asin: null,
    language: metadata.language,
    explicit: false,
    abridged: false,
  };
  return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
}
