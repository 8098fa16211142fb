// How mutants are tested: only the files that concern what is mutated, without a real immudb.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Commas within braces are part of a pattern.
    include: (process.env['MUTANT_TESTS'] ?? '').split(/,(?![^{]*\})/).filter(Boolean),
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 30_000,
    provide: { immudb: { missing: 'mutants are not tested on a real immudb' } },
  },
});
