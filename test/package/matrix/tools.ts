// Runtimes and package managers of the matrix: each from the registry that this machine has, once, into .cache/.
import { execFile } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { madeOnce } from '../../support/made-once.js';
import { REPOSITORY } from '../project.js';
import type { Ran } from '../project.js';

const DEADLINE_MS = 8 * 60_000;

/** A tool, or why there is none here. */
export type Tool = { readonly path: string } | { readonly missing: string };

/** What `npm install` of a tool brings; `find` says which file of it is meant. */
async function tool(spec: string, find: (folder: string) => string | undefined): Promise<Tool> {
  try {
    const sources = { folder: REPOSITORY, files: [], salt: `${spec} ${process.platform} ${process.arch}` };
    const folder = await madeOnce(`tools/${spec.replaceAll(/\W+/g, '-')}-`, sources, async (work) => {
      const [, name = spec] = /^(@?[^@]+)@/.exec(spec) ?? [];
      // Its binary comes by an install script.
      writeFileSync(
        join(work, 'package.json'),
        JSON.stringify({ private: true, allowScripts: { [name]: true } }),
      );
      const { code, stderr } = await run('npm', ['install', '--no-audit', '--no-fund', spec], { cwd: work });
      if (code !== 0) throw new Error(stderr.split('\n').slice(0, 3).join(' '));
    });
    const path = find(folder);
    return path === undefined ? { missing: `${spec} brought no such file` } : { path };
  } catch (error) {
    return { missing: `${spec} cannot be had: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** A release of Node. */
export const node = (major: number): Promise<Tool> =>
  String(major) === process.versions.node.split('.')[0]
    ? Promise.resolve({ path: process.execPath })
    : tool(`node@${major}`, (folder) => largest(folder, /(^|[/\\])bin[/\\]node(\.exe)?$/));

export const deno = (): Promise<Tool> =>
  tool('deno@2', (folder) => largest(folder, /(^|[/\\])deno(\.exe)?$/));
export const bun = (): Promise<Tool> => tool('bun@1', (folder) => largest(folder, /(^|[/\\])bun(\.exe)?$/));
export const pnpm = (range: string): Promise<Tool> =>
  tool(`pnpm@${range}`, (folder) => one(folder, /pnpm[/\\]bin[/\\]pnpm\.[cm]js$/));
export const yarn1 = (): Promise<Tool> =>
  tool('yarn@1', (folder) => one(folder, /yarn[/\\]bin[/\\]yarn\.js$/));
export const yarn4 = (): Promise<Tool> =>
  tool('@yarnpkg/cli-dist@4', (folder) => one(folder, /cli-dist[/\\]bin[/\\]yarn\.js$/));

/** Runs a command to its end; one that does not end is ended and has no exit code. With `nodeAt` first on the PATH. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, nodeAt, env = {} }: { cwd: string; nodeAt?: string; env?: NodeJS.ProcessEnv },
): Promise<Ran> {
  const path =
    nodeAt === undefined ? process.env['PATH'] : `${dirname(nodeAt)}${delimiter}${process.env['PATH'] ?? ''}`;
  // What the tests themselves were started with is not for the tools.
  const own = { NODE_OPTIONS: undefined, VITEST: undefined, NODE_ENV: undefined };
  const options = {
    cwd,
    env: { ...process.env, ...own, PATH: path, ...env },
    timeout: DEADLINE_MS,
    maxBuffer: 1 << 26,
  };
  return new Promise((resolve) => {
    execFile(command, args, { ...options, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}

function files(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => pattern.test(path));
}

const one = (folder: string, pattern: RegExp): string | undefined => files(folder, pattern)[0];

/** A small one of that name only starts the other. */
function largest(folder: string, pattern: RegExp): string | undefined {
  return files(folder, pattern).sort((a, b) => statSync(b).size - statSync(a).size)[0];
}
