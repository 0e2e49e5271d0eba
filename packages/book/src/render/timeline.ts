/** Samples that an AAC packet holds. */
export const packetSamples = 1024;

export interface ChapterPlace {
  readonly startSample: number;
  /** With the closing silence. */
  readonly samples: number;
  /** Silence that was added behind the chapter's last pause. */
  readonly closingSamples: number;
}

/**
 * Chapters begin where an AAC packet does, and end with at least one packet of silence: so each can be encoded alone, and the
 * encoded chapters one behind the other decode to exactly their samples, without a seam (see `aac-packets.ts`). For this a
 * chapter is given up to 2047 samples of silence, in every format: all files of a book have one timeline.
 */
export function closeChapter(samples: number, trailingZeros: number): number {
  const whole = Math.ceil(samples / packetSamples) * packetSamples;
  const silent = whole - samples + Math.min(trailingZeros, samples);
  return (silent < packetSamples ? whole + packetSamples : whole) - samples;
}

export function placeChapters(
  chapters: readonly { readonly samples: number; readonly trailingZeros: number }[],
): ChapterPlace[] {
  let startSample = 0;
  return chapters.map(({ samples: spoken, trailingZeros }) => {
    const closingSamples = closeChapter(spoken, trailingZeros);
    const place = { startSample, samples: spoken + closingSamples, closingSamples };
    startSample += place.samples;
    return place;
  });
}

/** To the nearest millisecond; halves go up. Whole numbers up to 2^53 all the way. */
export const roundedMs = (samples: number, sampleRateHz: number): number => {
  const seconds = Math.floor(samples / sampleRateHz);
  return (
    seconds * 1000 +
    Math.floor((2000 * (samples - seconds * sampleRateHz) + sampleRateHz) / (2 * sampleRateHz))
  );
};
