import type { SegmentDone } from '@rhapsode/pipeline';

export interface Word {
  readonly text: string;
  readonly start: number;
  readonly duration: number;
}

/** When the words of a sentence are heard, in seconds; the sentence begins at `firstSample`. */
export const wordsOf = ({ marks }: SegmentDone, firstSample: number, sampleRateHz: number): Word[] =>
  marks
    .filter(({ kind }) => kind === 'word')
    .map(({ text, firstSample: at, samples }) => ({
      text,
      start: seconds(firstSample + at, sampleRateHz),
      duration: seconds(samples, sampleRateHz),
    }));

const seconds = (samples: number, sampleRateHz: number) => Math.round((samples / sampleRateHz) * 1e6) / 1e6;
