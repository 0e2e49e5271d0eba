import { RhapsodeError } from '@rhapsode/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostAacStreams } from '../src/aac.ts';
import {
  audioFormatNames,
  createEncoder,
  encodedBytes,
  encodedRateHz,
  formatFacts,
  parseAudioFormat,
  parseWav,
  pcmBytes,
  samplesAtRate,
  wavHeader,
} from '../src/index.ts';
import { cutAt, encode } from './encode.ts';
import { mp3Frames } from './mp3-frames.ts';
import { voice } from './signal.ts';

const chirp = (samples: number) =>
  Int16Array.from({ length: samples }, (_, i) => Math.round(9000 * Math.sin(i * 0.01 + i * i * 1e-6)));

describe.each(audioFormatNames)('%s encoder', (format) => {
  it.each([undefined, 24_000])(
    'gives the same bytes however the samples are divided, at its own rate or another (%s)',
    async (wantedRateHz) => {
      const whole = voice(12_000, 22_050);
      const options = { sampleRateHz: 22_050, wantedRateHz };
      const once = await encode(format, options, [whole]);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(12_000), { maxLength: 12 }), async (places) => {
          expect((await encode(format, options, cutAt(whole, places))).equals(once)).toBe(true);
        }),
        { numRuns: format === 'aac' ? 4 : 10 },
      );
    },
  );

  it('says its length in the header and nowhere else', async () => {
    const whole = voice(9000, 24_000);
    const options = { sampleRateHz: 24_000, wantedRateHz: 16_000 };
    const encoder = await createEncoder(format, options);
    const headers = [undefined, 0, 6000, 2 ** 33].map((samples) => encoder.header(samples).length);
    await encoder.close();
    expect(new Set(headers).size).toBe(1);
    const [unknown, known] = [
      await encode(format, options, [whole]),
      await encode(format, options, [whole], 9000),
    ];
    expect(known.subarray(headers[0]).equals(unknown.subarray(headers[0]))).toBe(true);
  });

  it.each([11_000, 20_000, 30_000, 96_000])(
    'takes a voice of %i Hz, a rate that few formats know',
    async (rate) => {
      const encoder = await createEncoder(format, { sampleRateHz: rate });
      expect(encoder.sampleRateHz).toBe(encodedRateHz(format, rate));
      expect(encoder.sampleRateHz).toBeGreaterThanOrEqual(Math.min(rate, 48_000));
      const bytes = [await encoder.push(voice(rate / 2, rate)), await encoder.finish()];
      await encoder.close();
      expect(Buffer.concat(bytes).length).toBeGreaterThan(1000);
    },
  );

  it.each([7000, 24_000.5, 49_000, Number.NaN])(
    'refuses to resample to %d Hz, and says what it can do',
    async (rate) => {
      const failure = createEncoder(format, { sampleRateHz: 24_000, wantedRateHz: rate });
      await expect(failure).rejects.toMatchObject({
        code: 'unsupported_format',
        param: 'sample_rate',
        message: expect.stringMatching(/8000, .*48000|8000 to 48000/),
      });
    },
  );

  it('has something to hear in its bytes after a fifth of a second, also at another rate', async () => {
    const encoder = await createEncoder(format, { sampleRateHz: 22_050, wantedRateHz: 24_000 });
    let bytes = 0;
    for (let piece = 0; piece < 2; piece++) bytes += (await encoder.push(voice(2205, 22_050))).length;
    // AAC is encoded in a thread, which may take its time to start.
    if (format !== 'aac') expect(bytes).toBeGreaterThan(0);
    await encoder.close();
  });

  it('tells of whatever goes wrong inside with one code, and why', async () => {
    const encoder = await createEncoder(format, { sampleRateHz: 24_000 });
    const broken = new Proxy(chirp(100), {
      get(samples, name) {
        if (name === 'length') throw new Error('the memory is gone');
        return Reflect.get(samples, name);
      },
    });
    await expect(encoder.push(broken)).rejects.toMatchObject({
      code: 'encoder_failed',
      message: expect.stringContaining(format),
      cause: { message: 'the memory is gone' },
    });
    await encoder.close();
  });

  it('can be closed in the middle, and again', async () => {
    const encoder = await createEncoder(format, { sampleRateHz: 22_050, wantedRateHz: 24_000 });
    await encoder.push(chirp(3000));
    await encoder.close();
    await encoder.close();
  });

  it('has as many bytes as are promised before it is encoded, where any number is', async () => {
    const bytes = await encode(format, { sampleRateHz: 22_050, wantedRateHz: 16_000 }, [chirp(5001)]);
    const promised = encodedBytes(format, 16_000, samplesAtRate(5001, 22_050, 16_000));
    if (promised !== undefined) expect(bytes.length).toBe(promised);
    expect(promised === undefined).toBe(['opus', 'aac', 'flac'].includes(format));
  });

  it('says truly which byte belongs to which sample, if the format has a fixed rate', async () => {
    const fixed = formatFacts(format).fixedRate;
    if (fixed === undefined) return;
    const whole = chirp(1000);
    const bytes = await encode(format, { sampleRateHz: 24_000 }, [whole]);
    const from = fixed.headerBytes + fixed.bytesPerSample * 400;
    expect(bytes.subarray(from)).toEqual(Buffer.from(pcmBytes(whole.subarray(400))));
  });
});

