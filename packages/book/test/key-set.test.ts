import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createKeySet } from '../src/create/key-set.ts';

const keyOf = (n: number) => createHash('sha256').update(String(n)).digest('hex');

it('a set of keys tells those that it has seen from all others, however many they are', () => {
  const seen = createKeySet();
  const known = new Set<string>();
  for (let n = 0; n < 20_000; n++) {
    // Every third one again.
    const key = keyOf(n % 3 === 2 ? n >> 1 : n);
    expect(seen.add(key)).toBe(!known.has(key));
    known.add(key);
  }
});

it('a set of keys knows a key of zeros', () => {
  const seen = createKeySet();
  const zeros = '0'.repeat(64);
  expect([seen.add(zeros), seen.add(zeros), seen.add(keyOf(1))]).toEqual([true, false, true]);
});
