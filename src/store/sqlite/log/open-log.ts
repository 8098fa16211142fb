// Reads of the log over one connection. Every method but `begin` and `settled` requires a transaction in which `begin` was
// called, and rows are read where every one is found: within `settled`.
import Database from 'better-sqlite3';
import { StoreError } from '../../../errors.js';
import type { ArchiveInfo, RootConflict } from '../../audit-log.js';
import { HEAD_MOVES } from '../../log/audit-query.js';
import type {
  AuditOutcome,
  AuditRow,
  Evidence,
  RootsQuery,
  StoredRoot,
  TrustKey,
} from '../../audit-types.js';
import type { StateAt } from '../../log/log-state.js';
import { Clients } from '../tables/clients.js';
import type { Damage } from '../file/damage.js';
import { EvidenceTable } from '../tables/evidence-table.js';
import { HeaderBlocks } from '../tables/header-blocks.js';
import { Hours } from '../tables/hours.js';
import { Kinds } from '../tables/kinds.js';
import type { Kind } from '../tables/kinds.js';
import { KeptCheckpoints } from '../tables/kept-checkpoints.js';
import { pageKeys } from './page-keys.js';
import type { LogRange } from './page-keys.js';
import { Recent } from '../tables/recent.js';
import { ROW_COLUMNS, copy, toRow } from './row-record.js';
import type { RowRecord } from './row-record.js';
import { SETTLED, UNITED } from '../tables/row-tables.js';
import type { RowTables } from '../tables/row-tables.js';
import { Statements } from '../tables/statements.js';
import { Zones } from '../tables/zones.js';

const { SqliteError } = Database;

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

export class OpenLog {
  readonly #db: Database.Database;
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
  /** Set for a log that is only looked at: what is broken in it, and rows that cannot be read are left out and noted here. */
  readonly damage: Damage | undefined;
  #tables = SETTLED;
  #dataVersion: bigint | undefined;
  #epoch = 0;

  constructor(db: Database.Database, storeId: Uint8Array, damage?: Damage) {
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
      if (!(error instanceof SqliteError)) throw error;
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
    for (let at = query; ;) {
      const seqs = pageKeys(this, at, this.range(), limit);
      const rows = this.#rowsAt(seqs);
      const last = seqs.at(-1);
      if (rows.length > 0 || last === undefined) return rows;
      // None of them could be read.
      at = { ...at, after: last };
    }
  }

  #rowsAt(seqs: readonly bigint[]): AuditRow[] {
    const find = this.statements.get(this.#rowSql());
    const rows: AuditRow[] = [];
    let evidenceBytes = 0;
    for (const seq of seqs) {
      if (evidenceBytes > PAGE_EVIDENCE_BYTES) break;
      const row = this.#readable(find.get(seq) as RowRecord);
      if (!row) continue;
      evidenceBytes += row.evidence?.job.length ?? 0;
      rows.push(row);
    }
    return rows;
  }

  row(seq: bigint): AuditRow | null {
    if (seq < this.range().low) return null;
    const record = this.statements.get(this.#rowSql()).get(seq) as RowRecord | undefined;
    return record ? this.#toRow(record, true) : null;
  }

  /** Rows from `seq` on as they stand, without their evidence: for walking the chain. */
  records(seq: bigint, last: bigint): RowRecord[] {
    return this.statements
      .get(
        `SELECT ${ROW_COLUMNS} FROM ${this.#tables.rows} WHERE a.seq BETWEEN ? AND ? ORDER BY a.seq LIMIT ?`,
      )
      .all(seq, last, PAGE_ROWS) as RowRecord[];
  }

  /** @throws StoreError STORE_DAMAGED when this is no row that was written */
  toPlainRow(record: RowRecord): AuditRow {
    return this.#toRow(record, false);
  }

  evidence(seq: bigint): Evidence | null {
    if (seq < this.range().low) return null;
    return this.evidenceTable.read(seq);
  }

  /** A row that evidence names but that does not name it; null when there is none. Recent rows have no evidence. */
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
      `SELECT a.seq, a.tx, a.alh FROM ${this.#tables.rowsByTx}
       WHERE a.kind = ? AND a.tx = ? AND a.seq >= ? AND a.alh <> ? ORDER BY a.seq DESC LIMIT 1`,
    );
    let newest: (StoredRoot & { seq: bigint }) | undefined;
    for (const { id } of this.#ofLedger(root, HEAD_MOVES)) {
      const row = find.get(id, root.tx, low, root.alh) as typeof newest;
      if (row && (!newest || row.seq > newest.seq)) newest = row;
    }
    if (!newest) return null;
    const { seq, tx, alh } = newest;
    const row = this.row(seq);
    const { operation = '', clientId = '', verifiedAt = 0 } = row ?? {};
    const forgotten = this.newest(root, ['forget']) > seq;
    return { seq, tx, alh: copy(alh), operation, clientId, verifiedAt, forgotten };
  }

  /** Seq of the newest row of some outcomes in a database; 0 when there is none. */
  newest(key: TrustKey, outcomes: readonly AuditOutcome[]): bigint {
    return this.#newestOf(this.#ofLedger(key, outcomes));
  }

  /** Every database of the log. */
  ledgers(): TrustKey[] {
    return this.statements.get('SELECT server, database FROM ledger').all() as TrustKey[];
  }

  hashOf(seq: bigint): Uint8Array | null {
    const sql = `SELECT a.hash FROM ${this.#tables.rows} WHERE a.seq = ?`;
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

  #ofLedger(key: TrustKey, outcomes: readonly AuditOutcome[]): Kind[] {
    return this.kinds.ofLedger(key).filter(({ outcome }) => outcomes.includes(outcome));
  }

  #newestOf(kinds: readonly Kind[]): bigint {
    const { low } = this.range();
    const newest = this.statements
      .get(`SELECT a.seq FROM ${this.#tables.rowsByKind} WHERE a.kind = ? ORDER BY a.seq DESC LIMIT 1`)
      .pluck();
    let found = 0n;
    for (const { id } of kinds) {
      const seq = (newest.get(id) as bigint | undefined) ?? 0n;
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
      `SELECT a.seq, a.tx FROM ${this.#tables.rowsByKind} WHERE a.kind = ? AND a.seq BETWEEN ? AND ?
       ORDER BY a.seq DESC LIMIT 1`,
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

  #rowSql(): string {
    return `SELECT ${ROW_COLUMNS} FROM ${this.#tables.rows} WHERE a.seq = ?`;
  }

  /** Undefined for a row that cannot be read, where that is no reason to end. */
  #readable(record: RowRecord): AuditRow | undefined {
    try {
      return this.#toRow(record, true);
    } catch (error) {
      if (!this.damage || !(error instanceof StoreError)) throw error;
      this.damage.note(record.seq, 'the row cannot be read: it is left out');
      return undefined;
    }
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
