// Opening a store file: created once, never again in place of one that is missing, damaged or foreign.
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { StoreError } from '../../errors.js';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.js';

export interface OpenOptions {
  /** `if-new`: created when neither the store nor its marker exists. `never`: it must exist. */
  readonly create: 'if-new' | 'never';
  /** How long a writer waits for another process's transaction. */
  readonly busyTimeoutMs: number;
}

export interface OpenedStore {
  readonly db: Database.Database;
  readonly storeId: Uint8Array;
}

/** Sidecar that remembers that a store was made here, and which. */
export function markerPath(path: string): string {
  return `${path}.id`;
}

/** @throws StoreError STORE_MISSING, STORE_FOREIGN, STORE_DAMAGED or STORE_FAILED */
export function openStore(path: string, options: OpenOptions): OpenedStore {
  const marker = readMarker(path);
  const exists = existsSync(path);
  if (!exists && marker) {
    throw new StoreError(
      'STORE_MISSING',
      `the root store ${path} is gone, but ${markerPath(path)} says it was there`,
    );
  }
  if (!exists && options.create === 'never') {
    throw new StoreError('STORE_MISSING', `there is no root store at ${path}`);
  }
  if (!exists) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = new Database(path, { timeout: options.busyTimeoutMs });
  try {
    db.defaultSafeIntegers(true);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    const storeId = prepare(db, path, !exists, marker);
    if (!marker) writeMarker(path, storeId);
    return { db, storeId };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Creates or migrates the tables; returns the store's id. Another process may be doing the same. */
function prepare(
  db: Database.Database,
  path: string,
  mayCreate: boolean,
  marker: Uint8Array | undefined,
): Uint8Array {
  return db
    .transaction(() => {
      const application = pragma(db, 'application_id');
      let version = pragma(db, 'user_version');
      const empty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0n;
      if (empty && application === 0 && (mayCreate || !marker)) {
        if (!mayCreate && !isNewFile(db))
          throw new StoreError('STORE_FOREIGN', `${path} is a database of something else`);
        db.pragma(`application_id = ${APPLICATION_ID}`);
      } else if (application !== APPLICATION_ID) {
        throw new StoreError('STORE_FOREIGN', `${path} is not a root store (application id ${application})`);
      }
      if (version > SCHEMA_VERSION) {
        throw new StoreError(
          'STORE_FOREIGN',
          `${path} has schema ${version}; this release knows up to ${SCHEMA_VERSION}`,
        );
      }
      for (; version < SCHEMA_VERSION; version++) db.exec(MIGRATIONS[version] ?? '');
      db.pragma(`user_version = ${SCHEMA_VERSION}`);
      return storeIdOf(db, path, marker);
    })
    .immediate();
}

function storeIdOf(db: Database.Database, path: string, marker: Uint8Array | undefined): Uint8Array {
  const stored = db.prepare('SELECT id FROM store').pluck().all() as Uint8Array[];
  if (stored.length > 1) throw new StoreError('STORE_DAMAGED', `${path} has ${stored.length} store ids`);
  const [known] = stored;
  if (!known) {
    if (db.prepare('SELECT count(*) FROM audit').pluck().get() !== 0n) {
      throw new StoreError('STORE_DAMAGED', `${path} has lost its store id`);
    }
    const id = randomBytes(16);
    db.prepare('INSERT INTO store (id) VALUES (?)').run(id);
    return Uint8Array.from(id);
  }
  if (marker && !Buffer.from(known).equals(marker)) {
    throw new StoreError('STORE_FOREIGN', `${path} is another store than ${markerPath(path)} names`);
  }
  return Uint8Array.from(known);
}

function isNewFile(db: Database.Database): boolean {
  return pragma(db, 'user_version') === 0;
}

function pragma(db: Database.Database, name: string): number {
  return Number(db.pragma(name, { simple: true }));
}

function readMarker(path: string): Uint8Array | undefined {
  const file = markerPath(path);
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{32}$/.test(text)) throw new StoreError('STORE_DAMAGED', `${file} does not hold a store id`);
  return Buffer.from(text, 'hex');
}

function writeMarker(path: string, id: Uint8Array): void {
  const file = openSync(markerPath(path), 'w', 0o600);
  try {
    writeSync(file, `${Buffer.from(id).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
