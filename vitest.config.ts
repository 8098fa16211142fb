// Tests run against the build in dist/ (what is shipped, worker threads included): `npm test` builds first.
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A run of its own: vitest.matrix.config.ts.
    exclude: [...configDefaults.exclude, 'test/package/matrix/**'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/summary-reporter.ts'],
    server: { deps: { external: [/\/dist\//] } },
    // Test files wait for servers, more than they compute: also on two cores two of them at a time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 30_000,
    hookTimeout: 180_000,
  },
});
