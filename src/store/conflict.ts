// The same tx with two hashes: what the store adds to the log when it meets one.
import { toHex } from '../proof/bytes.js';
import type { RootConflict } from './audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from './audit-types.js';

/** The `fork` row for a root that contradicts the log. */
export function forkEntry(entry: AuditEntry, offered: StoredRoot, conflict: RootConflict): AuditEntry {
  const { server, database, operation, verifiedAt, clientId, keyFingerprint } = entry;
  const before = conflict.forgotten ? ', before trust was forgotten' : '';
  const detail = `tx ${offered.tx.toString()} has alh ${toHex(offered.alh)} here and ${toHex(conflict.alh)} in row ${conflict.seq.toString()}${before}`;
  return {
    server,
    database,
    tx: offered.tx,
    alh: offered.alh,
    outcome: 'fork',
    previousTx: entry.previousTx,
    operation,
    calls: 0,
    headerTime: 0n,
    ...(keyFingerprint && { keyFingerprint }),
    verifiedAt,
    durationMs: 0,
    clientId,
    detail,
  };
}

/** What the rules below need to know of a log. */
export interface ForkLog {
  findConflict(root: TrustKey & StoredRoot): RootConflict | null;
  /** True when a `fork` row says this already. */
  hasFork(entry: AuditEntry): boolean;
  /** True when there is a `fork` row since trust in this database was last forgotten. */
  hasForkSinceForget(entry: AuditEntry): boolean;
  append(entry: AuditEntry): unknown;
}

/** Looks for a root that contradicts the log, and has the `fork` row added once. Returns what the log has. */
export function reportFork(log: ForkLog, entry: AuditEntry, offered: StoredRoot): RootConflict | undefined {
  const { server, database } = entry;
  const conflict = log.findConflict({ server, database, tx: offered.tx, alh: offered.alh });
  if (!conflict) return undefined;
  const row = forkEntry(entry, offered, conflict);
  // A database that was made anew has another hash for every old tx: said once, not once per tx.
  const said = conflict.forgotten ? log.hasForkSinceForget(row) : log.hasFork(row);
  if (!said) log.append(row);
  return conflict;
}
