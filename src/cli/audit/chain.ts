// A row of the log with its neighbours, and whether the hash that links them is right.
import type { AuditRow } from '../../index.js';
import { evidenceHash, rowHash } from '../../store/log/audit-row.js';
import { hashBefore } from '../store-option.js';
import type { OpenLog } from '../store-option.js';

export interface ChainPlace {
  readonly row: AuditRow;
  /** Null: the row is the first of its store, or the one before it has been archived. */
  readonly previous: AuditRow | null;
  /** Hash that the row follows, known also where the row before it is in an archive. */
  readonly previousHash: Uint8Array | null;
  /** Null: the row is the newest. */
  readonly next: AuditRow | null;
  /** The hash of `row` is what its fields and the row before it give; null = cannot be told. */
  readonly linked: boolean | null;
  /** The same of the row behind it; null = there is none. */
  readonly nextLinked: boolean | null;
}

/** Null when the log has no such row. */
export async function placeOf(
  log: Pick<OpenLog, 'audit' | 'startsAfter'>,
  seq: bigint,
): Promise<ChainPlace | null> {
  const { audit } = log;
  const row = await audit.row(seq);
  if (!row) return null;
  const [previous, next, previousHash] = await Promise.all([
    seq > 1n ? audit.row(seq - 1n) : null,
    audit.row(seq + 1n),
    hashBefore(log, seq),
  ]);
  return {
    row,
    previous,
    next,
    previousHash,
    linked: previousHash && isLinked(previousHash, row),
    nextLinked: next && isLinked(row.hash, next),
  };
}

function isLinked(previousHash: Uint8Array, { seq, hash, evidence, ...entry }: AuditRow): boolean {
  return Buffer.from(rowHash(previousHash, seq, entry, evidence && evidenceHash(evidence))).equals(hash);
}
