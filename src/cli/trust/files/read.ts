// A state file of another client, whichever: told apart by its first byte, bounded, and read strictly.
import { open } from 'node:fs/promises';
import { StateFileError } from './claimed-root.js';
import type { StateFile } from './claimed-root.js';
import { readGoStates } from './go-state.js';
import { isPickle, readPythonStates } from './python-states.js';

/** Thousands of databases. */
const MAX_BYTES = 1024 * 1024;
const MAX_TX = 0x7fff_ffff_ffff_ffffn;

/** @throws Error that names the file and what is wrong with it */
export async function readStateFile(path: string): Promise<StateFile> {
  const bytes = await firstBytes(path);
  try {
    if (bytes.length > MAX_BYTES) throw new StateFileError('it is too long for a file of states');
    const file = isPickle(bytes) ? readPythonStates(bytes) : readGoStates(bytes, path);
    if (file.roots.some(({ tx }) => tx > MAX_TX))
      throw new StateFileError('a transaction has too high a number');
    const names = new Set(file.roots.map(({ database }) => database));
    if (names.size < file.roots.length) throw new StateFileError('it names a database twice');
    return file;
  } catch (cause) {
    // Bytes that are no text.
    if (!(cause instanceof StateFileError) && !(cause instanceof TypeError)) throw cause;
    const why = cause instanceof StateFileError ? cause.message : 'it is no text';
    throw new Error(`${path} is no state file of the Go client or of immu-py: ${why}`, { cause });
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  await using file = await open(path);
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return new Uint8Array(buffer.subarray(0, length));
}
