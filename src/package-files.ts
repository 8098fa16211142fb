// Files and packages that are needed while it runs, and that no bundler takes along: what threads run, and what has native
// parts or threads of its own.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import here from './here.cjs';
import { VERSION } from './version.js';

/** What threads run. */
export interface ThreadFiles {
  /** Checks answers, and what the pool loads first for it. */
  readonly check: string;
  readonly checkEntry: string;
  /** Owns a store's file. */
  readonly store: string;
}

let found: { readonly folder: string | undefined } | undefined;
let warned = false;

/**
 * The files of this release's package; undefined when it is part of a bundle and not installed where that runs. Looked for from
 * here, from the script that was started, and from the working directory.
 */
export function threadFiles(): ThreadFiles | undefined {
  found ??= { folder: packageFolder() };
  const { folder } = found;
  if (folder === undefined) return undefined;
  return {
    check: join(folder, 'worker', 'thread.js'),
    checkEntry: join(folder, 'worker', 'thread-entry.cjs'),
    store: join(folder, 'store', 'sqlite', 'thread', 'thread.js'),
  };
}

/** Says, once, that work is done on the calling thread that others were to do. */
export function warnOfNoThreads(): void {
  if (warned) return;
  warned = true;
  const words =
    'immu-ts is part of a bundle and finds no files for its threads: answers are checked, and the root store is written, on ' +
    'this thread. Keep immu-ts out of the bundle ("external"), and installed where it runs.';
  process.emitWarning(words, { type: 'ImmuTsWarning', code: 'IMMU_TS_NO_THREADS' });
}

/** A package, by name, as this one finds it, or else whoever bundled this one. Throws what looking for it from here threw. */
export function requireFromHere(name: string): unknown {
  let first: unknown;
  for (const folder of [found?.folder, ...startingPoints()]) {
    if (folder === undefined) continue;
    const require = createRequire(join(folder, 'any.js'));
    let path: string;
    try {
      path = require.resolve(name);
    } catch (error) {
      first ??= error;
      continue;
    }
    return require(path) as unknown;
  }
  throw first;
}

function packageFolder(): string | undefined {
  if (here.folder !== undefined && isOurs(here.folder)) return here.folder;
  for (const start of startingPoints()) {
    try {
      const manifest = createRequire(join(start, 'any.js')).resolve('immu-ts/package.json');
      const folder = join(dirname(manifest), 'dist', 'cjs');
      if (isOurs(folder)) return folder;
    } catch {
      // Not from there.
    }
  }
  return undefined;
}

function startingPoints(): string[] {
  const script = process.argv[1];
  const folders = [here.folder, script === undefined ? undefined : dirname(script), process.cwd()];
  return folders.filter((folder) => folder !== undefined);
}

/** The build of this very release is in that folder: threads of another would not understand what they are sent. */
function isOurs(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, '..', '..', 'package.json'), 'utf8')) as Partial<
      Record<string, unknown>
    >;
    const isThis = manifest['name'] === 'immu-ts' && manifest['version'] === VERSION;
    return isThis && existsSync(join(folder, 'worker', 'thread.js'));
  } catch {
    return false;
  }
}
