// What tests and benches build or install: once on a machine, into a folder of .cache/ that is named by what it is made from.
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './lock.js';

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

export interface Sources {
  readonly folder: string;
  readonly files: readonly string[];
  /** What else it depends on, such as the version of a tool. */
  readonly salt?: string;
}

/**
 * Path of the folder that `make` fills, once; who comes while another makes it waits for that one. `name` is where it is in
 * the cache, up to the hash.
 */
export async function madeOnce(
  name: string,
  { folder, files, salt = '' }: Sources,
  make: (work: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(salt);
  for (const file of files) hash.update(await readFile(join(folder, file)));
  const target = `${CACHE}${name}${hash.digest('hex').slice(0, 16)}`;
  if (await exists(target)) return target;
  const place = dirname(target);
  await mkdir(place, { recursive: true });
  await withLock(`${target}.lock`, async () => {
    if (await exists(target)) return;
    const work = await mkdtemp(join(place, 'making-'));
    try {
      await make(work);
      await rename(work, target);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return target;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
