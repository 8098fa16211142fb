// The package as it is published, in a project that has nothing else.
import { chmod, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execute, REPOSITORY } from './project.js';
import type { Project } from './project.js';

interface Manifest {
  readonly version: string;
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

/** What `npm install` of the tarball does, with dependencies that are installed already: no network. Returns its files. */
export async function installTarball(project: Project): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as Manifest;
  const files = await pack(project.folder);
  await unpack(project, join(project.folder, `immu-ts-${manifest.version}.tgz`));
  const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  for (const name of [...names, '@types/node', 'kysely', 'pg', '@types/pg']) await project.link(name);
  return files;
}

/** `npm pack` of what is built: no script runs, so that a build which other tests use at this time stays as it is. */
async function pack(into: string): Promise<string[]> {
  const command = ['pack', REPOSITORY, '--ignore-scripts', '--json', '--pack-destination', into];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code, stdout, stderr } = await execute(npm, command, { cwd: into });
  if (code !== 0) throw new Error(`npm pack: ${stderr}`);
  const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
  return packed!.files.map(({ path }) => path).sort();
}

async function unpack(project: Project, tarball: string): Promise<void> {
  const target = join(project.folder, 'node_modules', 'immu-ts');
  await mkdir(target, { recursive: true });
  const { code, stderr } = await execute('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'], {
    cwd: project.folder,
  });
  if (code !== 0) throw new Error(`tar: ${stderr}`);
}

/** Puts the command into a folder for the PATH, as npm does. Returns the folder. */
export async function commandOf(project: Project): Promise<string> {
  const installed = join(project.folder, 'node_modules/immu-ts');
  const { bin } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  const folder = join(project.folder, 'node_modules/.bin');
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(bin)) {
    await chmod(join(installed, file), 0o755);
    await symlink(join(installed, file), join(folder, name));
  }
  return folder;
}
