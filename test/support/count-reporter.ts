import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line that any program can read: `12 passed, 0 failed`, and `, 1 skipped` where there are. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      let failedInside = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state] += 1;
        if (state === 'failed') failedInside += 1;
      }
      // A file that could not be read, or whose hooks failed, has failed although none of its tests has.
      if (module.state() === 'failed' && failedInside === 0) counts.failed += 1;
    }
    const { passed, failed, pending } = counts;
    const skipped = counts.skipped + pending;
    setImmediate(() =>
      process.stdout.write(
        `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
      ),
    );
  }
}
