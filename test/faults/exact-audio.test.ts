import { describe, expect, test } from 'vitest';
import { cases } from './cases.ts';
import { playOut } from './scene.ts';

describe('a listener misses no sample', () => {
  test.for(cases)('when $when', async (fault) => {
    const { difference } = await playOut(fault);
    expect(difference).toBeUndefined();
  });
});
