import { RhapsodeError } from '@rhapsode/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AudioFormat,
  audioFormatNames,
  createEncoder,
  formatFacts,
  parseAudioFormat,
  parseWav,
  pcmBytes,
  wavHeader,
} from '../src/index.ts';
import { mp3Frames } from './mp3-frames.ts';

async function encode(format: AudioFormat, sampleRateHz: number, pieces: Int16Array[], samples?: number) {
  const encoder = await createEncoder(format, { sampleRateHz });
  const bytes = [Buffer.from(encoder.header(samples))];
  for (const piece of pieces) bytes.push(Buffer.from(encoder.push(piece)));
  bytes.push(Buffer.from(encoder.finish()));
  return Buffer.concat(bytes);
}

const chirp = (samples: number) =>
  Int16Array.from({ length: samples }, (_, i) => Math.round(9000 * Math.sin(i * 0.01 + i * i * 1e-6)));

/** Cuts `whole` at the given places. */
function cutAt(whole: Int16Array, places: number[]): Int16Array[] {
  const cuts = [0, ...places.map((p) => p % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return cuts.slice(1).map((end, i) => whole.subarray(cuts[i]!, end));
}

describe.each(audioFormatNames)('%s encoder', (format) => {
  it('gives the same bytes however the samples are divided', async () => {
    const whole = chirp(9000);
    const once = await encode(format, 22_050, [whole]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9000), { maxLength: 12 }), async (places) => {
        expect(await encode(format, 22_050, cutAt(whole, places))).toEqual(once);
      }),
      { numRuns: 15 },
    );
  });

  it('says truly which byte belongs to which sample, if the format has a fixed rate', async () => {
    const fixed = formatFacts(format).fixedRate;
    if (fixed === undefined) return;
    const whole = chirp(1000);
    const bytes = await encode(format, 24_000, [whole]);
    const from = fixed.headerBytes + fixed.bytesPerSample * 400;
    expect(bytes.subarray(from)).toEqual(Buffer.from(pcmBytes(whole.subarray(400))));
  });
});

describe('wav', () => {
  it('says its exact sizes when the length is known', async () => {
    const wav = parseWav(await encode('wav', 16_000, [chirp(777)], 777));
    expect(wav).toMatchObject({ sampleRateHz: 16_000, sized: true });
    expect(wav.pcm).toEqual(chirp(777));
  });

  it('says 0xFFFFFFFF in both size fields while the length is unknown', async () => {
    const bytes = await encode('wav', 16_000, [chirp(5)]);
    expect(bytes.readUInt32LE(4)).toBe(0xffff_ffff);
    expect(bytes.readUInt32LE(40)).toBe(0xffff_ffff);
    expect(parseWav(bytes)).toMatchObject({ sized: false, pcm: chirp(5) });
  });

  it('does not lie about sizes that 32 bits cannot hold', () => {
    const header = new DataView(wavHeader(48_000, 2 ** 31).buffer);
    expect(header.getUint32(4, true)).toBe(0xffff_ffff);
    expect(header.getUint32(40, true)).toBe(0xffff_ffff);
  });

  it('finds a file that was cut short', async () => {
    const bytes = await encode('wav', 16_000, [chirp(100)], 100);
    expect(() => parseWav(bytes.subarray(0, -2))).toThrow('cut short');
  });
});

describe('mp3', () => {
  it.each([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])(
    'is an unbroken row of mono frames at %i Hz that holds every sample',
    async (sampleRateHz) => {
      const samples = sampleRateHz + 123;
      const frames = mp3Frames(await encode('mp3', sampleRateHz, [chirp(samples)]));
      expect(new Set(frames.map((f) => f.sampleRateHz))).toEqual(new Set([sampleRateHz]));
      expect(new Set(frames.map((f) => f.channels))).toEqual(new Set([1]));
      expect(frames.reduce((sum, f) => sum + f.samples, 0)).toBeGreaterThanOrEqual(samples);
    },
  );

  it('refuses a sample rate that it does not know, and says what to do', async () => {
    const failure = await createEncoder('mp3', { sampleRateHz: 20_000 }).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(RhapsodeError);
    expect(failure).toMatchObject({ code: 'unsupported_format', message: expect.stringContaining('wav') });
  });
});

describe('parseAudioFormat', () => {
  it('names the field and the supported formats when it refuses one', () => {
    expect(() => parseAudioFormat('opus', 'response_format')).toThrow(
      expect.objectContaining({
        code: 'unsupported_format',
        param: 'response_format',
        message: expect.stringContaining('mp3'),
      }),
    );
    expect(() => parseAudioFormat('constructor', 'format')).toThrow(RhapsodeError);
  });
});
