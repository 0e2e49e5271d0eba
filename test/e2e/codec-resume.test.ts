import { expect, test } from 'vitest';
import { killUnderClients, nameOf, type Wanted } from '../faults/codec-streams.ts';
import { startFleet } from '../support/fleet.ts';

const formats: readonly Wanted[] = [
  { format: 'mp3' },
  { format: 'opus' },
  { format: 'flac' },
  { format: 'aac' },
  { format: 'wav' },
  { format: 'mp3', rateHz: 44_100 },
  { format: 'aac', rateHz: 24_000 },
];

/** More kills, more often: test/faults. */
test('a client of any format goes on with Range when gateway and collector are killed, and has the bytes of the undisturbed run', {
  timeout: 400_000,
}, async (context) => {
  const fleet = await startFleet({ workers: 1, collectors: 2, env: { RHAPSODE_TEXT_IDLE_SECONDS: '600' } });
  context.onTestFinished(() => fleet.stop());
  const streams = await killUnderClients(fleet, formats, { kills: 2, seed: 11 });
  for (const { wanted, breaks, difference } of streams) {
    expect(difference, nameOf(wanted)).toBeUndefined();
    expect(breaks, nameOf(wanted)).toBeGreaterThanOrEqual(2);
  }
});
