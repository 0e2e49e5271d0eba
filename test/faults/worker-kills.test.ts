import { expect, test } from 'vitest';
import { startFleet } from '../support/fleet.ts';
import { quantile } from '../support/quantile.ts';
import { seeded } from '../support/seeded.ts';
import { type Moment, playOn } from './scene.ts';

const kills = 24;
const moments: readonly Moment[] = ['first chunk', 'middle', 'one before the last'];

test(`a killed worker's sentence is spoken again within 5 s`, { timeout: 600_000 }, async (context) => {
  const fleet = await startFleet({ workers: 3 });
  context.onTestFinished(() => fleet.stop());
  const random = seeded(20);
  const recoveries: number[] = [];
  const differences: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const moment = moments[Math.floor(random() * moments.length)]!;
    const { difference } = await playOn(fleet, {
      sentences: 4,
      async disturb(scene) {
        const owner = await scene.owner(await scene.at(1, 'first chunk'));
        const seen = await scene.at(1, moment);
        const killedMs = performance.now();
        await owner.kill();
        const again = await scene.newerAttempt(1, seen.message.kind === 'audio' ? seen.message.epoch : 0);
        recoveries.push(again.atMs - killedMs);
        await owner.restart();
      },
    });
    if (difference !== undefined) differences.push(`kill ${kill}, ${moment}: ${difference}`);
  }
  const seconds = (share: number) => (quantile(recoveries, share) / 1000).toFixed(2);
  console.log(
    `${kills} workers killed: first chunk of the sentence's next attempt after ` +
      `p50 ${seconds(0.5)} s, p95 ${seconds(0.95)} s, max ${seconds(1)} s; ` +
      `${kills - differences.length} of ${kills} listeners heard every sample`,
  );
  expect(differences).toEqual([]);
  expect(quantile(recoveries, 0.95)).toBeLessThanOrEqual(5_000);
});
