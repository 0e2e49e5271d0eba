import { RhapsodeError } from '@rhapsode/contracts';
import type { AudioFormat } from './format.ts';

/** The rates of MPEG-1, 2 and 2.5 layer III; those of AAC that speech has a use for are the same. */
const mpegRates = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const;
/** The rates that Opus takes; what it gives is 48 kHz always. */
const opusRates = [8000, 12_000, 16_000, 24_000, 48_000] as const;
const anyRate = { lowest: 8000, highest: 48_000 } as const;

const ratesOf: Record<AudioFormat, readonly number[] | typeof anyRate> = {
  wav: anyRate,
  pcm: anyRate,
  flac: anyRate,
  mp3: mpegRates,
  aac: mpegRates,
  opus: opusRates,
};

const isRateList = (rates: readonly number[] | typeof anyRate): rates is readonly number[] =>
  Array.isArray(rates);

/** Refuses a rate that the format can't have, with a message that lists those that it can. */
export function parseSampleRate(sampleRateHz: number, format: AudioFormat, param: string): number {
  const rates = ratesOf[format];
  if (isRateList(rates)) {
    if (rates.includes(sampleRateHz)) return sampleRateHz;
  } else if (Number.isInteger(sampleRateHz) && sampleRateHz >= rates.lowest && sampleRateHz <= rates.highest)
    return sampleRateHz;
  throw new RhapsodeError('unsupported_format', {
    message:
      `'${param}' ${sampleRateHz} is not a sample rate of ${format}; use ` +
      (isRateList(rates)
        ? `one of ${rates.join(', ')}.`
        : `a whole number from ${rates.lowest} to ${rates.highest}.`),
    param,
  });
}

/**
 * The rate that a voice's audio is encoded with: the one that was asked for; or the voice's own, where the format knows it; or
 * the next higher one that it knows, so that nothing audible is lost.
 */
export function encodedRateHz(format: AudioFormat, voiceRateHz: number, wantedRateHz?: number): number {
  if (wantedRateHz !== undefined) return parseSampleRate(wantedRateHz, format, 'sample_rate');
  const rates = ratesOf[format];
  if (isRateList(rates)) return rates.find((rate) => rate >= voiceRateHz) ?? rates.at(-1)!;
  // A FLAC frame has 16 bits for a rate.
  return format === 'flac' ? Math.min(voiceRateHz, rates.highest) : voiceRateHz;
}

/** How many samples there are at another rate: the same time, to the nearest sample. */
export const samplesAtRate = (samples: number, fromHz: number, toHz: number): number =>
  fromHz === toHz ? samples : Math.round((samples * toHz) / fromHz);
