// A ledger that survives a restart: one SQLite file in a directory, a row per transaction.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../errors.js';
import type { TxHeader } from '../../proof/types.js';
import { openSqlite } from '../../sqlite/open.js';
import type { Sqlite, SqliteStatement } from '../../sqlite/sqlite.js';
import type { EntrySpec } from './database.js';
import { newServerId } from './identity.js';
import { decodeEntries, decodeHeader, encodeEntries, encodeHeader } from '../wire/tx-codec.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS server (uuid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tx (
  database TEXT NOT NULL, id INTEGER NOT NULL, header BLOB NOT NULL, entries BLOB NOT NULL,
  PRIMARY KEY (database, id)
) WITHOUT ROWID;`;

interface TxRow {
  readonly header: Uint8Array;
  readonly entries: Uint8Array;
}

export class LedgerDisk {
  readonly #sqlite: Sqlite;
  readonly #insert: SqliteStatement;
  /** Identity of this ledger: made once, kept with the data. */
  readonly serverId: string;

  constructor(directory: string) {
    try {
      mkdirSync(directory, { recursive: true });
      this.#sqlite = openSqlite(join(directory, 'ledger.sqlite'), { timeout: 100 });
      this.#sqlite.pragma('locking_mode = EXCLUSIVE');
      this.#sqlite.pragma('journal_mode = WAL');
      this.#sqlite.pragma('synchronous = NORMAL');
      this.#sqlite.exec(SCHEMA);
      this.#insert = this.#sqlite.prepare('INSERT INTO tx VALUES (?, ?, ?, ?)');
      this.serverId = this.#identity();
    } catch (error) {
      throw new StoreError('STORE_FAILED', `the ledger in ${directory} cannot be opened`, { cause: error });
    }
  }

  append(database: string, header: TxHeader, entries: readonly EntrySpec[]): void {
    this.#insert.run(database, header.id, encodeHeader(header), encodeEntries(entries));
  }

  /** Transactions of a database in order. */
  *read(database: string): Generator<{ header: TxHeader; entries: EntrySpec[] }> {
    const rows = this.#sqlite
      .prepare('SELECT header, entries FROM tx WHERE database = ? ORDER BY id')
      .iterate(database) as Iterable<TxRow>;
    for (const row of rows) {
      try {
        yield { header: decodeHeader(row.header), entries: decodeEntries(row.entries) };
      } catch (error) {
        throw new StoreError('STORE_DAMAGED', `a transaction of ${database} cannot be read`, {
          cause: error,
        });
      }
    }
  }

  forget(database: string): void {
    this.#sqlite.prepare('DELETE FROM tx WHERE database = ?').run(database);
  }

  close(): void {
    this.#sqlite.close();
  }

  #identity(): string {
    const row = this.#sqlite.prepare('SELECT uuid FROM server').get() as { uuid: string } | undefined;
    if (row) return row.uuid;
    const uuid = newServerId();
    this.#sqlite.prepare('INSERT INTO server VALUES (?)').run(uuid);
    return uuid;
  }
}
