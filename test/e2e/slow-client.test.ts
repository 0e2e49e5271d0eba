import { expect, test } from 'vitest';
import { listenSlowly } from '../faults/slow-client.ts';

// What it costs in memory is measured in test/faults, for a minute and with nothing else beside it.
test('no sentence is made beyond the window of a client that reads 1 kB/s', {
  timeout: 120_000,
}, async () => {
  const { made, sentences, mostAhead, window } = await listenSlowly(8);
  expect(mostAhead).toBeLessThanOrEqual(window);
  expect(made).toBeLessThan(sentences / 10);
});
