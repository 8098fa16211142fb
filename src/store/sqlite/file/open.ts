// Opening a store file: created once, never again in place of one that is missing, damaged or foreign. And archives, which
// are only read.
import { existsSync, statSync } from 'node:fs';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { StoreError } from '../../../errors.js';
import { STORE_ID_SIZE } from '../../log/checkpoint.js';
import { createStore } from './create.js';
import { OpenLog } from '../log/open-log.js';
import { assertMarker, markerPath, readMarker, writeMarker } from './marker.js';
import type { OpenOptions } from '../thread/messages.js';
import { verifyTail } from '../log/tail-check.js';
import { APPLICATION_ID, ARCHIVE_ID, MIGRATIONS, SCHEMA_VERSION, strangeObject } from './schema.js';

/** Pages kept in memory: the upper levels of the indexes of a large log. */
const CACHE_KIB = 32 * 1024;

export interface OpenedStore {
  readonly db: Sqlite;
  readonly log: OpenLog;
  /** It is not the file itself that is open. */
  readonly isCopy?: boolean;
  /** To be called when it is closed. */
  readonly closed?: () => void;
}

/** @throws StoreError STORE_MISSING, STORE_FOREIGN or STORE_DAMAGED; errors of SQLite and of the file system as they are */
export function openStore(path: string, options: OpenOptions): OpenedStore {
  if (!existsSync(path)) {
    assertNeverMade(path, options);
    createStore(path);
  }
  assertNotEmpty(path);
  const marker = readMarker(path);
  const db = openSqlite(path, { timeout: options.busyTimeoutMs, fileMustExist: true });
  return guarded(db, path, () => {
    // Nothing is written before the file is known to be ours.
    assertOurs(db, path, APPLICATION_ID);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    if (version(db) < SCHEMA_VERSION) migrate(db);
    const log = checkedLog(db, path, marker);
    if (!marker) writeMarker(path, log.storeId);
    return { db, log };
  });
}

/** @throws StoreError STORE_MISSING, STORE_FOREIGN or STORE_DAMAGED; errors of SQLite and of the file system as they are */
export function openArchiveFile(path: string): OpenedStore {
  if (!existsSync(path)) throw new StoreError('STORE_MISSING', `there is no archive at ${path}`);
  assertNotEmpty(path);
  const db = openSqlite(path, { readonly: true, fileMustExist: true });
  return guarded(db, path, () => {
    assertOurs(db, path, ARCHIVE_ID);
    return { db, log: checkedLog(db, path, undefined) };
  });
}

export function guarded(db: Sqlite, path: string, open: () => OpenedStore): OpenedStore {
  try {
    db.defaultSafeIntegers(true);
    db.pragma(`cache_size = -${CACHE_KIB}`);
    return open();
  } catch (error) {
    db.close();
    // A statement that does not fit the tables: they are not what the schema version says.
    if (isSqliteError(error) && error.code === 'SQLITE_ERROR') {
      throw new StoreError('STORE_DAMAGED', `the tables of root store ${path} are damaged: ${error.message}`);
    }
    throw error;
  }
}

/** @throws StoreError STORE_FOREIGN or STORE_DAMAGED */
export function checkedLog(db: Sqlite, path: string, marker: Uint8Array | undefined): OpenLog {
  const strange = strangeObject(db, version(db));
  if (strange !== undefined) {
    throw new StoreError('STORE_DAMAGED', `the tables of root store ${path} are damaged: ${strange}`);
  }
  const storeId = storeIdOf(db, path);
  if (marker) assertMarker(path, marker, storeId);
  const log = new OpenLog(db, storeId);
  // One transaction: another process may be writing.
  const wrong = log.settled(() => verifyTail(log));
  if (wrong) {
    const words = `row ${wrong.seq.toString()} of the audit log: ${wrong.finding}`;
    throw new StoreError('STORE_DAMAGED', `the root store ${path} is damaged: ${words}`);
  }
  return log;
}

export function assertNotEmpty(path: string): void {
  if (statSync(path).size > 0) return;
  throw new StoreError('STORE_DAMAGED', `the root store ${path} is an empty file`);
}

/** There is no file: may there never have been one? */
function assertNeverMade(path: string, { create }: OpenOptions): void {
  for (const trace of [markerPath(path), `${path}-wal`, `${path}-journal`]) {
    // Looked for after the file: another process that is making the store makes the file first.
    if (existsSync(trace) && !existsSync(path)) {
      throw new StoreError('STORE_MISSING', `the root store ${path} is gone: ${trace} says it was there`);
    }
  }
  if (create === 'never') throw new StoreError('STORE_MISSING', `there is no root store at ${path}`);
}

export function assertOurs(db: Sqlite, path: string, wanted: number): void {
  assertOfUs(db, path, wanted);
  if (version(db) < 1) throw new StoreError('STORE_DAMAGED', `the root store ${path} ${NO_VERSION}`);
}

export const NO_VERSION = 'has lost its schema version';

/** The same for one that may have lost its version. */
export function assertOfUs(db: Sqlite, path: string, wanted: number): void {
  const application = Number(db.pragma('application_id', { simple: true }));
  if (application !== wanted) {
    throw new StoreError('STORE_FOREIGN', `${path} is not ${nameOf(wanted)}, it is ${nameOf(application)}`);
  }
  const found = version(db);
  if (found > SCHEMA_VERSION) {
    const words = `it has schema ${found}, this release knows up to ${SCHEMA_VERSION}`;
    throw new StoreError('STORE_FOREIGN', `the root store ${path} is newer: ${words}`);
  }
}

function nameOf(application: number): string {
  if (application === APPLICATION_ID) return 'a root store';
  return application === ARCHIVE_ID ? 'an archive of a root store' : `of application id ${application}`;
}

function migrate(db: Sqlite): void {
  db.transaction(() => {
    // Read again under the lock: another process may have done it.
    for (let from = version(db); from < SCHEMA_VERSION; from++) db.exec(MIGRATIONS[from] ?? '');
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}

export function storeIdOf(db: Sqlite, path: string): Uint8Array {
  const ids = db.prepare('SELECT id FROM store').pluck().all() as Uint8Array[];
  const [id] = ids;
  if (!id || ids.length > 1 || id.length !== STORE_ID_SIZE) {
    throw new StoreError('STORE_DAMAGED', `the root store ${path} has lost its store id`);
  }
  return new Uint8Array(id);
}

export function version(db: Sqlite): number {
  return Number(db.pragma('user_version', { simple: true }));
}
