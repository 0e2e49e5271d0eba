import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amplified, pcmBytes, pcmSamples, silence } from '../src/index.ts';

const samplesArbitrary = fc.int16Array({ maxLength: 300 });

describe('pcm', () => {
  it('writes samples as little-endian bytes', () => {
    expect([...pcmBytes(Int16Array.of(1, -2, 0x1234))]).toEqual([1, 0, 0xfe, 0xff, 0x34, 0x12]);
  });

  it('reads back what it wrote, at any alignment', () => {
    fc.assert(
      fc.property(samplesArbitrary, fc.integer({ min: 0, max: 3 }), (samples, offset) => {
        const bytes = new Uint8Array(offset + samples.byteLength);
        bytes.set(pcmBytes(samples), offset);
        expect(pcmSamples(bytes.subarray(offset))).toEqual(samples);
      }),
    );
  });

  it('refuses half a sample', () => {
    expect(() => pcmSamples(new Uint8Array(3))).toThrow('3 bytes');
  });

  it('gives exactly as much silence as asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 1, max: 700 }), (samples, piece) => {
        const pieces = [...silence(samples, piece)];
        expect(pieces.reduce((sum, p) => sum + p.length, 0)).toBe(samples);
        expect(pieces.every((p) => p.length > 0 && p.length <= piece && p.every((s) => s === 0))).toBe(true);
      }),
    );
  });
});

describe('amplified', () => {
  it('multiplies and rounds each sample, and cuts what a sample can not hold', () => {
    const samples = Int16Array.of(0, 1, -1, 1000, -3000, 32_767, -32_768);
    expect([...amplified(samples, 0.5)]).toEqual([0, 1, -0, 500, -1500, 16_384, -16_384].map((n) => n + 0));
    expect([...amplified(samples, 20)]).toEqual([0, 20, -20, 20_000, -32_768, 32_767, -32_768]);
    expect([...amplified(samples, 0)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(amplified(samples)).toBe(samples);
  });
});
