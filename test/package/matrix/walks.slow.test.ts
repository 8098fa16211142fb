// Walks of new users that need a registry: an empty project, what README.md says to install, and the code of the pages.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { blocksUnder, blockUnder } from '../blocks.js';
import { Project, REPOSITORY } from '../project.js';
import { asJavaScript, pages, snippetsOf } from '../snippets.js';
import { pack } from './pack.js';
import { node, run } from './tools.js';

/** The first command of README.md, with the tarball in place of the name. */
async function install(project: Project, ...more: string[]): Promise<void> {
  const { tarball } = await pack(project);
  const [command] = await blocksUnder('README.md', '# immu-ts');
  expect(command).toMatchObject({ info: 'sh no-run', body: 'npm install immu-ts\n' });
  await project.write('package.json', JSON.stringify({ private: true }));
  const [npm = '', ...args] = command!.body.trim().replace('immu-ts', `file:${tarball}`).split(' ');
  for (const each of [args, ['install', '--save-dev', ...more]]) {
    const { code, stderr } = await run(npm, [...each, '--no-audit', '--no-fund'], { cwd: project.folder });
    expect(code, stderr).toBe(0);
  }
}

test('CommonJS with jest: the test of the cookbook, as it comes', async () => {
  await using project = await Project.create();
  await install(project, 'jest@30');
  const heading = '## Test your application against a server that lies';
  const { body } = await blockUnder('docs/cookbook.md', heading, 'js');
  await project.write('balance.test.js', body);
  const ran = await run('npx', ['jest', '--rootDir', project.folder], { cwd: project.folder });
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stderr).toMatch(/1 passed/);
});

test('CommonJS with jest: the hooks of docs/testing.md, as they stand there', async () => {
  await using project = await Project.create();
  await install(project, 'jest@30');
  const page = await blockUnder('docs/testing.md', '## jest, and any other runner', 'ts no-run');
  const imported = /^import (\{.*\}) from ('immu-ts\/testing'); \/\/ or require\(\2\)$/m;
  expect(page.body).toMatch(imported);
  await project.write('invoice.test.js', page.body.replace(imported, 'const $1 = require($2);'));
  const ran = await run('npx', ['jest', '--rootDir', project.folder], { cwd: project.folder });
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stderr).toMatch(/1 passed/);
  // Nothing is left that keeps the process.
  expect(ran.stderr).not.toMatch(/did not exit|open handle/);
});

test('a service with TypeScript: compiled by the newest release, run on Node 20', async () => {
  await using project = await Project.create();
  await install(project, 'typescript', '@types/node@20');
  const first = await blockUnder('README.md', '# immu-ts', 'ts');
  await using ledger = await EmbeddedLedger.start();
  await project.write('first.mts', first.body.replaceAll('localhost:3322', ledger.address));
  const at = { cwd: project.folder };
  const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--types', 'node'];
  const compiled = await run('npx', ['tsc', ...options, 'first.mts'], at);
  expect(compiled.code, compiled.stdout).toBe(0);
  const tool = await node(20);
  if ('missing' in tool) throw new Error(tool.missing);
  const env = { IMMU_TS_STORE: join(project.folder, 'roots.db') };
  expect(await run(tool.path, ['first.mjs'], { ...at, env })).toMatchObject({
    code: 0,
    stdout: 'paid true\n',
  });
});

test('all code of the documentation that is JavaScript parses on Node 20', async () => {
  const tool = await node(20);
  if ('missing' in tool) throw new Error(tool.missing);
  await using project = await Project.create();
  const snippets = (
    await Promise.all((await pages(REPOSITORY)).map((page) => snippetsOf(REPOSITORY, page)))
  ).flat();
  const scripts = snippets.flatMap((snippet) => asJavaScript(snippet) ?? []);
  expect(scripts.length).toBeGreaterThan(40);
  for (const [i, script] of scripts.entries()) {
    const file = await project.write(`script-${i}.mjs`, script);
    const ran = await run(tool.path, ['--check', file], { cwd: project.folder });
    expect(ran, await readFile(file, 'utf8')).toMatchObject({ code: 0 });
  }
});
