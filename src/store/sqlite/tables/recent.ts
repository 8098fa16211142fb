// The newest rows of the log. A row that is written goes to the end of one table, which costs a commit few pages, however
// many databases its rows are of. Once there are many they move on together: into the log, its indexes, zones and hours,
// where each page is then written once for all of them. Whoever reads the log has them moved first.
import type { AuditEntry } from '../../audit-types.js';
import type { Hours } from './hours.js';
import { COLUMNS } from '../log/row-record.js';
import type { Statements } from './statements.js';
import type { Zones } from './zones.js';

/**
 * So many rows are moved together. The more, the less each costs, and the longer the commit takes that moves them: with
 * 190 kinds of rows 64 at a time cost 10 µs each, 1024 4.4, 4096 3.3 or 14 ms in one commit, and 8192 3.0 (measured).
 */
const MOVED_ROWS = 4096n;

const ADD = `INSERT INTO recent (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const MOVE = `INSERT INTO audit (${COLUMNS}) SELECT ${COLUMNS} FROM recent ORDER BY seq`;

/** What a row has besides its entry. */
export interface RowPlace {
  readonly seq: bigint;
  readonly kind: bigint;
  readonly client: bigint | string;
  readonly evidenceHash: Uint8Array | undefined;
  readonly hash: Uint8Array;
}

/** Every method requires a transaction, a write transaction where rows are written or moved. */
export class Recent {
  readonly #statements: Statements;
  readonly #hours: Hours;
  readonly #zones: Zones;
  /** Seq of the oldest row here; null: there is none; undefined: it is not known. */
  #first: bigint | null | undefined;
  #isThere = false;

  constructor(statements: Statements, hours: Hours, zones: Zones) {
    this.#statements = statements;
    this.#hours = hours;
    this.#zones = zones;
  }

  isEmpty(): boolean {
    return this.#oldest() === null;
  }

  /** Appends the next row. */
  add(entry: AuditEntry, { seq, kind, client, evidenceHash, hash }: RowPlace): void {
    const isFirst = this.#oldest() === null;
    this.#statements
      .get(ADD)
      .run(
        seq,
        kind,
        entry.tx,
        entry.alh,
        entry.previousTx,
        entry.calls,
        entry.headerTime,
        entry.signature ?? null,
        entry.keyFingerprint ?? null,
        entry.verifiedAt,
        entry.durationMs,
        client,
        entry.detail ?? null,
        evidenceHash ?? null,
        hash,
      );
    if (isFirst) this.#first = seq;
  }

  /** Moves the rows once they are many. `newest` is the seq of the last one. */
  moveIfMany(newest: bigint): void {
    const first = this.#oldest();
    if (first !== null && newest - first >= MOVED_ROWS - 1n) this.move();
  }

  /** Moves all rows to where they are found. */
  move(): void {
    const first = this.#oldest();
    if (first === null) return;
    const newest = this.#statements.get('SELECT max(seq) FROM recent').pluck().get() as bigint;
    this.#hours.addRecent();
    this.#statements.get(MOVE).run();
    this.#statements.get('DELETE FROM recent').run();
    this.#zones.filled(first, newest);
    this.#first = null;
  }

  /** Another connection may have moved the rows, or a transaction was undone. */
  forget(): void {
    this.#first = undefined;
  }

  #oldest(): bigint | null {
    if (this.#first === undefined) {
      this.#first = this.#hasTable()
        ? (this.#statements.get('SELECT min(seq) FROM recent').pluck().get() as bigint | null)
        : null;
    }
    return this.#first;
  }

  /** An archive or a store that is only looked at may be of an older release, and the store be brought up to date meanwhile. */
  #hasTable(): boolean {
    const sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'recent'";
    this.#isThere ||= this.#statements.get(sql).get() !== undefined;
    return this.#isThere;
  }
}
