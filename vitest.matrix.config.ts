// The matrix: the tarball in package managers, runtimes, type checkers, runners and bundlers, which come from the registry. Minutes
// each, so one after the other, and in a run of their own.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/package/matrix/**/*.test.ts'],
    fileParallelism: false,
    reporters: ['default', './test/support/summary-reporter.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
