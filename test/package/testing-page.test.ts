// The snippets of docs/testing.md that need a test runner are run by one: vitest as it is installed, and what jest calls the same
// by vitest with its globals. (The real jest is in the matrix.)
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Project, REPOSITORY } from './project.js';
import { snippetsOf } from './snippets.js';

vi.setConfig({ testTimeout: 120_000 });

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  for (const name of ['immu-ts', 'vitest']) await project.link(name);
});
afterAll(() => project[Symbol.asyncDispose]());

test('every snippet for a runner passes in it', async () => {
  const snippets = await snippetsOf(REPOSITORY, 'docs/testing.md');
  const forRunners = snippets.filter(({ run }) => !run);
  expect(forRunners.length).toBe(2);
  for (const [i, { code }] of forRunners.entries()) await project.write(`snippet-${i}.test.ts`, code);
  await project.write('vitest.config.mjs', 'export default { test: { globals: true } };\n');
  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const ran = spawnSync(process.execPath, [vitest, 'run', '--reporter=json'], {
    cwd: project.folder,
    encoding: 'utf8',
  });
  expect([ran.status, ran.stderr]).toEqual([0, expect.any(String)]);
  const report = JSON.parse(ran.stdout) as { numPassedTests: number; numTotalTests: number };
  expect(report).toMatchObject({ numPassedTests: 2, numTotalTests: 2 });
});
