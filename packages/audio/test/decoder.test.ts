import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, probe } from '../../../test/support/decode.ts';
import { type AudioFormat, audioFormatNames, encodedRateHz, pcmBytes, samplesAtRate } from '../src/index.ts';
import { encode } from './encode.ts';
import { delayOf, leastLikeness, likeness, resampled, voice } from './signal.ts';

const rates = [16_000, 22_050, 24_000, 44_100, 48_000];

/** What a decoder gives, in samples: its rate, the frame of the codec, and how late the sound may be. */
const facts: Record<AudioFormat, { codec: string; container: string; decodedHz?: number; delay: number }> = {
  mp3: { codec: 'mp3', container: 'mp3', delay: 0 },
  opus: { codec: 'opus', container: 'ogg', decodedHz: 48_000, delay: 0 },
  // ADTS can't say that the first frame is the encoder's delay, nor that the last one is not full.
  aac: { codec: 'aac', container: 'aac', delay: 1024 },
  flac: { codec: 'flac', container: 'flac', delay: 0 },
  wav: { codec: 'pcm_s16le', container: 'wav', delay: 0 },
  pcm: { codec: 'pcm_s16le', container: 's16le', delay: 0 },
};
const lossless: AudioFormat[] = ['flac', 'wav', 'pcm'];
const lossy: AudioFormat[] = ['mp3', 'opus', 'aac'];
const aacFrame = 1024;
const decodedLength = (format: AudioFormat, samples: number) =>
  format === 'aac' ? (1 + Math.max(1, Math.ceil(samples / aacFrame))) * aacFrame : samples;

describe.each(audioFormatNames.filter((format) => format !== 'pcm'))('%s', (format) => {
  it.each([false, true])(
    'is what its name says, whether its length is known (%s) or not',
    async (isKnown) => {
      const pcm = voice(40_000, 22_050);
      const bytes = await encode(format, { sampleRateHz: 22_050 }, [pcm], isKnown ? pcm.length : undefined);
      const { codec, container, decodedHz } = facts[format];
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
  const { delay, decodedHz } = facts[format];

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
      expect(decoded.length).toBe(decodedLength(format, samplesAtRate(samples, sampleRateHz, heardHz)));
      expect(delayOf(decoded, wanted, 1200)).toBe(delay);
      const heard = decoded.subarray(delay);
      expect(leastLikeness(heard, wanted, heardHz / 20)).toBeGreaterThan(0.9);
      const tail = wanted.length - heardHz / 5;
      expect(likeness(wanted.subarray(tail), heard.subarray(tail, wanted.length))).toBeGreaterThan(0.98);
    },
  );

  it('has exactly as many samples as its format can say, of any number', async () => {
    const lengths = [0, 1, 575, 576, 577, 959, 960, 961, 1023, 1024, 1025, 1151, 1152, 1153];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rates),
        fc.oneof(fc.constantFrom(...lengths), fc.nat(40_000)),
        async (sampleRateHz, samples) => {
          const pcm = voice(samples, sampleRateHz);
          const bytes = await encode(format, { sampleRateHz }, [pcm], samples);
          const { pcm: decoded } = await decode(bytes, format);
          const heard = samplesAtRate(samples, sampleRateHz, decodedHz ?? sampleRateHz);
          const wanted = decodedLength(format, heard);
          // Of less than a decoder's own delay nothing can be cut off exactly.
          if (format === 'mp3' && samples < 576) expect(Math.abs(decoded.length - wanted)).toBeLessThan(576);
          else expect(decoded.length).toBe(wanted);
        },
      ),
      {
        numRuns: format === 'aac' ? 5 : 8,
        examples: [
          [24_000, 0],
          [44_100, 0],
          [24_000, 1],
          [48_000, 1],
        ],
      },
    );
  });

  it('begins at the same place when its length was not known, and ends within one frame', async () => {
    const pcm = voice(50_000, 24_000);
    const { pcm: decoded } = await decode(await encode(format, { sampleRateHz: 24_000 }, [pcm]), format);
    const heardHz = decodedHz ?? 24_000;
    const wanted = resampled(pcm, 24_000, heardHz);
    expect(delayOf(decoded, wanted, 1200)).toBe(delay);
    expect(decoded.length).toBeGreaterThanOrEqual(wanted.length);
    expect(decoded.length - wanted.length - delay).toBeLessThan(format === 'aac' ? aacFrame : 576);
  });
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
    const { delay, decodedHz = wantedRateHz } = facts[format];
    const wanted = resampled(pcm, sampleRateHz, decodedHz);
    expect(decoded.length).toBe(decodedLength(format, samplesAtRate(samples, sampleRateHz, decodedHz)));
    expect(leastLikeness(decoded.subarray(delay), wanted, decodedHz / 20)).toBeGreaterThan(0.9);
  });
});
