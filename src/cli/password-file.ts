// A password in a file: its one line.
import { readFile } from 'node:fs/promises';
import { visible } from '../visible.js';

const MAX_BYTES = 64 * 1024;

/** @throws Error which says what is wrong with the file, and nothing of what is in it */
export async function readPasswordFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  const wrong = (what: string) => new Error(`the password file ${visible(path)} ${what}`);
  if (bytes.length > MAX_BYTES) throw wrong('is too long');
  const text = bytes.toString('utf8').replace(/\r?\n$/, '');
  if (!Buffer.from(text).equals(bytes.subarray(0, Buffer.byteLength(text)))) throw wrong('is not UTF-8');
  if (text === '') throw wrong('is empty');
  if (text.includes('\n')) throw wrong('has more than one line');
  return text;
}
