// The store's reads and writes over one connection: heads, identities, and rows as they go in and come out.
import type Database from 'better-sqlite3';
import { HEAD_MOVES } from '../audit-query.js';
import { sameRoot } from '../audit-entry.js';
import { chainStart, evidenceHash, rowHash } from '../audit-row.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditOutcome,
  AuditRow,
  Evidence,
  RootsQuery,
  StoredRoot,
  TrustKey,
} from '../root-store.js';
import { planPage } from './page-plan.js';
import { SELECT_ROWS, copy, toEvidence, toRow } from './row-record.js';
import type { EvidenceRecord, RowRecord } from './row-record.js';
import { OUTCOME_CODES } from './schema.js';
import { Statements } from './statements.js';

/** Rows fetched at a time; a page of rows without evidence is some hundred kilobytes. */
const PAGE_ROWS = 512;
/** A page ends early when its evidence gets longer than this: answers in it can be megabytes each. */
const PAGE_EVIDENCE_BYTES = 8 * 1024 * 1024;
/** Names whose ids are remembered. */
const MAX_REMEMBERED = 4096;

export interface LedgerHead {
  readonly ledger: bigint;
  readonly database: string;
  readonly head: StoredRoot | null;
}

export class Queries {
  readonly statements: Statements;
  readonly #chainStart: Uint8Array;
  readonly #words = new Map<string, bigint>();
  readonly #ledgers = new Map<string, bigint>();

  constructor(db: Database.Database, storeId: Uint8Array) {
    this.statements = new Statements(db);
    this.#chainStart = chainStart(storeId);
  }

