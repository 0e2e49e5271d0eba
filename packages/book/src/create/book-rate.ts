import { encodedRateHz, parseSampleRate } from '@rhapsode/audio';
import type { RequestedOutputs } from '../requested-outputs.ts';

const highestHz = 48_000;

/**
 * The one rate of all of a book's files: the one that was asked for, or the highest of its voices, so that nothing audible is
 * lost. What a voice speaks at another rate is brought to it, sentence by sentence. An M4B's must be one that AAC knows.
 */
export function bookRateHz(
  { audio, sample_rate: asked }: RequestedOutputs,
  voiceRatesHz: readonly number[],
): number {
  const isM4b = audio.includes('m4b');
  if (asked !== undefined) return isM4b ? parseSampleRate(asked, 'aac', 'outputs.sample_rate') : asked;
  const rate = Math.min(highestHz, Math.max(...voiceRatesHz));
  return isM4b ? encodedRateHz('aac', rate) : rate;
}
