import { type AudioFormat, formatFacts } from './format.ts';
import { type Mp3Rate, mp3Bytes } from './mp3-info.ts';

/** Bytes of a whole stream of so many samples at this rate; undefined where only encoding it tells. */
export function encodedBytes(format: AudioFormat, sampleRateHz: number, samples: number): number | undefined {
  if (format === 'mp3') return mp3Bytes(sampleRateHz as Mp3Rate, samples);
  const { fixedRate } = formatFacts(format);
  return fixedRate && fixedRate.headerBytes + samples * fixedRate.bytesPerSample;
}
