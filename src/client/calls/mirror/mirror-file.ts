// The file of a mirror: a table for each of the database's, with its own names, and beside them what is known of their rows. What is
// written in one go is there whole, or not at all.
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync } from 'node:fs';
import { StoreError } from '../../../errors.js';
import type { Row } from '../../../proof/sql/row.js';
import type { TableSchema } from '../../../proof/sql/schema.js';
import type { CellValue, SqlType } from '../../../proof/sql/types.js';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite, SqliteStatement } from '../../../sqlite/sqlite.js';
import type { TrustKey } from '../../../store/root-store.js';
import type { Root } from '../../../verify/verifier.js';

/** `immM`: says what the file is. */
const APPLICATION_ID = 0x69_6d_6d_4d;

const SCHEMA = `
  CREATE TABLE _immu_mirror (only INTEGER PRIMARY KEY CHECK (only = 1), server TEXT NOT NULL, database TEXT NOT NULL,
    tx INTEGER NOT NULL, alh BLOB NOT NULL, writer TEXT NOT NULL);
  CREATE TABLE _immu_tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL, tx INTEGER NOT NULL, anomaly TEXT);
  CREATE TABLE _immu_rows (key BLOB PRIMARY KEY, table_id INTEGER NOT NULL, row INTEGER NOT NULL, tx INTEGER NOT NULL, anomaly TEXT)
    WITHOUT ROWID;`;

/** Another one that writes may be in this thread, and goes on only when this one does not wait. */
const BUSY_MS = 250;

const AFFINITY: Readonly<Record<SqlType, string>> = {
  INTEGER: 'INTEGER',
  BOOLEAN: 'INTEGER',
  VARCHAR: 'TEXT',
  BLOB: 'BLOB',
  UUID: 'TEXT',
  TIMESTAMP: 'INTEGER',
  FLOAT: 'REAL',
  JSON: 'TEXT',
};

/** What an honest server may have written, and what queries of it would show otherwise. */
export type MirrorAnomaly = 'key' | 'unreadable';

export interface MirroredRow {
  /** Raw. */
  readonly key: Uint8Array;
  readonly tx: bigint;
  /** Undefined: the columns of its table cannot read it: all are NULL. */
  readonly row: Row | undefined;
  readonly anomaly: MirrorAnomaly | undefined;
}

interface Writing {
  readonly schema: TableSchema;
  readonly put: SqliteStatement;
  readonly drop: SqliteStatement;
}

export class MirrorFile {
  readonly path: string;
  readonly #db: Sqlite;
  readonly #owner: TrustKey;
  readonly #writer = randomUUID();
  readonly #tables = new Map<number, Writing>();
  #nextRow = 1n;
  #note: SqliteStatement | undefined;
  #find: SqliteStatement | undefined;
  #forget: SqliteStatement | undefined;

