import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['packages/*/test/**/*.test.ts', 'services/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/faults/**', 'test/plugins/**'],
    reporters: ['default', new URL('support/count-reporter.ts', import.meta.url).pathname],
    pool: 'forks',
    maxWorkers: 2,
    // Safety limits, not promises: a busy machine starts a service in tens of seconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
