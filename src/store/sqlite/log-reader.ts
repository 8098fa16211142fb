// Reads of the log over one connection. Every method but `begin` and `settled` requires a transaction in which `begin` was
// called, and rows are read where no recent ones are left behind: within `settled`.
import type Database from 'better-sqlite3';
import type { ArchiveInfo, Checkpoint, RootConflict } from '../audit-log.js';
import { HEAD_MOVES } from '../audit-query.js';
import type { AuditOutcome, AuditRow, Evidence, RootsQuery, StoredRoot, TrustKey } from '../audit-types.js';
import { parseCheckpoint } from '../checkpoint.js';
import type { StateAt } from '../log-state.js';
import { Clients } from './clients.js';
import { Hours } from './hours.js';
import { Kinds } from './kinds.js';
import type { Kind } from './kinds.js';
import { pageKeys } from './page-keys.js';
import type { LogRange } from './page-keys.js';
import { Recent } from './recent.js';
import { ROW_COLUMNS, copy, toEvidence, toRow } from './row-record.js';
import type { EvidenceRecord, RowRecord } from './row-record.js';
import { Statements } from './statements.js';
import { Zones } from './zones.js';

/** Rows fetched at a time; a page of rows without evidence is some hundred kilobytes. */
const PAGE_ROWS = 512;
/** A page ends early when its evidence gets longer than this: answers in it can be megabytes each. */
const PAGE_EVIDENCE_BYTES = 8 * 1024 * 1024;

/** What the first row of a log follows. `checkpoint`: what the rows before it added up to; null at the very start. */
export interface Base {
  readonly seq: bigint;
  readonly hash: Uint8Array;
  readonly checkpoint: Uint8Array | null;
}

export class LogReader {
  readonly #db: Database.Database;
  readonly storeId: Uint8Array;
  readonly statements: Statements;
  readonly kinds: Kinds;
  readonly clients: Clients;
  readonly zones: Zones;
  readonly hours: Hours;
  readonly recent: Recent;
  #dataVersion: bigint | undefined;
  #epoch = 0;

