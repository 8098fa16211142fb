// Rows of a log, read. Everything here requires a transaction in which `begin` was called, and finds every row within `settled`.
import { StoreError } from '../../../errors.js';
import type { ArchiveInfo } from '../../audit-log.js';
import type { AuditRow, Evidence, RootsQuery } from '../../audit-types.js';
import type { OpenLog } from './open-log.js';
import { pageKeys } from './page-keys.js';
import { ROW_COLUMNS, copy, toRow } from './row-record.js';
import type { RowRecord } from './row-record.js';

/** Rows fetched at a time; a page of rows without evidence is some hundred kilobytes. */
const PAGE_ROWS = 512;
/** A page ends early when its evidence gets longer than this: answers in it can be megabytes each. */
const PAGE_EVIDENCE_BYTES = 8 * 1024 * 1024;

/** One page of rows behind `query.after` in the query's order. Empty: there are no more. */
export function pageOf(log: OpenLog, query: RootsQuery): AuditRow[] {
  const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
  for (let at = query; ;) {
    const seqs = pageKeys(log, at, log.range(), limit);
    const rows = readableRows(log, seqs);
    const last = seqs.at(-1);
    if (rows.length > 0 || last === undefined) return rows;
    // None of them could be read.
    at = { ...at, after: last };
  }
}

function readableRows(log: OpenLog, seqs: readonly bigint[]): AuditRow[] {
  const find = rowStatement(log);
  const rows: AuditRow[] = [];
  let evidenceBytes = 0;
  for (const seq of seqs) {
    if (evidenceBytes > PAGE_EVIDENCE_BYTES) break;
    const row = readableRow(log, find.get(seq) as RowRecord);
    if (!row) continue;
    evidenceBytes += row.evidence?.job.length ?? 0;
    rows.push(row);
  }
  return rows;
}

/** @throws StoreError STORE_DAMAGED when this is no row that was written */
export function rowAt(log: OpenLog, seq: bigint): AuditRow | null {
  if (seq < log.range().low) return null;
  const record = rowStatement(log).get(seq) as RowRecord | undefined;
  return record ? wholeRow(log, record) : null;
}

export function evidenceAt(log: OpenLog, seq: bigint): Evidence | null {
  return seq < log.range().low ? null : log.evidenceTable.read(seq);
}

export function hashAt(log: OpenLog, seq: bigint): Uint8Array | null {
  const sql = `SELECT a.hash FROM ${log.tables.rows} WHERE a.seq = ?`;
  return (log.statements.get(sql).pluck().get(seq) as Uint8Array | undefined) ?? null;
}

/** Rows from `seq` on as they stand, without their evidence: for walking the chain. */
export function recordsFrom(log: OpenLog, seq: bigint, last: bigint): RowRecord[] {
  const sql = `SELECT ${ROW_COLUMNS} FROM ${log.tables.rows} WHERE a.seq BETWEEN ? AND ? ORDER BY a.seq LIMIT ?`;
  return log.statements.get(sql).all(seq, last, PAGE_ROWS) as RowRecord[];
}

/** A row without its evidence. @throws StoreError STORE_DAMAGED when this is no row that was written */
export function plainRow(log: OpenLog, record: RowRecord, evidence: Evidence | null = null): AuditRow {
  let kind = log.kinds.get(record.kind);
  if (!kind) {
    log.kinds.refresh();
    kind = log.kinds.get(record.kind);
  }
  return toRow(record, kind, log.clients.text(record.client), evidence);
}

/** What part of a log this is. */
export function partOf(log: OpenLog): Omit<ArchiveInfo, 'path' | 'archivedAt'> {
  const { seq, hash } = log.base();
  const { high } = log.range();
  const lastHash = hashAt(log, high) ?? hash;
  return { firstSeq: seq + 1n, lastSeq: high, startHash: copy(hash), lastHash: copy(lastHash) };
}

function wholeRow(log: OpenLog, record: RowRecord): AuditRow {
  return plainRow(log, record, record.evidence_hash ? evidenceAt(log, record.seq) : null);
}

/** Undefined for a row that cannot be read, where that is no reason to end. */
function readableRow(log: OpenLog, record: RowRecord): AuditRow | undefined {
  try {
    return wholeRow(log, record);
  } catch (error) {
    if (!log.damage || !(error instanceof StoreError)) throw error;
    log.damage.note(record.seq, 'the row cannot be read: it is left out');
    return undefined;
  }
}

function rowStatement(log: OpenLog) {
  return log.statements.get(`SELECT ${ROW_COLUMNS} FROM ${log.tables.rows} WHERE a.seq = ?`);
}
