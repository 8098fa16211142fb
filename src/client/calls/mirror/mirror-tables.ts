// The tables in the file of a mirror, and beside them what is known of their rows. Each table is written anew whole, or row by row.
import { StoreError } from '../../../errors.js';
import type { Sqlite, SqliteStatement } from '../../../sqlite/sqlite.js';
import { tableOf } from './source.js';
import type { MirrorAnomaly, MirrorSource } from './source.js';

export interface MirroredRow {
  /** Raw. */
  readonly key: Uint8Array;
  readonly tx: bigint;
  /** In the order of the columns. Read before the next one is made. */
  readonly values: readonly unknown[];
  readonly anomaly: MirrorAnomaly | undefined;
}

/** One that is in the file. */
interface Writing {
  /** What it was made by; undefined: it is there by its name only. */
  readonly shape: string;
  readonly source?: MirrorSource;
  readonly add?: ManyRows;
  readonly put?: SqliteStatement;
  readonly drop?: SqliteStatement;
}

export const TABLES_SCHEMA = `
  CREATE TABLE _immu_tables (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, tx INTEGER NOT NULL, anomaly TEXT,
    shape TEXT NOT NULL);
  CREATE TABLE _immu_rows (key BLOB PRIMARY KEY, table_id INTEGER NOT NULL, row INTEGER NOT NULL, tx INTEGER NOT NULL, anomaly TEXT)
    WITHOUT ROWID;`;

/** Rows in one statement: half the time of one each (measured). */
const ROWS_AT_A_TIME = 16;
const NOTE_COLUMNS = 5;

export class MirrorTables {
  readonly #db: Sqlite;
  #tables = new Map<bigint, Writing>();
  #before: { readonly tables: Map<bigint, Writing>; readonly nextRow: bigint } | undefined;
  #nextRow = 1n;
  #notes: ManyRows | undefined;
  #note: SqliteStatement | undefined;
  #find: SqliteStatement | undefined;
  #forget: SqliteStatement | undefined;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Nothing is in the file but {@link TABLES_SCHEMA}. */
  beginEmpty(): void {
    this.#begun();
    this.#tables = new Map();
    this.#nextRow = 1n;
    this.#prepare();
  }

  /** What a mirror before has left is in it, to be gone on with. */
  beginFrom(): void {
    this.#tables = new Map();
    const known = this.#db.prepare('SELECT id, shape FROM _immu_tables').all();
    for (const { id, shape } of known as { id: bigint; shape: string }[]) this.#tables.set(id, { shape });
    const last = this.#db.prepare('SELECT max(row) FROM _immu_rows').pluck().get() as bigint | null;
    this.#nextRow = (last ?? 0n) + 1n;
    this.#prepare();
  }

  /** From here on what is done may be {@link undone}. */
  begun(): void {
    this.#begun();
  }

