// The types, as each way of finding them does; and what linters of packages say.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Project } from '../project.js';
import { pack } from './pack.js';
import { TYPED } from './programs.js';
import { run } from './tools.js';

let project: Project;
let tarball: string;

beforeAll(async () => {
  project = await Project.create();
  ({ tarball } = await pack(project));
  await project.write(
    'package.json',
    JSON.stringify({
      private: true,
      dependencies: { 'immu-ts': `file:${tarball}` },
      devDependencies: {
        '@types/node': '^20',
        '@arethetypeswrong/cli': '^0.18',
        publint: '^0.3',
      },
    }),
  );
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { code, stderr } = await run('npm', install, { cwd: project.folder });
  if (code !== 0) throw new Error(stderr);
});
afterAll(() => project[Symbol.asyncDispose]());

test.for([
  ['nodenext', { module: 'nodenext' }, 'use.mts'],
  ['nodenext, CommonJS', { module: 'nodenext' }, 'use.cts'],
  ['node16', { module: 'node16' }, 'use.mts'],
  ['node16, CommonJS', { module: 'node16' }, 'use.cts'],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'use.ts'],
  [
    'node10, CommonJS',
    { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', esModuleInterop: true },
    'use.ts',
  ],
] as const)('TypeScript, %s', async ([name, options, file]) => {
  await project.write(file, TYPED);
  const strict = { target: 'es2022', noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true };
  const id = name.replace(/\W+/g, '-');
  expect(await project.tsc(id, { ...strict, ...options }, [file])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('publint has nothing to say', async () => {
  const ran = await run('npx', ['publint', 'run', tarball, '--strict'], { cwd: project.folder });
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stdout).toMatch(/All good/);
});

test('the types are right for whoever asks', async () => {
  const ran = await run('npx', ['attw', tarball], { cwd: project.folder });
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
});
