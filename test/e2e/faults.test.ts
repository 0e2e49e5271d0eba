import { describe, expect, test } from 'vitest';
import { cases } from '../faults/cases.ts';
import { playOut } from '../faults/scene.ts';

/** The quicker of the cases that `pnpm test:faults` plays out. */
describe('a listener misses no sample', () => {
  test.for(cases.filter(({ quick }) => quick))('when $when', { timeout: 90_000 }, async (fault) => {
    const { difference } = await playOut(fault);
    expect(difference).toBeUndefined();
  });
});
