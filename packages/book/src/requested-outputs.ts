import { controlCharacterAt } from '@rhapsode/contracts';
import { z } from 'zod';
import { givenMetadata, type OutputSettings, outputSettings } from './render/settings.ts';

const { sampleRateHz, loudness: _, ...sameOutputs } = outputSettings.shape;
const { targetLufs, truePeakDb } = outputSettings.shape.loudness.unwrap().unwrap().shape;
const { seriesNumber, ...sameMetadata } = givenMetadata.shape;

const isUnique = (list: readonly string[]): boolean => new Set(list).size === list.length;

/** What is written into file names and tags. */
const isPlain = (text: string, oneLine: boolean): boolean =>
  text.isWellFormed() && controlCharacterAt(text, { oneLine }) === -1;

/** BCP 47. */
export const languageTag = z
  .string()
  .min(1)
  .max(35)
  .refine((tag) => {
    try {
      return Intl.getCanonicalLocales(tag).length === 1;
    } catch {
      return false;
    }
  }, 'must be a language tag, as en or pt-BR');

/** The files of a book as a caller asks for them, in the words of the HTTP interface. */
export const requestedOutputs = z
  .strictObject({
    ...sameOutputs,
    audio: sameOutputs.audio.refine(isUnique, 'names one twice'),
    captions: sameOutputs.captions.refine(isUnique, 'names one twice'),
    sample_rate: sampleRateHz,
    loudness: z.strictObject({ target_lufs: targetLufs, true_peak_db: truePeakDb }).nullable().prefault({}),
  })
  .refine(({ audio, single }) => single.every((format) => audio.includes(format)), {
    path: ['single'],
    message: "names a format that 'audio' does not",
  });
export type RequestedOutputs = z.infer<typeof requestedOutputs>;

/** What a caller says about the book. */
export const requestedMetadata = z
  .strictObject({ ...sameMetadata, language: languageTag.optional(), series_number: seriesNumber })
  .superRefine((said, { addIssue }) => {
    for (const [field, value] of Object.entries(said))
      for (const [index, text] of [value].flat().entries()) {
        const path = Array.isArray(value) ? [field, index] : [field];
        if (typeof text === 'string' && !isPlain(text, field !== 'description'))
          addIssue({
            code: 'custom',
            path,
            message: 'holds a control character, or half of a surrogate pair',
          });
      }
  });
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