  #begun(): void {
    this.#before = { tables: new Map(this.#tables), nextRow: this.#nextRow };
  }

  /** The transaction of the file was given up. */
  undone(): void {
    if (!this.#before) return;
    this.#tables = this.#before.tables;
    this.#nextRow = this.#before.nextRow;
  }

  #prepare(): void {
    const db = this.#db;
    this.#notes = new ManyRows(db, 'INSERT OR REPLACE INTO _immu_rows', NOTE_COLUMNS);
    this.#note = db.prepare('INSERT OR REPLACE INTO _immu_rows VALUES (?, ?, ?, ?, ?)');
    this.#find = db.prepare('SELECT row FROM _immu_rows WHERE key = ?').pluck();
    this.#forget = db.prepare('DELETE FROM _immu_rows WHERE key = ?');
  }

  get ids(): readonly bigint[] {
    return [...this.#tables.keys()];
  }

  /** Whether it is there, made by this. */
  has({ id, shape }: MirrorSource): boolean {
    return this.#tables.get(id)?.shape === shape;
  }

  /** Makes it: its rows are still to come. */
  create(source: MirrorSource): void {
    const { id, kind, name, tx, anomaly, shape } = source;
    const made = this.#db.prepare('INSERT INTO _immu_tables VALUES (?, ?, ?, ?, ?, ?)');
    made.run(id, kind, name, tx, anomaly ?? null, shape);
    this.#tables.set(id, { shape });
    if (anomaly) return;
    const { table, columns } = source;
    const defined = columns.map((column) => `${quoted(column.name)} ${column.affinity}`);
    this.#db.exec(`CREATE TABLE ${quoted(table)} (${defined.join(', ')})`);
    this.open(source);
  }

  /** Has its statements ready. */
  open(source: MirrorSource): void {
    const known = this.#tables.get(source.id);
    if (!known || known.source || source.anomaly) return;
    const rowid = rowidOf(source);
    const table = quoted(source.table);
    const names = [rowid, ...source.columns.map(({ name }) => quoted(name))];
    const into = `INTO ${table} (${names.join(', ')})`;
    this.#tables.set(source.id, {
      ...{ shape: source.shape, source },
      add: new ManyRows(this.#db, `INSERT ${into}`, names.length),
      put: this.#db.prepare(`INSERT OR REPLACE ${into} VALUES (${names.map(() => '?').join(', ')})`),
      drop: this.#db.prepare(`DELETE FROM ${table} WHERE ${rowid} = ?`),
    });
  }

  /** Indexes are made when the rows are there. */
  index({ id, table, indexes, anomaly }: MirrorSource): void {
    if (anomaly) return;
    for (const index of indexes) {
      const columns = index.columns.map(quoted).join(', ');
      this.#db.exec(
        `CREATE INDEX ${quoted(`_immu_index_${id}_${index.id}`)} ON ${quoted(table)} (${columns})`,
      );
    }
  }

  /** Goes, with all its rows. `table`: what it is called in the file. */
  remove(id: bigint, { from, to }: { readonly from: Uint8Array; readonly to: Uint8Array }): void {
    const { name, kind, anomaly } = this.#db
      .prepare('SELECT name, kind, anomaly FROM _immu_tables WHERE id = ?')
      .get(id) as { name: string; kind: string; anomaly: string | null };
    if (anomaly === null) this.#db.exec(`DROP TABLE IF EXISTS ${quoted(tableOf(kind, name))}`);
    this.#db.prepare('DELETE FROM _immu_rows WHERE key >= ? AND key < ?').run(from, to);
    this.#db.prepare('DELETE FROM _immu_tables WHERE id = ?').run(id);
    this.#tables.delete(id);
  }

  /** Adds rows of which none is there. To be ended by {@link flush}. */
  add(id: bigint, { key, tx, values, anomaly }: MirroredRow): void {
    const add = this.#tables.get(id)?.add;
    if (!add) return;
    const number = this.#nextRow++;
    add.push(number, values);
    this.#notes?.push(key, [id, number, tx, anomaly ?? null]);
  }

  /** All that was added is in the file. */
  flush(): void {
    for (const { add } of this.#tables.values()) add?.flush();
    this.#notes?.flush();
  }

  /** Writes a row over the one that has its key, if one has. Once for each key, before {@link flush}. */
  put(id: bigint, row: MirroredRow): void {
    const put = this.#tables.get(id)?.put;
    const number = this.#find?.get(row.key) as bigint | undefined;
    if (number === undefined) {
      this.add(id, row);
      return;
    }
    const { key, tx, values, anomaly } = row;
    // eslint-disable-next-line no-restricted-syntax -- as many as SQLite lets a table have columns
    put?.run(number, ...values);
    this.#note?.run(key, id, number, tx, anomaly ?? null);
  }

  /** The row of this key is there no more. */
  drop(id: bigint, key: Uint8Array): void {
    const number = this.#find?.get(key) as bigint | undefined;
    if (number === undefined) return;
    this.#tables.get(id)?.drop?.run(number);
    this.#forget?.run(key);
  }
}

/** Rows of one table that are added together. */
class ManyRows {
  readonly #db: Sqlite;
  readonly #insert: string;
  readonly #columns: number;
  readonly #values: unknown[] = [];
  #many: SqliteStatement | undefined;
  #one: SqliteStatement | undefined;

  constructor(db: Sqlite, insert: string, columns: number) {
    this.#db = db;
    this.#insert = insert;
    this.#columns = columns;
  }

  push(first: unknown, others: readonly unknown[]): void {
    const values = this.#values;
    values.push(first);
    for (const value of others) values.push(value);
    if (values.length < ROWS_AT_A_TIME * this.#columns) return;
    const row = this.#row;
    this.#many ??= this.#db.prepare(`${this.#insert} VALUES ${Array(ROWS_AT_A_TIME).fill(row).join()}`);
    // eslint-disable-next-line no-restricted-syntax -- so many rows of a table's columns
    this.#many.run(...values);
    values.length = 0;
  }

  get #row(): string {
    return `(${Array(this.#columns).fill('?').join(', ')})`;
  }

  flush(): void {
    const values = this.#values;
    if (values.length === 0) return;
    this.#one ??= this.#db.prepare(`${this.#insert} VALUES ${this.#row}`);
    for (let at = 0; at < values.length; at += this.#columns)
      // eslint-disable-next-line no-restricted-syntax -- as many as a table has columns
      this.#one.run(...values.slice(at, at + this.#columns));
    values.length = 0;
  }
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** What the number of a row is called in a table that may have columns of that name. */
function rowidOf({ name, columns }: MirrorSource): string {
  const found = ['rowid', '_rowid_', 'oid'].find((each) =>
    columns.every((column) => column.name.toLowerCase() !== each),
  );
  if (found === undefined)
    throw new StoreError('STORE_FAILED', `table ${name} has columns that no mirror can have`);
  return found;
}
