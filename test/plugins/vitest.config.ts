import { defineConfig } from 'vitest/config';

/** `pnpm test:plugins` installs the project beside this file and runs its tests. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/plugins/*.test.ts'],
    reporters: ['default', new URL('../support/count-reporter.ts', import.meta.url).pathname],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
