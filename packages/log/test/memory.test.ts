import { logConformance } from '../src/conformance.ts';
import { createMemoryLog } from '../src/memory.ts';

logConformance('memory', async (options) => {
  let lose = () => false;
  let down = false;
  const log = createMemoryLog({
    pollMs: 100,
    ...options,
    faults: { live: () => (lose() ? 'lose' : 'deliver'), down: () => down },
  });
  return {
    log,
    loseLive: (decide) => {
      lose = decide;
    },
    down: async () => {
      down = true;
    },
    up: async () => {
      down = false;
    },
    beginAnew: async () => log.beginAnew(),
    close: () => log.close(),
  };
});
