// What npm installs, used from ES modules and from CommonJS on every runtime.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Project } from '../project.js';
import { pack } from './pack.js';
import { CJS, ESM, worked } from './programs.js';
import { bun, deno, node, run } from './tools.js';

let project: Project;

beforeAll(async () => {
  project = await Project.create();
  const { tarball } = await pack(project);
  await project.write(
    'package.json',
    JSON.stringify({ private: true, dependencies: { 'immu-ts': `file:${tarball}` } }),
  );
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { code, stderr } = await run('npm', install, { cwd: project.folder });
  if (code !== 0) throw new Error(stderr);
  await project.write('use.mjs', ESM);
  await project.write('use.cjs', CJS);
});
afterAll(() => project[Symbol.asyncDispose]());

const runtimes = [
  ...(await Promise.all(
    [22, 24, 26].map(async (major) => [`Node ${major}`, await node(major), []] as const),
  )),
  ['Deno', await deno(), ['run', '-A']] as const,
  ['Bun', await bun(), []] as const,
];

describe.each(runtimes)('%s', (name, tool, args) => {
  const path = 'path' in tool ? tool.path : '';
  if (path === '') console.warn(`!!! NOT TRIED: ${name}: ${'missing' in tool ? tool.missing : ''} !!!`);

  test.skipIf(path === '').each(['use.mjs', 'use.cjs'])('%s, without the native part', async (script) => {
    const ran = await run(path, [...args, script], { cwd: project.folder, nodeAt: path });
    expect({ ...ran, stdout: ran.stdout.trim() }).toEqual({
      code: 0,
      stdout: worked('node:sqlite'),
      stderr: '',
    });
  });
});

test('Node 20 without the native part says what to do', async ({ skip }) => {
  const tool = await node(20);
  if ('missing' in tool) {
    console.warn(`!!! NOT TRIED: ${tool.missing} !!!`);
    return skip();
  }
  const script = await project.write(
    'memory.mjs',
    `import { MemoryRootStore, SqliteRootStore } from 'immu-ts';
const error = await SqliteRootStore.open('nowhere.db').catch((error) => error);
console.log(error.code, /npm rebuild better-sqlite3.*Node 22/.test(error.message), typeof new MemoryRootStore().close);`,
  );
  const ran = await run(tool.path, [script], { cwd: project.folder, nodeAt: tool.path });
  expect(ran).toEqual({ code: 0, stdout: 'STORE_FAILED true function\n', stderr: '' });
});