  constructor(db: Database.Database, storeId: Uint8Array) {
    this.#db = db;
    this.storeId = storeId;
    this.statements = new Statements(db);
    this.kinds = new Kinds(this.statements);
    this.clients = new Clients(this.statements);
    this.zones = new Zones(this.statements);
    this.hours = new Hours(this.statements, this.kinds, this.zones);
    this.recent = new Recent(this.statements, this.hours, this.zones);
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

  /** Runs `read` in a transaction of its own in which every row is where it is looked for. */
  settled<T>(read: () => T): T {
    // Nearly always nothing has to be moved, and then no other process can be in the way.
    const done = this.#db.transaction(() => {
      this.begin();
      return this.recent.isEmpty() ? { result: read() } : undefined;
    })();
    if (done) return done.result;
    try {
      return this.#db
        .transaction(() => {
          this.begin();
          this.recent.move();
          return read();
        })
        .immediate();
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  base(): Base {
    const sql = 'SELECT base_seq AS seq, base_hash AS hash, base_checkpoint AS checkpoint FROM store';
    return this.statements.get(sql).get() as Base;
  }

  /** The rows that the log has. */
  range(): LogRange {
    const low = (this.statements.get('SELECT base_seq FROM store').pluck().get() as bigint) + 1n;
    const newest = this.statements.get('SELECT max(seq) FROM audit').pluck().get() as bigint | null;
    return { low, high: newest !== null && newest >= low ? newest : low - 1n };
  }

  /** Seq of the newest row ever written. */
  rowsWritten(): bigint {
    return this.statements.get('SELECT rows FROM store').pluck().get() as bigint;
  }

  head(key: TrustKey): StoredRoot | null {
    const [kind] = this.kinds.ofLedger(key);
    if (!kind) return null;
    const sql = 'SELECT tx, alh FROM head WHERE ledger = ?';
    const row = this.statements.get(sql).get(kind.ledger) as StoredRoot | undefined;
    return row ? { tx: row.tx, alh: copy(row.alh) } : null;
  }

  identity(address: string): string | null {
    const sql = 'SELECT server FROM identity WHERE address = ?';
    return (this.statements.get(sql).pluck().get(address) as string | undefined) ?? null;
  }

  /** Heads and identities as they are held, in the order of the bytes of their names. */
  held(): StateAt {
    const heads = this.statements
      .get(
        `SELECT l.server, l.database, h.tx, h.alh FROM head h LEFT JOIN ledger l ON l.id = h.ledger
         ORDER BY l.server, l.database`,
      )
      .all() as { server: string | null; database: string | null; tx: bigint; alh: Uint8Array }[];
    return {
      heads: heads.map(({ server, database, tx, alh }) => ({
        server: server ?? '(unknown)',
        database: database ?? '(unknown)',
        tx,
        alh: copy(alh),
      })),
      identities: this.statements
        .get('SELECT address, server FROM identity ORDER BY address')
        .all() as StateAt['identities'],
    };
  }

  /** One page of rows behind `query.after` in the query's order. Empty: there are no more. */
  page(query: RootsQuery): AuditRow[] {
    const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
    const seqs = pageKeys(this, query, this.range(), limit);
    const find = this.statements.get(`SELECT ${ROW_COLUMNS} FROM audit a WHERE a.seq = ?`);
    const rows: AuditRow[] = [];
    let evidenceBytes = 0;
    for (const seq of seqs) {
      if (evidenceBytes > PAGE_EVIDENCE_BYTES) break;
      const row = this.#toRow(find.get(seq) as RowRecord, true);
      evidenceBytes += row.evidence?.job.length ?? 0;
      rows.push(row);
    }
    return rows;
  }

  row(seq: bigint): AuditRow | null {
    if (seq < this.range().low) return null;
    const record = this.statements.get(`SELECT ${ROW_COLUMNS} FROM audit a WHERE a.seq = ?`).get(seq) as
      RowRecord | undefined;
    return record ? this.#toRow(record, true) : null;
  }

  /** Rows from `seq` on as they stand, without their evidence: for walking the chain. */
  records(seq: bigint, last: bigint): RowRecord[] {
    return this.statements
      .get(
        `SELECT ${ROW_COLUMNS} FROM audit a NOT INDEXED WHERE a.seq BETWEEN ? AND ? ORDER BY a.seq LIMIT ?`,
      )
      .all(seq, last, PAGE_ROWS) as RowRecord[];
  }

  /** @throws StoreError STORE_DAMAGED when this is no row that was written */
  toPlainRow(record: RowRecord): AuditRow {
    return this.#toRow(record, false);
  }

  evidence(seq: bigint): Evidence | null {
    if (seq < this.range().low) return null;
    const sql = 'SELECT failed_check, expected, computed, job FROM evidence WHERE seq = ?';
    const record = this.statements.get(sql).get(seq) as EvidenceRecord | undefined;
    return record ? toEvidence(record) : null;
  }

  /** A row that evidence names but that does not name it; null when there is none. */
  strayEvidence(): bigint | null {
    const sql =
      'SELECT e.seq FROM evidence e LEFT JOIN audit a ON a.seq = e.seq WHERE a.evidence_hash IS NULL LIMIT 1';
    return (this.statements.get(sql).pluck().get() as bigint | undefined) ?? null;
  }

  latest(filter: Partial<TrustKey>): AuditRow | null {
    return this.row(this.#newestOf(this.kinds.matching({ ...filter, outcome: HEAD_MOVES })));
  }

  rootAt(tx: bigint, filter: Partial<TrustKey>): AuditRow | null {
    let found: { tx: bigint; seq: bigint } | undefined;
    for (const kind of this.kinds.matching({ ...filter, outcome: HEAD_MOVES })) {
      const root = this.#lastAtOrBelow(kind, tx);
      if (root && (!found || root.tx > found.tx || (root.tx === found.tx && root.seq > found.seq)))
        found = root;
    }
    return found ? this.row(found.seq) : null;
  }

  findConflict(root: TrustKey & StoredRoot): RootConflict | null {
    const { low } = this.range();
    const find = this.statements.get(
      `SELECT seq, tx, alh FROM audit INDEXED BY audit_by_tx WHERE kind = ? AND tx = ? AND seq >= ? AND alh <> ?
       ORDER BY seq DESC LIMIT 1`,
    );
    let newest: (StoredRoot & { seq: bigint }) | undefined;
    for (const { id } of this.#ofLedger(root, HEAD_MOVES)) {
      const row = find.get(id, root.tx, low, root.alh) as typeof newest;
      if (row && (!newest || row.seq > newest.seq)) newest = row;
    }
    if (!newest) return null;
    const { seq, tx, alh } = newest;
    return { seq, tx, alh: copy(alh), forgotten: this.newest(root, ['forget']) > seq };
  }

  /** Seq of the newest row of some outcomes in a database; 0 when there is none. */
  newest(key: TrustKey, outcomes: readonly AuditOutcome[]): bigint {
    return this.#newestOf(this.#ofLedger(key, outcomes));
  }

  /** Every database of the log. */
  ledgers(): TrustKey[] {
    return this.statements.get('SELECT server, database FROM ledger').all() as TrustKey[];
  }

  checkpoints(after: bigint | null, limit: number): Checkpoint[] {
    return this.#checkpoints('seq > ? AND seq >= ? ORDER BY seq, id LIMIT ?', [
      after ?? -1n,
      this.range().low - 1n,
      limit,
    ]);
  }

