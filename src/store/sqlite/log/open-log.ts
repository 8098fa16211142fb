// A log that is open over one connection: its tables, where it begins and ends, and transactions in which every row is found.
// Every method but `begin`, `settled` and `settle` requires a transaction in which `begin` was called. Rows are read by rows.ts and
// roots.ts, written by log-writer.ts.
import { isSqliteError } from '../../../sqlite/sqlite.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import type { Damage } from '../file/damage.js';
import { Archives } from '../tables/archives.js';
import { Clients } from '../tables/clients.js';
import { EvidenceTable } from '../tables/evidence-table.js';
import { HeaderBlocks } from '../tables/header-blocks.js';
import { Held } from '../tables/held.js';
import { Hours } from '../tables/hours.js';
import { KeptCheckpoints } from '../tables/kept-checkpoints.js';
import { Kinds } from '../tables/kinds.js';
import { Recent } from '../tables/recent.js';
import { SETTLED, UNITED } from '../tables/row-tables.js';
import type { RowTables } from '../tables/row-tables.js';
import { Statements } from '../tables/statements.js';
import { Zones } from '../tables/zones.js';
import type { LogRange } from './page-keys.js';

/** What the first row of a log follows. `checkpoint`: what the rows before it added up to; null at the very start. */
export interface Base {
  readonly seq: bigint;
  readonly hash: Uint8Array;
  readonly checkpoint: Uint8Array | null;
}

export class OpenLog {
  readonly #db: Sqlite;
  readonly storeId: Uint8Array;
  readonly statements: Statements;
  readonly kinds: Kinds;
  readonly clients: Clients;
  readonly zones: Zones;
  readonly hours: Hours;
  readonly headerBlocks: HeaderBlocks;
  readonly recent: Recent;
  readonly keptCheckpoints: KeptCheckpoints;
  readonly evidenceTable: EvidenceTable;
  readonly held: Held;
  readonly archives: Archives;
  /** Set for a log that is only looked at: what is broken in it, and rows that cannot be read are left out and noted here. */
  readonly damage: Damage | undefined;
  #tables = SETTLED;
  #dataVersion: bigint | undefined;
  #epoch = 0;

  constructor(db: Sqlite, storeId: Uint8Array, damage?: Damage) {
    this.#db = db;
    this.storeId = storeId;
    this.damage = damage;
    this.statements = new Statements(db);
    this.kinds = new Kinds(this.statements);
    this.clients = new Clients(this.statements);
    this.zones = new Zones(this.statements);
    this.hours = new Hours(this.statements, this.kinds, this.zones);
    this.headerBlocks = new HeaderBlocks(this.statements, this.kinds);
    this.recent = new Recent(this.statements, this.hours, this.zones);
    this.keptCheckpoints = new KeptCheckpoints(this.statements);
    this.evidenceTable = new EvidenceTable(this.statements);
    this.held = new Held(this.statements);
    this.archives = new Archives(this.statements);
  }

  /** Takes up what other connections have written. */
  begin(): void {
    const version = this.statements.get('PRAGMA data_version').pluck().get() as bigint;
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    this.#epoch += 1;
    this.recent.forget();
    this.kinds.refresh();
  }

  /** Another number: what was remembered of the tables may no longer hold. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Where rows are read from. */
  get tables(): RowTables {
    return this.#tables;
  }

  /** Runs `read`, once, in a transaction of its own in which it finds every row. */
  settled<T>(read: () => T): T {
    // Nearly always nothing has to be moved.
    const done = this.#db.transaction(() => {
      this.begin();
      return this.recent.isEmpty() ? { result: read() } : undefined;
    })();
    if (done) return done.result;
    this.settle();
    try {
      return this.#db.transaction(() => {
        this.begin();
        if (!this.recent.isEmpty()) this.#tables = UNITED;
        return read();
      })();
    } finally {
      this.#tables = SETTLED;
    }
  }

  /** Moves recent rows to where they are found, if that can be done here and at once. */
  settle(): void {
    if (this.#db.readonly) return;
    try {
      // Not IMMEDIATE: a transaction that has read before it writes waits for no lock.
      this.#db.transaction(() => {
        this.begin();
        this.recent.move();
      })();
    } catch (error) {
      this.forget();
      // A lock, a full disk, a row that is there already: no reason not to show what is there.
      if (!isSqliteError(error)) throw error;
    }
  }

  base(): Base {
    const sql = 'SELECT base_seq AS seq, base_hash AS hash, base_checkpoint AS checkpoint FROM store';
    return this.statements.get(sql).get() as Base;
  }

  /** The rows that the log has. */
  range(): LogRange {
    const low = (this.statements.get('SELECT base_seq FROM store').pluck().get() as bigint) + 1n;
    const newestOf = (table: string) =>
      this.statements.get(`SELECT max(seq) FROM ${table}`).pluck().get() as bigint | null;
    const notBelow = (seq: bigint, newest: bigint | null) => (newest !== null && newest > seq ? newest : seq);
    const zoned = notBelow(low - 1n, newestOf('audit'));
    return { low, high: this.#tables === UNITED ? notBelow(zoned, newestOf('recent')) : zoned, zoned };
  }

  /** Seq of the newest row ever written. */
  rowsWritten(): bigint {
    return this.statements.get('SELECT rows FROM store').pluck().get() as bigint;
  }

  /** Drops what was remembered of a transaction that was rolled back. */
  forget(): void {
    this.kinds.forget();
    this.clients.forget();
    this.recent.forget();
    this.#dataVersion = undefined;
  }
}
