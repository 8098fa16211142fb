// The file of a mirror: whose it is, which root it is as of, and who writes it. What is written in one go is there whole, or not at all.
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { StoreError } from '../../../errors.js';
import { openSqlite } from '../../../sqlite/open.js';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import type { TrustKey } from '../../../store/root-store.js';
import type { Root } from '../../../verify/verifier.js';
import { hashOfFile } from '../../trust/latest/index-file.js';
import { MirrorTables, TABLES_SCHEMA, quoted } from './mirror-tables.js';

/** `immM`: says what the file is. */
const APPLICATION_ID = 0x69_6d_6d_4d;
/** Of what is in it: a mirror of another version is written anew. */
const FORMAT = 2;

const SCHEMA = `
  CREATE TABLE _immu_mirror (only INTEGER PRIMARY KEY CHECK (only = 1), server TEXT NOT NULL, database TEXT NOT NULL,
    tx INTEGER NOT NULL, alh BLOB NOT NULL, writer TEXT NOT NULL);${TABLES_SCHEMA}`;

/** Another one that writes may be in this thread, and goes on only when this one does not wait. */
const BUSY_MS = 250;

/** What a mirror before has left. `why`: it is not gone on with. */
export type Left = { readonly at: Root } | { readonly why: string };

export class MirrorFile {
  readonly path: string;
  readonly tables: MirrorTables;
  /** There was none. */
  readonly isNew: boolean;
  readonly #db: Sqlite;
  readonly #owner: TrustKey;
  readonly #writer = randomUUID();

  /** @throws StoreError STORE_FOREIGN when the file is none of a mirror of this database */
  constructor(path: string, owner: TrustKey) {
    this.path = path;
    this.#owner = owner;
    this.isNew = !existsSync(path);
    this.#db = openSqlite(path, { timeout: BUSY_MS });
    this.tables = new MirrorTables(this.#db);
    try {
      if (this.isNew) chmodSync(path, 0o600);
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

  /**
   * Takes over what a mirror before has left, if it is, to the last bit, what it wrote: `isSeal` knows the SHA-256 of the file. From then
   * on only this one may write it.
   */
  async takeOver(isSeal: (seal: string) => Promise<boolean>): Promise<Left> {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      return { why: 'it is being written' };
    }
    try {
      const seal = await this.#sealNow();
      if (seal === undefined || !(await isSeal(seal)))
        return { why: 'it is not as a mirror that ended by close() has left it' };
      if (Number(this.#db.pragma('user_version', { simple: true })) !== FORMAT)
        return { why: 'it was written by another version' };
      const at = this.#db.prepare('SELECT tx, alh FROM _immu_mirror').get() as Root | undefined;
      if (!at) return { why: 'nothing was in it' };
      this.#db.prepare('UPDATE _immu_mirror SET writer = ?').run(this.#writer);
      this.tables.beginFrom();
      this.#db.exec('COMMIT');
      return { at: { tx: at.tx, alh: new Uint8Array(at.alh) } };
    } finally {
      this.rollback();
    }
  }

  /** SHA-256 of the file. Undefined: not all that was written is in it. Requires that nobody can write. */
  async #sealNow(): Promise<string | undefined> {
    const log = statSync(`${this.path}-wal`, { throwIfNoEntry: false });
    return log !== undefined && log.size > 0 ? undefined : hashOfFile(this.path);
  }

  /** What the next one knows the file by, if it is not written any more. Undefined: others read it, so that it is not whole. */
  async seal(): Promise<string | undefined> {
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
      this.begin();
      return await this.#sealNow();
    } catch (error) {
      if (isSqliteError(error) || error instanceof StoreError) return undefined;
      throw error;
    } finally {
      this.rollback();
    }
  }

  /** Begins to write all of it anew; to be ended by {@link commit} or {@link rollback}. Who reads sees what was there before. */
  beginAnew(): void {
    this.#db.exec('BEGIN IMMEDIATE');
    this.#assertOurs();
    for (const { type, name } of this.#allNames()) {
      // Indexes go with their tables.
      if (type === 'table') this.#db.exec(`DROP TABLE IF EXISTS ${quoted(name)}`);
      else if (type === 'view') this.#db.exec(`DROP VIEW IF EXISTS ${quoted(name)}`);
    }
    this.#db.exec(SCHEMA);
    this.#db.pragma(`application_id = ${APPLICATION_ID}`);
    this.#db.pragma(`user_version = ${FORMAT}`);
    this.tables.beginEmpty();
  }

  /** Begins to write what has changed. @throws StoreError STORE_FAILED when another one has written to the file */
  begin(): void {
    this.#db.exec('BEGIN IMMEDIATE');
    this.tables.begun();
    const writer = this.#db.prepare('SELECT writer FROM _immu_mirror').pluck().get();
    if (writer === this.#writer) return;
    throw new StoreError('STORE_FAILED', `the mirror at ${this.path} is written by another one now`);
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
      this.tables.undone();
    } catch {
      // A full disk, say, has undone all of it already; or nothing was begun.
    }
  }

  close(): void {
    if (this.#db.open) this.#db.close();
  }
}
