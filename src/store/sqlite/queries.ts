// The store's statements over one connection: heads, identities, and rows as they go in and come out.
import type Database from 'better-sqlite3';
import { equalBytes } from '../../proof/bytes.js';
import { assertEntry, chainStart, rowHash } from '../audit-row.js';
import { HEAD_MOVES, checkQuery, outcomesOf } from '../audit-query.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditOutcome,
  AuditRow,
  RootsQuery,
  StoredRoot,
  TrustKey,
} from '../root-store.js';

interface RowRecord {
  seq: bigint;
  server: string;
  database: string;
  tx: bigint;
  alh: Uint8Array;
  outcome: AuditOutcome;
  previous_tx: bigint | null;
  operation: string;
  calls: bigint;
  header_time: bigint;
  signature: Uint8Array | null;
  key_fingerprint: Uint8Array | null;
  verified_at: bigint;
  duration_ms: number;
  client: string;
  detail: string | null;
  hash: Uint8Array;
  failed_check: string | null;
  expected: string | null;
  computed: string | null;
  job: Uint8Array | null;
}

const SELECT_ROWS = `
  SELECT a.seq, l.server, l.database, a.tx, a.alh, o.text AS outcome, a.previous_tx, p.text AS operation, a.calls,
         a.header_time, a.signature, a.key_fingerprint, a.verified_at, a.duration_ms, c.text AS client, a.detail, a.hash,
         e.failed_check, e.expected, e.computed, e.job
  FROM audit a
  JOIN ledger l ON l.id = a.ledger
  JOIN word o ON o.id = a.outcome
  JOIN word p ON p.id = a.operation
  JOIN word c ON c.id = a.client
  LEFT JOIN evidence e ON e.seq = a.seq`;

/** Rows fetched at a time; a page of rows without evidence is some hundred kilobytes. */
const PAGE_ROWS = 512;

export class Queries {
  readonly #db: Database.Database;
  readonly #chainStart: Uint8Array;
  readonly #words = new Map<string, bigint>();
  readonly #ledgers = new Map<string, bigint>();
  readonly #statements = new Map<string, Database.Statement>();

  constructor(db: Database.Database, storeId: Uint8Array) {
    this.#db = db;
    this.#chainStart = chainStart(storeId);
  }

