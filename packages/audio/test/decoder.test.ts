import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, probe } from '../../../test/support/decode.ts';
import { type AudioFormat, audioFormatNames, encodedRateHz, pcmBytes } from '../src/index.ts';
import { encode } from './encode.ts';
import { holds } from './holds.ts';
import { delayOf, leastLikeness, likeness, resampled, voice } from './signal.ts';

const rates = [16_000, 22_050, 24_000, 44_100, 48_000];

const lossless: AudioFormat[] = ['flac', 'wav', 'pcm'];
const lossy: AudioFormat[] = ['mp3', 'opus', 'aac'];
describe.each(audioFormatNames.filter((format) => format !== 'pcm'))('%s', (format) => {
  it.each([false, true])(
    'is what its name says, whether its length is known (%s) or not',
    async (isKnown) => {
      const pcm = voice(40_000, 22_050);
      const bytes = await encode(format, { sampleRateHz: 22_050 }, [pcm], isKnown ? pcm.length : undefined);
      const { codec, container, decodedHz } = holds[format];
      const sampleRateHz = decodedHz ?? encodedRateHz(format, 22_050);
      expect(await probe(bytes)).toEqual({ codec, container, sampleRateHz, channels: 1 });
    },
  );
});

describe.each(lossless)('%s, decoded', (format) => {
  it('is the samples that were encoded, of any number and at any rate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rates),
        fc.oneof(
          fc.constantFrom(1, 1023, 1024, 1025),
          fc.nat(60_000).map((n) => n + 1),
        ),
        fc.boolean(),
        async (sampleRateHz, samples, isKnown) => {
          const pcm = voice(samples, sampleRateHz);
          const bytes = await encode(format, { sampleRateHz }, [pcm], isKnown ? samples : undefined);
          const { pcm: decoded, complaints } = await decode(bytes, format);
          expect(complaints).toBe('');
          expect(Buffer.compare(pcmBytes(decoded), pcmBytes(pcm))).toBe(0);
        },
      ),
      { numRuns: 5 },
    );
  });

  it('keeps the loudest samples, and noise that no predictor foresees', async () => {
    let seed = 1;
    const pcm = Int16Array.from({ length: 10_000 }, (_, i) => {
      seed = Math.imul(seed, 1_664_525) + 1_013_904_223;
      return i < 5000 ? [-32_768, 32_767][i % 2]! : seed >> 16;
    });
    const { pcm: decoded } = await decode(await encode(format, { sampleRateHz: 24_000 }, [pcm]), format);
    expect(Buffer.compare(pcmBytes(decoded), pcmBytes(pcm))).toBe(0);
  });
});

describe.each(lossy)('%s, decoded', (format) => {
  const { delay, decodedHz, decoded: heardOf } = holds[format];

  it.each(rates)(
    'is the same sound at the same place, up to the last 200 ms, at %i Hz',
    async (sampleRateHz) => {
      const samples = Math.round(2.3 * sampleRateHz) + 17;
      const pcm = voice(samples, sampleRateHz);
      const { pcm: decoded, complaints } = await decode(
        await encode(format, { sampleRateHz }, [pcm], samples),
        format,
      );
      expect(complaints).toBe('');
      const heardHz = decodedHz ?? sampleRateHz;
      const wanted = resampled(pcm, sampleRateHz, heardHz);
      expect(decoded.length).toBe(
        heardOf({ samples, sampleRateHz, encodedHz: encodedRateHz(format, sampleRateHz), isKnown: true }),
      );
      expect(delayOf(decoded, wanted, 1200)).toBe(delay);
      const heard = decoded.subarray(delay);
      expect(leastLikeness(heard, wanted, heardHz / 20)).toBeGreaterThan(0.9);
      const tail = wanted.length - heardHz / 5;
      expect(likeness(wanted.subarray(tail), heard.subarray(tail, wanted.length))).toBeGreaterThan(0.98);
    },
  );
});

describe.each(audioFormatNames)('%s at a rate that was asked for', (format) => {
  it.each([
    [22_050, 16_000],
    [16_000, 48_000],
    [44_100, 24_000],
  ])('from %i Hz is the same sound at %i Hz', async (sampleRateHz, wantedRateHz) => {
    const samples = Math.round(1.3 * sampleRateHz) + 7;
    const pcm = voice(samples, sampleRateHz);
    const bytes = await encode(format, { sampleRateHz, wantedRateHz }, [pcm], samples);
    const { pcm: decoded } = await decode(bytes, format);
    const { delay, decodedHz = wantedRateHz, decoded: heardOf } = holds[format];
    const wanted = resampled(pcm, sampleRateHz, decodedHz);
    expect(decoded.length).toBe(heardOf({ samples, sampleRateHz, encodedHz: wantedRateHz, isKnown: true }));
    expect(leastLikeness(decoded.subarray(delay), wanted, decodedHz / 20)).toBeGreaterThan(0.9);
  });
});
