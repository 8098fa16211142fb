// A file that names witnesses: one a line, `URL KEY`; empty lines and what is behind a # at the start of a line are passed over.
import { readFile } from 'node:fs/promises';
import type { Witness } from '../../index.js';
import { visible } from '../../visible.js';

/** Throws an error that says which line is none. What stands in it is checked where it is used. */
export async function readWitnesses(path: string): Promise<Witness[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.flatMap((line, i) => {
    const words = line.trim().split(/\s+/);
    const [url = '', key] = words;
    if (url === '' || url.startsWith('#')) return [];
    if (key === undefined || words.length > 2)
      throw new Error(`${visible(path)}:${i + 1} is not "URL KEY", as a witness is named`);
    return [{ url, key }];
  });
}
