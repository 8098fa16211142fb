// Whether a file will still be there when the machine, or the container, is started again.
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Types of file systems, as Linux numbers them, whose files end with the machine or the container. */
const PASSING: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'a tmpfs, which is in memory: it ends with the machine or the container'],
  [0x858458f6, 'a ramfs, which is in memory: it ends with the machine or the container'],
  [0x794c7630, 'an overlay file system, as a container has for its own: it ends with the container'],
]);

/**
 * Why a file at `path`, which need not exist, may not last, in words; undefined where nothing says so. Known of Linux alone.
 *
 * `kindOf`: type of the file system of a folder.
 */
export async function whyNotLasting(
  path: string,
  kindOf: (folder: string) => Promise<number> = typeOf,
): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      return PASSING.get(await kindOf(folder));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || folder === dirname(folder)) return undefined;
    }
  }
}

async function typeOf(folder: string): Promise<number> {
  return (await statfs(folder)).type;
}

/** What is said of a store there. */
export function notLastingWords(path: string, why: string): string {
  return `the root store ${path} is on ${why}. What is trusted then begins anew, by first use: name a place that stays, with the option store or IMMU_TS_STORE`;
}
