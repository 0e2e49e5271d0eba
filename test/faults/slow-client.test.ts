import { expect, test } from 'vitest';
import { listenSlowly } from './slow-client.ts';

test('a client that reads 1 kB/s for a minute costs no memory, and no sentence beyond its window is made', {
  timeout: 240_000,
}, async () => {
  const { rssGrowthBytes, made, sentences, mostAhead, window } = await listenSlowly(60);
  const megabytes = (rssGrowthBytes / 2 ** 20).toFixed(1);
  console.log(
    `slow client: the collector grew by ${megabytes} MB; ${made} of ${sentences} sentences made, ` +
      `at most ${mostAhead} ahead of the client's connection (window ${window})`,
  );
  expect(rssGrowthBytes).toBeLessThanOrEqual(5 * 2 ** 20);
  expect(mostAhead).toBeLessThanOrEqual(window);
  expect(made).toBeLessThan(sentences / 10);
});