  /** @throws ArgumentError when the bytes of one are not a checkpoint's */
  checkpointsAt(seq: bigint): Checkpoint[] {
    return this.#checkpoints('seq = ? ORDER BY id', [seq]);
  }

  /** Rows in a range of which checkpoints are kept. */
  checkpointedSeqs(low: bigint, high: bigint): bigint[] {
    const sql = 'SELECT DISTINCT seq FROM checkpoint WHERE seq BETWEEN ? AND ?';
    return this.statements.get(sql).pluck().all(low, high) as bigint[];
  }

  /** Seq of a checkpoint that is kept of a row above `seq`; null when there is none. */
  checkpointBeyond(seq: bigint): bigint | null {
    const sql = 'SELECT seq FROM checkpoint WHERE seq > ? LIMIT 1';
    return (this.statements.get(sql).pluck().get(seq) as bigint | undefined) ?? null;
  }

  hashOf(seq: bigint): Uint8Array | null {
    const sql = 'SELECT hash FROM audit WHERE seq = ?';
    return (this.statements.get(sql).pluck().get(seq) as Uint8Array | undefined) ?? null;
  }

  /** What part of a log this is. */
  info(): Omit<ArchiveInfo, 'path' | 'archivedAt'> {
    const { seq, hash } = this.base();
    const { high } = this.range();
    const lastHash = this.hashOf(high) ?? hash;
    return { firstSeq: seq + 1n, lastSeq: high, startHash: copy(hash), lastHash: copy(lastHash) };
  }

  archives(): ArchiveInfo[] {
    const records = this.statements
      .get(
        `SELECT path, first_seq AS firstSeq, last_seq AS lastSeq, start_hash AS startHash, last_hash AS lastHash,
                archived_at AS archivedAt FROM archive ORDER BY first_seq`,
      )
      .all() as (Omit<ArchiveInfo, 'archivedAt'> & { archivedAt: bigint })[];
    return records.map((record) => ({
      ...record,
      startHash: copy(record.startHash),
      lastHash: copy(record.lastHash),
      archivedAt: Number(record.archivedAt),
    }));
  }

  /** Drops what was remembered of a transaction that was rolled back. */
  forget(): void {
    this.kinds.forget();
    this.clients.forget();
    this.recent.forget();
    this.#dataVersion = undefined;
  }

  #checkpoints(where: string, values: readonly unknown[]): Checkpoint[] {
    const records = this.statements
      .get(`SELECT bytes, signature, key_fingerprint FROM checkpoint WHERE ${where}`)
      .all(...values) as {
      bytes: Uint8Array;
      signature: Uint8Array | null;
      key_fingerprint: Uint8Array | null;
    }[];
    return records.map(({ bytes, signature, key_fingerprint }) =>
      parseCheckpoint(bytes, {
        ...(signature && { signature: copy(signature) }),
        ...(key_fingerprint && { keyFingerprint: copy(key_fingerprint) }),
      }),
    );
  }

  #ofLedger(key: TrustKey, outcomes: readonly AuditOutcome[]): Kind[] {
    return this.kinds.ofLedger(key).filter(({ outcome }) => outcomes.includes(outcome));
  }

  #newestOf(kinds: readonly Kind[]): bigint {
    const { low } = this.range();
    const newest = this.statements
      .get('SELECT max(seq) FROM audit INDEXED BY audit_by_kind WHERE kind = ?')
      .pluck();
    let found = 0n;
    for (const { id } of kinds) {
      const seq = (newest.get(id) as bigint | null) ?? 0n;
      if (seq >= low && seq > found) found = seq;
    }
    return found;
  }

  /** Since trust was last forgotten the roots of a database only go up: halving finds the last one that fits. */
  #lastAtOrBelow(kind: Kind, tx: bigint): { tx: bigint; seq: bigint } | undefined {
    const range = this.range();
    const forgotten = this.newest(kind, ['forget']);
    const first = forgotten >= range.low ? forgotten + 1n : range.low;
    const before = this.statements.get(
      `SELECT seq, tx FROM audit INDEXED BY audit_by_kind WHERE kind = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1`,
    );
    let found: { tx: bigint; seq: bigint } | undefined;
    for (let low = first, high = range.high; low <= high;) {
      const middle = (low + high) / 2n;
      const root = before.get(kind.id, low, middle) as typeof found;
      if (!root) {
        low = middle + 1n;
      } else if (root.tx <= tx) {
        found = root;
        low = middle + 1n;
      } else {
        high = root.seq - 1n;
      }
    }
    return found;
  }

  #toRow(record: RowRecord, withEvidence: boolean): AuditRow {
    let kind = this.kinds.get(record.kind);
    if (!kind) {
      this.kinds.refresh();
      kind = this.kinds.get(record.kind);
    }
    const evidence = withEvidence && record.evidence_hash ? this.evidence(record.seq) : null;
    return toRow(record, kind, this.clients.text(record.client), evidence);
  }
}
