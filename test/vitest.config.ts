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
    // A loaded machine may take longer than the second that is usual.
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 120_000,
  },
});
