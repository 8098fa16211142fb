// The tarball of what is built, as it would be published.
import type { Project } from '../project.js';
import { REPOSITORY, execute } from '../project.js';

/** `npm pack`: no script runs, so that a build which other tests use at this time stays as it is. Paths in it, and its own. */
export async function pack(into: Project): Promise<{ tarball: string; files: string[] }> {
  const command = ['pack', REPOSITORY, '--ignore-scripts', '--json', '--pack-destination', into.folder];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code, stdout, stderr } = await execute(npm, command, { cwd: into.folder });
  if (code !== 0) throw new Error(`npm pack: ${stderr}`);
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  return {
    tarball: `${into.folder}/${packed!.filename}`,
    files: packed!.files.map(({ path }) => path).sort(),
  };
}