  head(key: TrustKey): StoredRoot | null {
    const row = this.#sql(
      `
      SELECT h.tx, h.alh FROM head h JOIN ledger l ON l.id = h.ledger WHERE l.server = ? AND l.database = ?`,
    ).get(key.server, key.database) as { tx: bigint; alh: Uint8Array } | undefined;
    return row ? { tx: row.tx, alh: Uint8Array.from(row.alh) } : null;
  }

  heads(): (StoredRoot & TrustKey)[] {
    const rows = this.#sql(
      'SELECT l.server, l.database, h.tx, h.alh FROM head h JOIN ledger l ON l.id = h.ledger',
    ).all() as (StoredRoot & TrustKey)[];
    return rows.map((row) => ({ ...row, alh: Uint8Array.from(row.alh) }));
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): AdvanceOutcome {
    const current = this.head(entry);
    const same =
      current && expected
        ? current.tx === expected.tx && equalBytes(current.alh, expected.alh)
        : current === expected;
    if (!same) return { moved: false, current };
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
    assertEntry(entry);
    const last = this.#sql('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get() as
      { seq: bigint; hash: Uint8Array } | undefined;
    const seq = (last?.seq ?? 0n) + 1n;
    const { evidence } = entry;
    this.#sql(
      `
      INSERT INTO audit (seq, ledger, tx, alh, outcome, previous_tx, operation, calls, header_time, signature,
                         key_fingerprint, verified_at, duration_ms, client, detail, hash)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      seq,
      this.#ledger(entry),
      entry.tx,
      entry.alh,
      this.#word(entry.outcome),
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
      rowHash(last?.hash ?? this.#chainStart, seq, entry),
    );
    if (!evidence) return;
    this.#sql('INSERT INTO evidence (seq, failed_check, expected, computed, job) VALUES (?, ?, ?, ?, ?)').run(
      seq,
      evidence.check,
      evidence.expected ?? null,
      evidence.computed ?? null,
      evidence.job,
    );
  }

  /** One page of rows behind `after` (null = from the start) in the query's order. */
  page(query: RootsQuery, after: bigint | null): AuditRow[] {
    checkQuery(query);
    const { where, values } = conditions(query, after);
    const order = query.order === 'desc' ? 'DESC' : 'ASC';
    const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
    const sql = `${SELECT_ROWS} ${where} ORDER BY a.seq ${order} LIMIT ?`;
    return (this.#sql(sql).all(...values, limit) as RowRecord[]).map(toRow);
  }

  latest(filter: Partial<TrustKey>): AuditRow | null {
    return this.page({ ...filter, outcome: HEAD_MOVES, order: 'desc', limit: 1 }, null)[0] ?? null;
  }

  /** Newest rows that set or dropped a database's head. */
  lastHeadRow(key: TrustKey): AuditRow | null {
    return (
      this.page({ ...key, outcome: [...HEAD_MOVES, 'forget'], order: 'desc', limit: 1 }, null)[0] ?? null
    );
  }

  /** Hash that row `seq` follows. Null when the row before it is gone. */
  hashBefore(seq: bigint): Uint8Array | null {
    if (seq === 1n) return this.#chainStart;
    return (
      (this.#sql('SELECT hash FROM audit WHERE seq = ?')
        .pluck()
        .get(seq - 1n) as Uint8Array | undefined) ?? null
    );
  }

  identity(address: string): string | null {
    return (
      (this.#sql('SELECT server FROM identity WHERE address = ?').pluck().get(address) as
        string | undefined) ?? null
    );
  }

  bindIdentity(address: string, server: string): string {
    this.#sql('INSERT INTO identity (address, server) VALUES (?, ?) ON CONFLICT DO NOTHING').run(
      address,
      server,
    );
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

  #ledger({ server, database }: TrustKey): bigint {
    const name = JSON.stringify([server, database]);
    const known = this.#ledgers.get(name);
    if (known !== undefined) return known;
    this.#sql('INSERT INTO ledger (server, database) VALUES (?, ?) ON CONFLICT DO NOTHING').run(
      server,
      database,
    );
    const id = this.#sql('SELECT id FROM ledger WHERE server = ? AND database = ?')
      .pluck()
      .get(server, database) as bigint;
    this.#ledgers.set(name, id);
    return id;
  }

  #word(text: string): bigint {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    this.#sql('INSERT INTO word (text) VALUES (?) ON CONFLICT DO NOTHING').run(text);
    const id = this.#sql('SELECT id FROM word WHERE text = ?').pluck().get(text) as bigint;
    this.#words.set(text, id);
    return id;
  }

  #sql(text: string): Database.Statement {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

function conditions(query: RootsQuery, after: bigint | null): { where: string; values: unknown[] } {
  const parts: string[] = [];
  const values: unknown[] = [];
  const and = (sql: string, ...given: unknown[]) => {
    parts.push(sql);
    values.push(...given);
  };
  const { server, database, operation, txRange, timeRange } = query;
  if (server !== undefined || database !== undefined) {
    const named = [server !== undefined && 'server = ?', database !== undefined && 'database = ?'].filter(
      Boolean,
    );
    and(
      `a.ledger IN (SELECT id FROM ledger WHERE ${named.join(' AND ')})`,
      ...[server, database].filter((v) => v !== undefined),
    );
  }
  if (operation !== undefined) and('a.operation = (SELECT id FROM word WHERE text = ?)', operation);
  const outcomes = outcomesOf(query);
  if (outcomes.length > 0) {
    and(
      `a.outcome IN (SELECT id FROM word WHERE text IN (${outcomes.map(() => '?').join(', ')}))`,
      ...outcomes,
    );
  }
  if (txRange?.from !== undefined) and('a.tx >= ?', txRange.from);
  if (txRange?.to !== undefined) and('a.tx <= ?', txRange.to);
  if (timeRange?.from !== undefined) and('a.verified_at >= ?', timeRange.from);
  if (timeRange?.to !== undefined) and('a.verified_at <= ?', timeRange.to);
  if (after !== null) and(query.order === 'desc' ? 'a.seq < ?' : 'a.seq > ?', after);
  return { where: parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : '', values };
}

function toRow(record: RowRecord): AuditRow {
  const { job, failed_check: check, expected, computed } = record;
  return {
    seq: record.seq,
    server: record.server,
    database: record.database,
    tx: record.tx,
    alh: Uint8Array.from(record.alh),
    outcome: record.outcome,
    previousTx: record.previous_tx,
    operation: record.operation,
    calls: Number(record.calls),
    headerTime: record.header_time,
    ...(record.signature && { signature: Uint8Array.from(record.signature) }),
    ...(record.key_fingerprint && { keyFingerprint: Uint8Array.from(record.key_fingerprint) }),
    verifiedAt: Number(record.verified_at),
    durationMs: record.duration_ms,
    clientId: record.client,
    ...(record.detail !== null && { detail: record.detail }),
    ...(job &&
      check !== null && {
        evidence: {
          check,
          ...(expected !== null && { expected }),
          ...(computed !== null && { computed }),
          job: Uint8Array.from(job),
        },
      }),
    hash: Uint8Array.from(record.hash),
  };
}
