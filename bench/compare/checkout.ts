// A commit as a folder that is built, made once and kept in .cache; a folder as it is.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const KEPT = resolve('.cache/bench-compare');

/** @throws Error for what is neither a built checkout nor a commit, and when a commit does not build */
export function builtFolder(what: string): string {
  if (existsSync(join(what, 'dist/index.js'))) return resolve(what);
  if (existsSync(join(what, 'package.json'))) throw new Error(`${what} is not built: npm run build`);
  const commit = git('rev-parse', '--verify', '--quiet', `${what}^{commit}`);
  const folder = join(KEPT, commit);
  // The last thing that a build makes.
  if (existsSync(join(folder, 'dist/cjs/index.js'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xf', '-', '-C', folder], {
    input: execFileSync('git', ['archive', commit], { maxBuffer: 1 << 30 }),
  });
  console.error(`building ${what} (${commit.slice(0, 10)})`);
  const same = readFileSync('package-lock.json').equals(readFileSync(join(folder, 'package-lock.json')));
  if (same) symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  else run(folder, 'ci', '--no-audit', '--no-fund');
  run(folder, 'run', 'build');
  return folder;
}

function run(folder: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}
