// The tarball, installed by each package manager as it comes, from the registry: no install ends in an error, whatever it thinks
// of install scripts, and what is installed works.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Project } from '../project.js';
import { pack } from './pack.js';
import { CJS, ESM, worked } from './programs.js';
import { node, pnpm, run, yarn1, yarn4 } from './tools.js';
import type { Tool } from './tools.js';

const NODE = await node(24);
let packed: Project;
let tarball: string;

beforeAll(async () => {
  packed = await Project.create();
  ({ tarball } = await pack(packed));
});
afterAll(() => packed[Symbol.asyncDispose]());

interface Manager {
  readonly name: string;
  readonly tool: Tool;
  /** The command line of an install in an empty project. */
  readonly install: (path: string) => readonly [string, ...string[]];
  readonly files?: Readonly<Record<string, string>>;
  /** What an install ends with that is all the same complete. */
  readonly complains?: RegExp;
  /** What starts a script there. */
  readonly start?: (path: string, script: string) => readonly [string, ...string[]];
}

const nodePath = 'path' in NODE ? NODE.path : process.execPath;
const managers: Manager[] = [
  { name: 'npm', tool: { path: 'npm' }, install: () => ['npm', 'install', '--no-audit', '--no-fund'] },
  {
    name: 'npm, scripts not allowed',
    tool: { path: 'npm' },
    install: () => ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'],
  },
  { name: 'pnpm 10', tool: await pnpm('10'), install: (path) => [nodePath, path, 'install'] },
  {
    name: 'pnpm, newest, as advised',
    tool: await pnpm('latest'),
    install: (path) => [nodePath, path, 'install'],
    files: { 'pnpm-workspace.yaml': 'allowBuilds:\n  better-sqlite3: false\n  protobufjs: false\n' },
  },
  {
    // It wants a word about every install script, and gRPC for Node brings one along (of protobufjs): nothing that this package
    // could do.
    name: 'pnpm, newest, told nothing about install scripts',
    tool: await pnpm('latest'),
    install: (path) => [nodePath, path, 'install'],
    complains: /ERR_PNPM_IGNORED_BUILDS/,
  },
  { name: 'Yarn 1', tool: await yarn1(), install: (path) => [nodePath, path, 'install'] },
  {
    name: 'Yarn 4, node_modules',
    tool: await yarn4(),
    install: (path) => [nodePath, path, 'install'],
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
  {
    name: "Yarn 4, Plug'n'Play",
    tool: await yarn4(),
    install: (path) => [nodePath, path, 'install'],
    files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableTelemetry: false\n', 'yarn.lock': '' },
    start: (path, script) => [nodePath, path, 'node', script],
  },
];

describe.each(managers)('$name', ({ name, tool, install, files = {}, complains, start }) => {
  const path = 'path' in tool ? tool.path : '';
  if (path === '') console.warn(`!!! NOT TRIED: ${name}: ${'missing' in tool ? tool.missing : ''} !!!`);

  test.skipIf(path === '')('installs, and what it installs works', async () => {
    await using project = await Project.create();
    await project.write(
      'package.json',
      JSON.stringify({ name: 'a-user', private: true, dependencies: { 'immu-ts': `file:${tarball}` } }),
    );
    for (const [file, text] of Object.entries(files)) await project.write(file, text);
    const at = {
      cwd: project.folder,
      nodeAt: nodePath,
      env: { CI: 'false', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
    };
    const [command, ...args] = install(path);
    const installed = await run(command, args, at);
    const said = installed.stdout + installed.stderr;
    if (complains) expect(said).toMatch(complains);
    else expect(installed.code, said).toBe(0);
    // Half of it is better-sqlite3, as it is compiled where there is no binary.
    if (name === 'npm') expect(await megabytes(join(project.folder, 'node_modules'))).toBeLessThan(54);
    for (const [file, text] of [
      ['use.mjs', ESM],
      ['use.cjs', CJS],
    ] as const) {
      const script = await project.write(file, text);
      const [starter, ...rest] = start ? start(path, script) : ([nodePath, script] as const);
      const ran = await run(starter, rest, at);
      const either = [worked('better-sqlite3'), worked('node:sqlite')];
      expect(either, ran.stderr).toContain(ran.stdout.trim());
      expect(ran).toMatchObject({ code: 0, stderr: '' });
    }
  });
});

/** On the disk: with what a compiler left, if there was no binary. A file by two names counts once, as in `du`. */
async function megabytes(folder: string): Promise<number> {
  const blocks = new Map<number, number>();
  for (const path of await readdir(folder, { recursive: true })) {
    const found = await lstat(join(folder, path));
    blocks.set(found.ino, found.blocks);
  }
  return ([...blocks.values()].reduce((sum, count) => sum + count, 0) * 512) / 2 ** 20;
}
