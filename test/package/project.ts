// A project of a user: an empty folder with node_modules, where scripts are run and sources compiled without a network.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const DEADLINE_MS = 90_000;

export interface Ran {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** `await using` removes it. */
  static async create(): Promise<Project> {
    return new Project(await realpath(await mkdtemp(join(tmpdir(), 'immu-ts-project-'))));
  }

  async write(path: string, content: string): Promise<string> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  }

  /** A package as this repository has it installed (or, named `immu-ts`, this repository itself). */
  async link(name: string): Promise<void> {
    const target = name === 'immu-ts' ? REPOSITORY : join(REPOSITORY, 'node_modules', name);
    const link = join(this.folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(await realpath(target), link, 'junction');
  }

  /** Runs a script with the Node of the tests; a script that does not end is ended and has no exit code. */
  node(script: string, env: Record<string, string> = {}, cwd = this.folder): Promise<Ran> {
    return execute(process.execPath, [script], { cwd, env: { ...process.env, ...env } });
  }

  /** Compiles with a tsconfig.json of these options and files; errors are on standard output. */
  async tsc(name: string, compilerOptions: object, files: readonly string[]): Promise<Ran> {
    const config = await this.write(
      `${name}.tsconfig.json`,
      JSON.stringify({ compilerOptions: { strict: true, types: ['node'], ...compilerOptions }, files }),
    );
    return execute(process.execPath, [TSC, '--pretty', 'false', '-p', config], { cwd: this.folder });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function execute(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Ran> {
  return new Promise((resolve) => {
    const limits = { timeout: DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 24 } as const;
    execFile(command, args, { ...options, ...limits }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, stdout, stderr }),
    );
  });
}
