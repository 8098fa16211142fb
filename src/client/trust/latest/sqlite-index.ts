// The index in a file of SQLite: for databases that are larger than the memory given, and for keys in order. The file is a copy of
// what can be followed again: it is not synced, and gone with the process unless it is kept (index-file.ts).
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EMPTY_HASH, HASH_SIZE } from '../../../proof/hash.js';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite, SqliteStatement } from '../../../sqlite/sqlite.js';
import { DELETED, hashOfRow, keyOfRow } from '../../../verify/chain/rows.js';
import type { Row } from '../../../verify/chain/rows.js';
import type { Root } from '../../../verify/verifier.js';
import type { KeyIndex, LatestVersion } from './key-index.js';
import type { BriefPage, BriefVersion, KeyRange, RangePage, RangeRow, RangeView, Ranges } from './ranges.js';

/** Pages of the file kept in memory. */
const CACHE_KIB = 16 * 1024;

const SCHEMA = `
  CREATE TABLE latest (key BLOB PRIMARY KEY, tx INTEGER NOT NULL, flags INTEGER NOT NULL, expires_at INTEGER, hash BLOB NOT NULL,
    revision INTEGER NOT NULL, previous INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE reached (only INTEGER PRIMARY KEY CHECK (only = 1), tx INTEGER NOT NULL, alh BLOB NOT NULL, keys INTEGER NOT NULL);`;
/**
 * Rows are put so many at a time: a third of the time of one each that says what it did (measured). Only where some of their keys were
 * there already are these looked at one by one: they are the ones that have another transaction still.
 */
const ROWS_AT_A_TIME = 16;
const NEW_ROW = '(?, ?, ?, ?, ?, 1, 0)';
const ADD = 'INSERT OR IGNORE INTO latest VALUES';
const RENEW = `
  UPDATE latest SET previous = tx, tx = ?, flags = ?, expires_at = ?, hash = ?, revision = revision + 1 WHERE key = ? AND tx <> ?`;
/** Of a row that is put. */
const ROW_VALUES = 5;
const COLUMNS = 'key, tx, flags, expires_at AS expiresAt, hash, revision, previous';

interface Columns {
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly flags: bigint;
  readonly expiresAt: bigint | null;
  readonly hash: Uint8Array;
  readonly revision: bigint;
  readonly previous: bigint;
}

/** By what a key is known in the file: itself, or something of a fixed size. */
export type NameOf = (key: Uint8Array) => Uint8Array;

export class SqliteIndex implements KeyIndex, Ranges {
  readonly path: string;
  readonly #db: Sqlite;
  readonly #nameOf: NameOf;
  readonly #add: SqliteStatement;
  readonly #addMany: SqliteStatement;
  readonly #renew: SqliteStatement;
  readonly #take: SqliteStatement;
  readonly #get: SqliteStatement;
  readonly #reached: SqliteStatement;
  #keys = 0;
  #inTransaction = false;
  /** Rows that are still to be put: five values of each. */
  readonly #due: unknown[] = [];

