// Text of a file that is held in memory as a whole.
import { readFile, stat } from 'node:fs/promises';

/** Throws an error that names the file when it is longer than `maxBytes`, too long for `what`. */
export async function textOfFile(path: string, maxBytes: number, what: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new Error(`${path} is too long for ${what}: ${size} bytes`);
  return readFile(path, 'utf8');
}
