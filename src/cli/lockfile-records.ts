// Real records for the main job: every dependency that a package-lock.json pins, with version and integrity hash.
import { readFile } from 'node:fs/promises';

export interface LockRecord {
  /** Path in the lock file, e.g. `node_modules/piscina`: unique. */
  readonly key: string;
  /** JSON with name, version and integrity hash. */
  readonly value: string;
}

/** Reads lock file versions 2 and 3. The project itself is not one of its dependencies. */
export async function readLockfile(path: string | URL): Promise<LockRecord[]> {
  const lock: unknown = JSON.parse(await readFile(path, 'utf8'));
  const packages = lock && typeof lock === 'object' && 'packages' in lock ? lock.packages : undefined;
  if (!packages || typeof packages !== 'object') {
    throw new TypeError(`${String(path)} is not a package-lock.json of version 2 or 3`);
  }
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, pinned]: [string, { name?: string; version?: string; integrity?: string }]) => ({
      key: path,
      value: JSON.stringify({
        name: pinned.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
        version: pinned.version,
        integrity: pinned.integrity,
      }),
    }));
}