  /** `path`: of a file that is there, alone in its folder, which goes with the index. @default a new one */
  constructor(nameOf: NameOf = itself, path?: string) {
    this.#nameOf = nameOf;
    this.path = path ?? join(mkdtempSync(join(tmpdir(), 'immu-ts-follow-')), 'index.sqlite');
    this.#db = openSqlite(this.path);
    this.#db.defaultSafeIntegers(true);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = OFF');
    this.#db.pragma(`cache_size = -${CACHE_KIB}`);
    if (this.#db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'latest'`).get() === undefined)
      this.#db.exec(SCHEMA);
    const last = this.#db.prepare('SELECT keys FROM reached').pluck().get() as bigint | undefined;
    this.#keys = Number(last ?? 0n);
    this.#add = this.#db.prepare(`${ADD} ${NEW_ROW}`);
    this.#addMany = this.#db.prepare(`${ADD} ${Array(ROWS_AT_A_TIME).fill(NEW_ROW).join()}`);
    this.#renew = this.#db.prepare(RENEW);
    this.#take = this.#db.prepare('INSERT INTO latest VALUES (?, ?, ?, ?, ?, ?, ?)');
    this.#get = this.#db.prepare(`SELECT ${COLUMNS} FROM latest WHERE key = ?`);
    this.#reached = this.#db.prepare('INSERT OR REPLACE INTO reached VALUES (1, ?, ?, ?)');
  }

  get keys(): number {
    return this.#keys;
  }

  get bytes(): number {
    return fileBytes(this.#db);
  }

  put(row: Row): void {
    this.#begin();
    const { tx, flags, expiresAt } = row;
    this.#due.push(this.#nameOf(keyOfRow(row)), tx, flags, expiresAt ?? null, hashOfRow(row));
    if (this.#due.length === ROWS_AT_A_TIME * ROW_VALUES) this.#flush();
  }

  #flush(): void {
    const due = this.#due;
    if (due.length === 0) return;
    const isMany = due.length === ROWS_AT_A_TIME * ROW_VALUES;
    // eslint-disable-next-line no-restricted-syntax -- so many as there are places
    let added = isMany ? Number(this.#addMany.run(...due).changes) : 0;
    if (!isMany)
      for (let at = 0; at < due.length; at += ROW_VALUES) {
        const [name, tx, flags, expiresAt, hash] = due.slice(at, at + ROW_VALUES);
        added += Number(this.#add.run(name, tx, flags, expiresAt, hash).changes);
      }
    this.#keys += added;
    if (added * ROW_VALUES < due.length)
      for (let at = 0; at < due.length; at += ROW_VALUES) {
        const [name, tx, flags, expiresAt, hash] = due.slice(at, at + ROW_VALUES);
        this.#renew.run(tx, flags, expiresAt, hash, name, tx);
      }
    due.length = 0;
  }

  /** Takes a row of another index over, as it is. */
  take(name: Uint8Array, { tx, deleted, expiresAt, hValue, revision, previousTx }: LatestVersion): void {
    this.#begin();
    const flags = deleted ? DELETED : 0;
    this.#take.run(name, tx, flags, expiresAt ?? null, hValue, revision, previousTx);
    this.#keys++;
  }

  reached({ tx, alh }: Root): void {
    this.#begin();
    this.#flush();
    this.#reached.run(tx, alh, this.#keys);
    this.#db.exec('COMMIT');
    this.#inTransaction = false;
  }

  get(key: Uint8Array): LatestVersion | undefined {
    this.#flush();
    const row = this.#get.get(this.#nameOf(key)) as Columns | undefined;
    return row && versionOf(row);
  }

  peek(key: Uint8Array): LatestVersion | undefined {
    return this.get(key);
  }

  view(): RangeView {
    return new SqliteView(this.path);
  }

  /** All that was put, into a file of its own. */
  async copyTo(path: string): Promise<void> {
    this.#flush();
    rmSync(path, { force: true });
    await this.#db.backup(path);
    chmodSync(path, 0o600);
  }

  close(): void {
    if (!this.#db.open) return;
    this.#db.close();
    rmSync(dirname(this.path), { recursive: true, force: true });
  }

  #begin(): void {
    if (this.#inTransaction) return;
    this.#db.exec('BEGIN');
    this.#inTransaction = true;
  }
}

/** A connection of its own, which goes on reading what was there when it began. */
class SqliteView implements RangeView {
  readonly at: Root;
  readonly #db: Sqlite;

  constructor(path: string) {
    this.#db = openSqlite(path, { readonly: true, fileMustExist: true });
    this.#db.defaultSafeIntegers(true);
    this.#db.exec('BEGIN');
    const at = this.#db.prepare('SELECT tx, alh FROM reached').get() as Root | undefined;
    this.at = at ? { tx: at.tx, alh: new Uint8Array(at.alh) } : { tx: 0n, alh: EMPTY_HASH };
  }

  page({ desc = false, limit, from = NO_BYTES, to }: RangePage): RangeRow[] {
    const order = desc ? 'DESC' : 'ASC';
    const statement = this.#db.prepare(
      `SELECT ${COLUMNS} FROM latest${withinRange(to)} ORDER BY key ${order} LIMIT ?`,
    );
    const rows = (to ? statement.all(from, to, limit) : statement.all(from, limit)) as Columns[];
    return rows.map((row) => ({ key: new Uint8Array(row.key), ...versionOf(row) }));
  }

  brief({ limit, since, from = NO_BYTES, to }: BriefPage): BriefVersion[] {
    // As one text each: bytes and integers cost more than all else (measured).
    const text = `(flags & ${DELETED}) || length(key) || ' ' || lower(hex(hash) || hex(key)) || tx`;
    const wanted = since === undefined ? `(flags & ${DELETED}) = ?` : 'tx > ?';
    const where = `${withinRange(to)} AND ${wanted}`;
    const statement = this.#db.prepare(`SELECT ${text} FROM latest${where} ORDER BY key LIMIT ?`).pluck();
    const texts = (
      to ? statement.all(from, to, since ?? 0, limit) : statement.all(from, since ?? 0, limit)
    ) as string[];
    return texts.map((each) => {
      const hashAt = each.indexOf(' ') + 1;
      const keyAt = hashAt + 2 * HASH_SIZE;
      const txAt = keyAt + 2 * Number(each.slice(1, hashAt));
      const [key, tx] = [each.slice(keyAt, txAt), each.slice(txAt)];
      return { key, tx, hash: each.slice(hashAt, keyAt), deleted: each[0] !== '0' };
    });
  }

  count({ from = NO_BYTES, to }: KeyRange): bigint {
    const statement = this.#db.prepare(`SELECT count(*) FROM latest${withinRange(to)}`).pluck();
    return (to ? statement.get(from, to) : statement.get(from)) as bigint;
  }

  get(key: Uint8Array): LatestVersion | undefined {
    const row = this.#db.prepare(`SELECT ${COLUMNS} FROM latest WHERE key = ?`).get(key);
    return row === undefined ? undefined : versionOf(row as Columns);
  }

  close(): void {
    this.#db.close();
  }
}

function itself(key: Uint8Array): Uint8Array {
  return key;
}

function fileBytes(db: Sqlite): number {
  const [pages, size] = ['page_count', 'page_size'].map(
    (name) => db.pragma(name, { simple: true }) as bigint,
  );
  return Number((pages as bigint) * (size as bigint));
}

/** No key is less than no bytes. */
const NO_BYTES = new Uint8Array(0);

function withinRange(to: Uint8Array | undefined): string {
  return to ? ' WHERE key >= ? AND key < ?' : ' WHERE key >= ?';
}

function versionOf({ tx, flags, expiresAt, hash, revision, previous }: Columns): LatestVersion {
  return {
    tx,
    deleted: (Number(flags) & DELETED) !== 0,
    ...(expiresAt !== null && { expiresAt }),
    hValue: new Uint8Array(hash),
    revision,
    previousTx: previous,
  };
}
