import { audioFormatNames } from '@rhapsode/audio';
import { expect, test } from 'vitest';
import { startFleet } from '../support/fleet.ts';
import { killUnderClients, nameOf, type Wanted } from './codec-streams.ts';

const kills = 5;
const formats: readonly Wanted[] = [
  ...audioFormatNames.map((format) => ({ format })),
  ...(['opus', 'flac', 'aac'] as const).map((format) => ({ format, rateHz: 24_000 })),
];

test.for([1, 2])(
  'every format outlives gateways and collectors killed one after the other, text %i',
  {
    timeout: 900_000,
  },
  async (seed, context) => {
    const fleet = await startFleet({ collectors: 2, env: { RHAPSODE_TEXT_IDLE_SECONDS: '600' } });
    context.onTestFinished(() => fleet.stop());
    const streams = await killUnderClients(fleet, formats, { kills, seed });
    for (const { wanted, breaks, difference } of streams) {
      expect(difference, nameOf(wanted)).toBeUndefined();
      expect(breaks, nameOf(wanted)).toBeGreaterThanOrEqual(1);
    }
  },
);