  head(key: TrustKey): StoredRoot | null {
    const row = this.#sql(
      'SELECT h.tx, h.alh FROM head h JOIN ledger l ON l.id = h.ledger WHERE l.server = ? AND l.database = ?',
    ).get(key.server, key.database) as StoredRoot | undefined;
    return row ? { tx: row.tx, alh: copy(row.alh) } : null;
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): AdvanceOutcome {
    const current = this.head(entry);
    if (!sameRoot(current, expected)) return { moved: false, current };
    this.append(entry);
    this.#sql(
      'INSERT INTO head (ledger, tx, alh) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tx = excluded.tx, alh = excluded.alh',
    ).run(this.#ledger(entry), entry.tx, entry.alh);
    return { moved: true };
  }

  forget(entry: AuditEntry): void {
    this.append(entry);
    this.#sql('DELETE FROM head WHERE ledger = ?').run(this.#ledger(entry));
  }

  /** Adds a row to the end of the chain. Requires a write transaction: another process may have written meanwhile. */
  append(entry: AuditEntry): void {
    const last = this.#sql('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get() as
      { seq: bigint; hash: Uint8Array } | undefined;
    const seq = (last?.seq ?? 0n) + 1n;
    const { evidence } = entry;
    const covered = evidence && evidenceHash(evidence);
    this.#sql(
      `INSERT INTO audit (seq, ledger, tx, alh, outcome, previous_tx, operation, calls, header_time, signature,
                          key_fingerprint, verified_at, duration_ms, client, detail, evidence_hash, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      seq,
      this.#ledger(entry),
      entry.tx,
      entry.alh,
      OUTCOME_CODES[entry.outcome],
      entry.previousTx,
      this.#word(entry.operation),
      entry.calls,
      entry.headerTime,
      entry.signature ?? null,
      entry.keyFingerprint ?? null,
      entry.verifiedAt,
      entry.durationMs,
      this.#word(entry.clientId),
      entry.detail ?? null,
      covered ?? null,
      rowHash(last?.hash ?? this.#chainStart, seq, entry, covered),
    );
    this.#sql('UPDATE store SET rows = ?').run(seq);
    if (!evidence) return;
    this.#sql('INSERT INTO evidence (seq, failed_check, expected, computed, job) VALUES (?, ?, ?, ?, ?)').run(
      seq,
      evidence.check,
      evidence.expected ?? null,
      evidence.computed ?? null,
      evidence.job,
    );
  }

  /** One page of rows behind `after` (null = from the start) in the query's order. Empty: there are no more. */
  page(query: RootsQuery, after: bigint | null): AuditRow[] {
    const plan = planPage(this.statements, query, after);
    if (!plan) return [];
    const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
    const records = this.#sql(plan.sql).all(...plan.values, limit) as RowRecord[];
    const rows: AuditRow[] = [];
    let evidenceBytes = 0;
    for (const record of records) {
      if (evidenceBytes > PAGE_EVIDENCE_BYTES) break;
      const evidence = record.evidence_hash ? this.evidence(record.seq) : null;
      evidenceBytes += evidence?.job.length ?? 0;
      rows.push(toRow(record, evidence));
    }
    return rows;
  }

  /** Rows from `seq` on as they stand, without their evidence: for walking the chain. */
  records(seq: bigint): RowRecord[] {
    const from = SELECT_ROWS.replace('%s', 'audit a NOT INDEXED');
    return this.#sql(`${from} WHERE a.seq >= ? ORDER BY a.seq LIMIT ?`).all(seq, PAGE_ROWS) as RowRecord[];
  }

  evidence(seq: bigint): Evidence | null {
    const record = this.#sql('SELECT failed_check, expected, computed, job FROM evidence WHERE seq = ?').get(
      seq,
    ) as EvidenceRecord | undefined;
    return record ? toEvidence(record) : null;
  }

  /** A row that evidence names but that does not name it; null when there is none. */
  strayEvidence(): bigint | null {
    const sql =
      'SELECT e.seq FROM evidence e LEFT JOIN audit a ON a.seq = e.seq WHERE a.evidence_hash IS NULL LIMIT 1';
    return (this.#sql(sql).pluck().get() as bigint | undefined) ?? null;
  }

  latest({ server, database }: Partial<TrustKey>): AuditRow | null {
    let newest = 0n;
    for (const ledger of this.#sql('SELECT id, server, database FROM ledger').all() as ({
      id: bigint;
    } & TrustKey)[]) {
      if (server !== undefined && ledger.server !== server) continue;
      if (database !== undefined && ledger.database !== database) continue;
      const seq = this.#newestSeq(ledger.id, HEAD_MOVES);
      if (seq > newest) newest = seq;
    }
    return newest === 0n ? null : this.#row(newest);
  }

  /** Newest row that set or dropped a database's head. */
  newestHeadRow(ledger: bigint): AuditRow | null {
    const seq = this.#newestSeq(ledger, [...HEAD_MOVES, 'forget']);
    return seq === 0n ? null : this.#row(seq);
  }

  /** Every database of the log, and every head. */
  *ledgerHeads(): IterableIterator<LedgerHead> {
    const sql = `
      SELECT l.id AS ledger, l.database, h.tx, h.alh FROM ledger l LEFT JOIN head h ON h.ledger = l.id
      UNION ALL
      SELECT ledger, '(unknown)', tx, alh FROM head WHERE ledger NOT IN (SELECT id FROM ledger)`;
    for (const { ledger, database, tx, alh } of this.#sql(sql).all() as {
      ledger: bigint;
      database: string;
      tx: bigint | null;
      alh: Uint8Array | null;
    }[]) {
      yield { ledger, database, head: tx === null || alh === null ? null : { tx, alh } };
    }
  }

  newestSeqOfAll(): bigint {
    return (this.#sql('SELECT max(seq) FROM audit').pluck().get() as bigint | null) ?? 0n;
  }

  /** How many rows have been written. */
  rowsWritten(): bigint {
    return this.#sql('SELECT rows FROM store').pluck().get() as bigint;
  }

  /** Hash that row `seq` follows. Null when the row before it is gone. */
  hashBefore(seq: bigint): Uint8Array | null {
    if (seq === 1n) return this.#chainStart;
    const hash = this.#sql('SELECT hash FROM audit WHERE seq = ?')
      .pluck()
      .get(seq - 1n);
    return (hash as Uint8Array | undefined) ?? null;
  }

  identity(address: string): string | null {
    const server = this.#sql('SELECT server FROM identity WHERE address = ?').pluck().get(address);
    return (server as string | undefined) ?? null;
  }

  bindIdentity(address: string, server: string): string {
    const sql = 'INSERT INTO identity (address, server) VALUES (?, ?) ON CONFLICT DO NOTHING';
    this.#sql(sql).run(address, server);
    return this.identity(address) ?? server;
  }

  rebindIdentity(address: string, server: string): void {
    this.#sql(
      'INSERT INTO identity (address, server) VALUES (?, ?) ON CONFLICT DO UPDATE SET server = excluded.server',
    ).run(address, server);
  }

  /** Ids looked up in a transaction that was rolled back do not exist. */
  forgetIds(): void {
    this.#words.clear();
    this.#ledgers.clear();
  }

  #row(seq: bigint): AuditRow | null {
    const from = SELECT_ROWS.replace('%s', 'audit a NOT INDEXED');
    const record = this.#sql(`${from} WHERE a.seq = ?`).get(seq) as RowRecord | undefined;
    return record ? toRow(record, record.evidence_hash ? this.evidence(seq) : null) : null;
  }

  #newestSeq(ledger: bigint, outcomes: readonly AuditOutcome[]): bigint {
    const newest = this.#sql('SELECT max(seq) FROM audit WHERE outcome = ? AND ledger = ?').pluck();
    return outcomes
      .map((outcome) => (newest.get(OUTCOME_CODES[outcome], ledger) as bigint | null) ?? 0n)
      .reduce((a, b) => (a > b ? a : b), 0n);
  }

  #ledger({ server, database }: TrustKey): bigint {
    return this.#id(this.#ledgers, JSON.stringify([server, database]), 'ledger', { server, database });
  }

  #word(text: string): bigint {
    return this.#id(this.#words, text, 'word', { text });
  }

  /** Id of a recurring text, which is written first when it is new. */
  #id(known: Map<string, bigint>, name: string, table: string, columns: Record<string, string>): bigint {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const names = Object.keys(columns);
    const values = Object.values(columns);
    const find = this.#sql(
      `SELECT id FROM ${table} WHERE ${names.map((column) => `${column} = ?`).join(' AND ')}`,
    ).pluck();
    let id = find.get(...values) as bigint | undefined;
    if (id === undefined) {
      const places = names.map(() => '?').join(', ');
      const insert = this.#sql(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`);
      id = BigInt(insert.run(...values).lastInsertRowid);
    }
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(name, id);
    return id;
  }

  #sql(text: string): Database.Statement {
    return this.statements.get(text);
  }
}