  /** @throws StoreError STORE_FOREIGN when the file is none of a mirror of this database */
  constructor(path: string, owner: TrustKey) {
    this.path = path;
    this.#owner = owner;
    const isNew = !existsSync(path);
    this.#db = openSqlite(path, { timeout: BUSY_MS });
    try {
      if (isNew) chmodSync(path, 0o600);
      this.#db.defaultSafeIntegers(true);
      this.#assertOurs();
      this.#db.pragma('journal_mode = WAL');
      this.#db.pragma('synchronous = NORMAL');
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #assertOurs(): void {
    const foreign = (what: string) => new StoreError('STORE_FOREIGN', `the file at ${this.path} is ${what}`);
    const names = this.#allNames();
    if (names.length === 0) return;
    const id = this.#db.pragma('application_id', { simple: true });
    if (Number(id) !== APPLICATION_ID || !names.some(({ name }) => name === '_immu_mirror'))
      throw foreign('none of a mirror');
    const row = this.#db.prepare('SELECT server, database FROM _immu_mirror').get() as TrustKey | undefined;
    if (row && (row.server !== this.#owner.server || row.database !== this.#owner.database))
      throw foreign('a mirror of another database');
  }

  #allNames(): { readonly type: string; readonly name: string }[] {
    const all = `SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;
    return this.#db.prepare(all).all() as { type: string; name: string }[];
  }

  /** Begins to write all of it anew; to be ended by {@link commit} or {@link rollback}. Who reads sees what was there before. */
  beginAnew(): void {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#assertOurs();
    this.#tables.clear();
    for (const { type, name } of this.#allNames()) {
      // Indexes go with their tables.
      if (type === 'table') this.#db.exec(`DROP TABLE IF EXISTS ${quoted(name)}`);
      else if (type === 'view') this.#db.exec(`DROP VIEW IF EXISTS ${quoted(name)}`);
    }
    this.#db.exec(SCHEMA);
    this.#db.pragma(`application_id = ${APPLICATION_ID}`);
    this.#nextRow = 1n;
    this.#note = this.#db.prepare('INSERT OR REPLACE INTO _immu_rows VALUES (?, ?, ?, ?, ?)');
    this.#find = this.#db.prepare('SELECT table_id AS id, row FROM _immu_rows WHERE key = ?');
    this.#forget = this.#db.prepare('DELETE FROM _immu_rows WHERE key = ?');
  }

  /** Begins to write what has changed. @throws StoreError STORE_FAILED when another one has written to the file */
  begin(): void {
    this.#db.exec('BEGIN IMMEDIATE');
    const writer = this.#db.prepare('SELECT writer FROM _immu_mirror').pluck().get();
    if (writer === this.#writer) return;
    throw new StoreError('STORE_FAILED', `the mirror at ${this.path} is written by another one now`);
  }

  /** A table of which no column can be read is there by its name only. */
  addUnreadable(id: number, name: string, tx: bigint): void {
    this.#db.prepare('INSERT INTO _immu_tables VALUES (?, ?, ?, ?)').run(BigInt(id), name, tx, 'unreadable');
  }

  /** Its rows follow. */
  addTable(schema: TableSchema, tx: bigint): void {
    const { id, name, columns, primaryKey, indexes } = schema;
    this.#db.prepare('INSERT INTO _immu_tables VALUES (?, ?, ?, NULL)').run(BigInt(id), name, tx);
    const defined = columns.map((column) => `${quoted(column.name)} ${AFFINITY[column.type]}`);
    this.#db.exec(`CREATE TABLE ${quoted(name)} (${defined.join(', ')})`);
    for (const index of [{ id: 0, columns: primaryKey }, ...indexes]) {
      const of = index.columns.map((each) => columns.find((column) => column.id === each)?.name ?? '');
      const indexName = quoted(`_immu_index_${id}_${index.id}`);
      this.#db.exec(`CREATE INDEX ${indexName} ON ${quoted(name)} (${of.map(quoted).join(', ')})`);
    }
    const rowid = rowidOf(schema);
    const names = columns.map((column) => quoted(column.name)).join(', ');
    const places = columns.map(() => '?').join(', ');
    const put = `INSERT OR REPLACE INTO ${quoted(name)} (${rowid}, ${names}) VALUES (?, ${places})`;
    this.#tables.set(id, {
      schema,
      put: this.#db.prepare(put),
      drop: this.#db.prepare(`DELETE FROM ${quoted(name)} WHERE ${rowid} = ?`),
    });
  }

  /** Writes a row over the one that had its key. */
  put(table: number, { key, tx, row, anomaly }: MirroredRow): void {
    const writing = this.#tables.get(table);
    if (!writing) return;
    const known = this.#find?.get(key) as { readonly row: bigint } | undefined;
    const number = known?.row ?? this.#nextRow++;
    const values = writing.schema.columns.map(({ id, type }) => {
      const cell = row?.cells.get(id);
      return cell ? storedValue(type, cell.value) : null;
    });
    // eslint-disable-next-line no-restricted-syntax -- as many as SQLite lets a table have columns
    writing.put.run(number, ...values);
    this.#note?.run(key, BigInt(table), number, tx, anomaly ?? null);
  }

  /** The row of this key is there no more. */
  drop(key: Uint8Array): void {
    const known = this.#find?.get(key) as { readonly id: bigint; readonly row: bigint } | undefined;
    if (!known) return;
    this.#tables.get(Number(known.id))?.drop.run(known.row);
    this.#forget?.run(key);
  }

  /** All that was written is as of this root. */
  commit({ tx, alh }: Root): void {
    const { server, database } = this.#owner;
    this.#db
      .prepare('INSERT OR REPLACE INTO _immu_mirror VALUES (1, ?, ?, ?, ?, ?)')
      .run(server, database, tx, alh, this.#writer);
    this.#db.exec('COMMIT');
  }

  /** Nothing of it was written. */
  rollback(): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch {
      // A full disk, say, has undone all of it already; or nothing was begun.
    }
  }

  close(): void {
    if (this.#db.open) this.#db.close();
  }
}

function storedValue(type: SqlType, value: CellValue): unknown {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // SQLite has none, and would make it NULL.
  if (type === 'FLOAT' && Number.isNaN(value)) return 'NaN';
  return value;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What the number of a row is called in a table that may have columns of that name. */
function rowidOf({ name, columns }: TableSchema): string {
  const found = ['rowid', '_rowid_', 'oid'].find((each) => columns.every((column) => column.name !== each));
  if (found === undefined)
    throw new StoreError('STORE_FAILED', `table ${name} has columns that no mirror can have`);
  return found;
}
