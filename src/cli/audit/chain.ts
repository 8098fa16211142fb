// A row of the log with its neighbours, and whether the hash that links them is right.
import type { AuditLog, AuditRow } from '../../index.js';
import { evidenceHash, rowHash } from '../../store/audit-row.js';

export interface ChainPlace {
  readonly row: AuditRow;
  /** Null: the row is the first of its store, or the one before it has been archived. */
  readonly previous: AuditRow | null;
  /** Null: the row is the newest. */
  readonly next: AuditRow | null;
  /** The hash of `row` is what its fields and the row before it give; null = cannot be told without that row. */
  readonly linked: boolean | null;
  /** The same of the row behind it; null = there is none. */
  readonly nextLinked: boolean | null;
}

/** Null when the log has no such row. */
export async function placeOf(audit: AuditLog, seq: bigint): Promise<ChainPlace | null> {
  const row = await audit.row(seq);
  if (!row) return null;
  const [previous, next] = await Promise.all([seq > 1n ? audit.row(seq - 1n) : null, audit.row(seq + 1n)]);
  return {
    row,
    previous,
    next,
    linked: previous && isLinked(previous, row),
    nextLinked: next && isLinked(row, next),
  };
}

function isLinked(previous: AuditRow, { seq, hash, evidence, ...entry }: AuditRow): boolean {
  return Buffer.from(rowHash(previous.hash, seq, entry, evidence && evidenceHash(evidence))).equals(hash);
}
