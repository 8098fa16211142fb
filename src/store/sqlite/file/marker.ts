// The marker beside a store file: remembers that a store was made here, and which.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { equalBytes, fromHex, toHex } from '../../../proof/bytes.js';
import { StoreError } from '../../../errors.js';

export function markerPath(path: string): string {
  return `${path}.id`;
}

/** Id in the marker of the store at `path`; undefined when there is no marker. */
export function readMarker(path: string): Uint8Array | undefined {
  const file = markerPath(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!/^[0-9a-f]{32}$/.test(text)) throw new StoreError('STORE_DAMAGED', `${file} does not hold a store id`);
  return fromHex(text);
}

/** Writes the marker whole or not at all, durably. */
export function writeMarker(path: string, id: Uint8Array): void {
  const draft = draftPath(markerPath(path));
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, `${toHex(id)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, markerPath(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncFolder(path);
}

/** @throws StoreError STORE_FOREIGN when the marker names another store */
export function assertMarker(path: string, marker: Uint8Array, id: Uint8Array): void {
  if (equalBytes(marker, id)) return;
  throw new StoreError('STORE_FOREIGN', `${path} is another store than ${markerPath(path)} names`);
}

/** Name beside `path` for a file that is being made. */
export function draftPath(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.new`;
}

/** Makes a new name in the folder of `path` durable. Windows has no such call, and needs none. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
