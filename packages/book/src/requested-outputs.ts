import { z } from 'zod';
import { givenMetadata, type OutputSettings, outputSettings } from './render/settings.ts';

const { sampleRateHz, loudness: _, ...sameOutputs } = outputSettings.shape;
const { targetLufs, truePeakDb } = outputSettings.shape.loudness.unwrap().unwrap().shape;
const { seriesNumber, ...sameMetadata } = givenMetadata.shape;

/** The files of a book as a caller asks for them, in the words of the HTTP interface. */
export const requestedOutputs = z.strictObject({
  ...sameOutputs,
  sample_rate: sampleRateHz,
  loudness: z.strictObject({ target_lufs: targetLufs, true_peak_db: truePeakDb }).nullable().prefault({}),
});
export type RequestedOutputs = z.infer<typeof requestedOutputs>;

/** What a caller says about the book. */
export const requestedMetadata = z.strictObject({ ...sameMetadata, series_number: seriesNumber });
export type RequestedMetadata = z.infer<typeof requestedMetadata>;

/** The same in the words of `book.json` and of who makes the files. */
export const outputsOf = ({
  audio,
  single,
  sample_rate,
  captions,
  loudness,
}: RequestedOutputs): OutputSettings => ({
  audio,
  single,
  ...(sample_rate === undefined ? {} : { sampleRateHz: sample_rate }),
  captions,
  loudness: loudness && { targetLufs: loudness.target_lufs, truePeakDb: loudness.true_peak_db },
});

export const saidOf = ({ series_number, ...said }: RequestedMetadata): z.infer<typeof givenMetadata> => ({
  ...said,
  ...(series_number === undefined ? {} : { seriesNumber: series_number }),
});
