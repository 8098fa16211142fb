// Making a store file: it appears under its name complete and durable, or not at all, and never over another file.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { openSqlite } from '../../../sqlite/open.js';
import { chainStart } from '../../log/audit-row.js';
import { STORE_ID_SIZE } from '../../log/checkpoint.js';
import type { Base } from '../log/open-log.js';
import { draftPath, syncFolder, writeMarker } from './marker.js';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.js';

/** Makes the store at `path` and its marker. Does nothing when another process was faster. */
export function createStore(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = draftPath(path);
  try {
    // Nobody else may read who talks to which server.
    closeSync(openSync(draft, 'wx', 0o600));
    const id = randomBytes(STORE_ID_SIZE);
    makeTables(draft, APPLICATION_ID, {
      id,
      rows: 0n,
      base: { seq: 0n, hash: chainStart(id), checkpoint: null },
    });
    syncFile(draft);
    if (!publish(draft, path)) return;
    syncFolder(path);
    writeMarker(path, id);
  } finally {
    rmSync(draft, { force: true });
  }
}

export interface FirstState {
  readonly id: Uint8Array;
  readonly rows: bigint;
  readonly base: Base;
}

/** Makes the tables in an empty file. A store is left in WAL mode. */
export function makeTables(path: string, application: number, { id, rows, base }: FirstState): void {
  const db = openSqlite(path);
  try {
    db.pragma('synchronous = FULL');
    // Room that archiving frees can be given back. Only before the first table can it be asked for.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.transaction(() => {
      db.pragma(`application_id = ${application}`);
      for (const migration of MIGRATIONS) db.exec(migration);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
      db.prepare(
        'INSERT INTO store (id, rows, base_seq, base_hash, base_checkpoint) VALUES (?, ?, ?, ?, ?)',
      ).run(id, rows, base.seq, base.hash, base.checkpoint);
    })();
    if (application === APPLICATION_ID) db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
}

export function syncFile(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives the finished file its name; false when the name is taken. */
export function publish(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
  }
  // A file system without links: an empty file takes the name, so that nothing of others is replaced, and the finished
  // one takes its place. There is never a part of it under the name.
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
  try {
    renameSync(draft, path);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}
