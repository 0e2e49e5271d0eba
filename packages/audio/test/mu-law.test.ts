import { describe, expect, it } from 'vitest';
import { muLawBytes } from '../src/index.ts';

describe('µ-law', () => {
  /** As G.711 says it, the other way round. */
  function decode(byte: number): number {
    const code = ~byte & 0xff;
    const size = (((code & 0x0f) << 3) + 0x84) << ((code >> 4) & 7);
    return code & 0x80 ? 0x84 - size : size - 0x84;
  }

  it('is the nearest code of every sample', () => {
    const codes = Array.from({ length: 256 }, (_, byte) => decode(byte));
    const all = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768);
    const bytes = muLawBytes(new Uint8Array(all.buffer));
    expect([bytes[32_768], bytes[65_535], bytes[0]]).toEqual([0xff, 0x80, 0x00]);
    for (let n = 0; n < all.length; n += 13) {
      const sample = all[n]!;
      const error = Math.abs(decode(bytes[n]!) - sample);
      const least = Math.min(...codes.map((code) => Math.abs(code - sample)));
      // Codes are cut, not rounded, so the one below may be taken: never more than a step away.
      expect(error).toBeLessThanOrEqual(Math.max(2 * least, Math.abs(sample) / 16 + 8));
    }
  });
});
