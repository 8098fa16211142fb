// Real records for the main job: every dependency that a package-lock.json pins, with version and integrity hash.
import { readFile } from 'node:fs/promises';

export interface LockRecord {
  /** Path in the lock file, e.g. `node_modules/piscina`: unique. */
  readonly key: string;
  /** JSON with name, version and integrity hash. */
  readonly value: string;
}

const FOLDER = 'node_modules/';

/** Reads lock file versions 2 and 3. The project itself is not one of its dependencies. */
export async function readLockfile(path: string): Promise<LockRecord[]> {
  const packages = property(parsed(await contents(path), path), 'packages');
  if (typeof packages !== 'object' || packages === null || Array.isArray(packages)) {
    throw new Error(`${path} is not a package-lock.json of version 2 or 3: it has no "packages"`);
  }
  const records = Object.entries(packages)
    .filter(([key]) => key !== '')
    .map(([key, pinned]) => ({
      key,
      value: JSON.stringify({
        name: property(pinned, 'name') ?? key.slice(key.lastIndexOf(FOLDER) + FOLDER.length),
        version: property(pinned, 'version'),
        integrity: property(pinned, 'integrity'),
      }),
    }));
  if (records.length === 0) throw new Error(`${path} pins no dependency: there is nothing to ingest`);
  return records;
}

async function contents(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`cannot read the lock file: ${(error as Error).message}`, { cause: error });
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not a package-lock.json: it is not JSON`, { cause: error });
  }
}

/** A property of something that may not be an object at all. */
function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}
