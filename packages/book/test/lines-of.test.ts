import { describe, expect, it } from 'vitest';
import { linesOf } from '../src/plan/lines-of.ts';

async function* pieces(text: string, length: number, onPiece: () => void = () => {}) {
  for (let at = 0; at < text.length; at += length) {
    onPiece();
    yield text.slice(at, at + length);
  }
}

describe('lines of a stream', () => {
  const lines = ['first', '', '{"text":"two\u2028in\u2029one\r"}', 'last'];

  it('are the same however the stream is cut', async () => {
    for (const length of [1, 2, 3, 7, 1_000])
      for (const end of ['', '\n'])
        expect(await Array.fromAsync(linesOf(pieces(lines.join('\n') + end, length)))).toEqual(lines);
  });

  it('are read no further than they are taken', async () => {
    let read = 0;
    const taken = linesOf(pieces('a line\n'.repeat(5_000), 7, () => read++));
    for (let n = 1; n <= 3; n++) {
      await taken.next();
      expect(read).toBe(n);
    }
    await taken.return();
  });
});
