// `npm run mutants -- src/client/trust`: changes one thing of a folder or file at a time, and says which changes no test of
// that room notices. Takes minutes to hours: not part of CI. A second argument names the test files, where others than the
// room's are to be run.
import { Stryker } from '@stryker-mutator/core';

/** What is changed may not fit its types any more. */
const FAST = '--noCheck --declaration false --declarationMap false';
/** The tests that concern a room: the longest prefix counts. Those that need a real immudb are skipped. */
const TESTS = {
  'src/proof': ['test/proof/**/*.test.ts'],
  // Not the hostile answers: they hold threads, in which nothing is changed, against this one, and notice just that.
  'src/verify': ['test/verify/!(hostile).test.ts', 'test/audit/stretch.test.ts'],
  'src/worker': ['test/worker/**/*.test.ts'],
  'src/store': ['test/store/**/!(*.slow).test.ts', 'test/contract/store.test.ts'],
  'src/client/group': ['test/client/group/*.test.ts', 'test/trust/{grouped,in-flight}.test.ts'],
  'src/client/trust': ['test/trust/*.test.ts', 'test/client/chain.test.ts'],
  'src/client/calls/kv': ['test/trust/*.test.ts', 'test/ledger/client-lies.test.ts'],
  'src/client': ['test/client/**/*.test.ts', 'test/trust/*.test.ts'],
};

const [target, given] = process.argv.slice(2).map((argument) => argument.replace(/\/$/, ''));
const room = Object.keys(TESTS)
  .filter((prefix) => target?.startsWith(prefix))
  .sort((a, b) => b.length - a.length)[0];
if (!target || (!room && !given)) {
  console.error(`usage: npm run mutants -- FOLDER_OR_FILE [TESTS]\n  of ${Object.keys(TESTS).join(', ')}`);
  process.exit(2);
}
process.env.MUTANT_TESTS = given ?? TESTS[room].join(',');

const results = await new Stryker({
  mutate: [target.endsWith('.ts') ? target : `${target}/**/*.ts`],
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
  // Tests run what is built. Types do not hold in changed code, and need not.
  buildCommand: `npx tsc -p . ${FAST} --sourceMap false && node scripts/build-cjs.mjs ${FAST}`,
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  concurrency: Number(process.env.MUTANT_LANES ?? 2),
  timeoutMS: 4000,
  tempDirName: '.cache/mutants',
  ignorePatterns: ['.cache', 'bench', 'docs', 'dist', 'test/immudb', 'test/foreign'],
  reporters: ['progress'],
  logLevel: 'warn',
  allowConsoleColors: false,
  incremental: false,
}).runMutationTest();

const count = { Killed: 0, Timeout: 0, Survived: 0, NoCoverage: 0 };
for (const { status, fileName, location, replacement, mutatorName } of results) {
  if (status in count) count[status] += 1;
  if (status !== 'Survived' && status !== 'NoCoverage') continue;
  const { line, column } = location.start;
  const place = `${fileName.replace(`${process.cwd()}/`, '')}:${line}:${column}`;
  console.log(
    `${status === 'Survived' ? 'survived' : 'untested'} ${place} ${mutatorName}: ${oneLine(replacement)}`,
  );
}
const { Killed, Timeout, Survived, NoCoverage } = count;
const noticed = Killed + Timeout;
const all = noticed + Survived + NoCoverage;
console.log(
  `mutants of ${target}: ${all}, noticed ${noticed} (${((100 * noticed) / (all || 1)).toFixed(1)} %), ` +
    `survived ${Survived}, in code that no test runs ${NoCoverage}`,
);

function oneLine(text = '') {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
