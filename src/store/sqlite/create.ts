// Making a store file: it appears under its name complete and durable, or not at all, and never over another file.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.js';
import { STORE_ID_SIZE, draftPath, syncFolder, writeMarker } from './marker.js';

/** Makes the store at `path` and its marker. Does nothing when another process was faster. */
export function createStore(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = draftPath(path);
  try {
    // Nobody else may read who talks to which server.
    closeSync(openSync(draft, 'wx', 0o600));
    const id = randomBytes(STORE_ID_SIZE);
    fill(draft, id);
    if (!publish(draft, path)) return;
    syncFolder(path);
    writeMarker(path, id);
  } finally {
    rmSync(draft, { force: true });
  }
}

function fill(draft: string, id: Uint8Array): void {
  const db = new Database(draft);
  try {
    db.pragma('synchronous = FULL');
    db.transaction(() => {
      db.pragma(`application_id = ${APPLICATION_ID}`);
      for (const migration of MIGRATIONS) db.exec(migration);
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
      db.prepare('INSERT INTO store (id, rows) VALUES (?, 0)').run(id);
    })();
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
  const file = openSync(draft, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives the finished file its name; false when the name is taken. */
function publish(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
  }
  // A file system without links: a copy, which replaces nothing either.
  try {
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
    const file = openSync(path, 'r+');
    fsyncSync(file);
    closeSync(file);
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}