describe('sentences at another rate', () => {
  const options = { sampleRateHz: 22_050, wantedRateHz: 24_000 };
  const sentences = [9_001, 1, 4_411, 0, 7_777].map((samples, n) => voice(samples + n, 22_050).subarray(n));

  async function encodeFrom(first: number, samplesBefore: number): Promise<Buffer> {
    const encoder = await createEncoder('pcm', { ...options, samplesBefore });
    const parts: Buffer[] = [];
    for (const sentence of sentences.slice(first))
      parts.push(Buffer.from(await encoder.push(sentence)), Buffer.from(await encoder.endSentence()));
    parts.push(Buffer.from(await encoder.finish()));
    await encoder.close();
    return Buffer.concat(parts);
  }

  it('are the same whoever begins with one of them, and as long together as if they were one', async () => {
    const whole = await encodeFrom(0, 0);
    let before = 0;
    for (const [n, { length }] of sentences.entries()) {
      const from = samplesAtRate(before, 22_050, 24_000);
      expect((await encodeFrom(n, before)).equals(whole.subarray(2 * from)), `sentence ${n}`).toBe(true);
      before += length;
    }
    expect(whole.length).toBe(2 * samplesAtRate(before, 22_050, 24_000));
  });
});

describe('wav', () => {
  it('says its exact sizes when the length is known', async () => {
    const wav = parseWav(await encode('wav', { sampleRateHz: 16_000 }, [chirp(777)], 777));
    expect(wav).toMatchObject({ sampleRateHz: 16_000, sized: true });
    expect(wav.pcm).toEqual(chirp(777));
  });

  it('says 0xFFFFFFFF in both size fields while the length is unknown', async () => {
    const bytes = await encode('wav', { sampleRateHz: 16_000 }, [chirp(5)]);
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
    const bytes = await encode('wav', { sampleRateHz: 16_000 }, [chirp(100)], 100);
    expect(() => parseWav(bytes.subarray(0, -2))).toThrow('cut short');
  });
});

describe('mp3', () => {
  it.each([8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])(
    'is an unbroken row of mono frames at %i Hz that holds every sample',
    async (sampleRateHz) => {
      const samples = sampleRateHz + 123;
      const frames = mp3Frames(await encode('mp3', { sampleRateHz }, [chirp(samples)]));
      expect(new Set(frames.map((f) => f.sampleRateHz))).toEqual(new Set([sampleRateHz]));
      expect(new Set(frames.map((f) => f.channels))).toEqual(new Set([1]));
      expect(frames.reduce((sum, f) => sum + f.samples, 0)).toBeGreaterThanOrEqual(samples);
    },
  );

  it('has as many bytes as can be said before, at a constant bit rate', async () => {
    const rates = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rates),
        fc.integer({ min: 0, max: 60_000 }),
        async (rate, samples) => {
          const bytes = await encode('mp3', { sampleRateHz: rate }, [chirp(samples)]);
          expect(bytes.length).toBe(encodedBytes('mp3', rate, samples));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('aac', () => {
  it('has a limit of streams, each of which takes memory, and says so', async () => {
    const open = await Promise.all(
      Array.from({ length: mostAacStreams }, () => createEncoder('aac', { sampleRateHz: 24_000 })),
    );
    const refused = createEncoder('aac', { sampleRateHz: 24_000 });
    await expect(refused).rejects.toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining('aac'.toUpperCase()),
    });
    await open[0]!.close();
    const next = await createEncoder('aac', { sampleRateHz: 24_000 });
    await Promise.all([next, ...open].map((encoder) => encoder.close()));
  });
});

describe('aac streams that share threads', () => {
  it('give the bytes that each gives alone, and the others theirs when one is given up', async () => {
    const tone = (n: number) =>
      Int16Array.from({ length: 24_000 }, (_, i) => 9000 * Math.sin(i * 0.02 * (n + 1)));
    async function encode(pcm: Int16Array, between: () => Promise<void>): Promise<Buffer> {
      const encoder = await createEncoder('aac', { sampleRateHz: 24_000 });
      try {
        const first = await encoder.push(pcm.subarray(0, 9_999));
        await between();
        return Buffer.concat([first, await encoder.push(pcm.subarray(9_999)), await encoder.finish()]);
      } finally {
        await encoder.close();
      }
    }
    const streams = Array.from({ length: 12 }, (_, n) => n);
    const alone: Buffer[] = [];
    for (const n of streams) alone.push(await encode(tone(n), async () => {}));
    const givenUp = await createEncoder('aac', { sampleRateHz: 24_000 });
    await givenUp.push(tone(99));
    const closed = givenUp.close();
    const together = await Promise.all(streams.map((n) => encode(tone(n), () => closed)));
    expect(together.map((bytes, n) => bytes.equals(alone[n]!))).toEqual(streams.map(() => true));
  });
});

describe('parseAudioFormat', () => {
  it('names the field and the supported formats when it refuses one', () => {
    expect(() => parseAudioFormat('vorbis', 'response_format')).toThrow(
      expect.objectContaining({
        code: 'unsupported_format',
        param: 'response_format',
        message: expect.stringContaining('mp3'),
      }),
    );
    expect(() => parseAudioFormat('constructor', 'format')).toThrow(RhapsodeError);
  });
});
