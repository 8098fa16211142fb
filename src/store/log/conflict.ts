// The same tx with two hashes: what the store adds to the log when it meets one. No answer of a server is at hand here; the
// client that offered the root adds a row of its own with it.
import { toHex } from '../../proof/bytes.js';
import { sameRoot } from './audit-entry.js';
import type { RootConflict } from '../audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../audit-types.js';

/** Name of the check that a root fails which the store itself refuses. */
const LOG_FORK = 'log.fork';

/** The `fork` row for a root that contradicts the log. */
export function forkEntry(entry: AuditEntry, offered: StoredRoot, conflict: RootConflict): AuditEntry {
  const { server, database, operation, verifiedAt, clientId, signature, keyFingerprint } = entry;
  const before = conflict.forgotten ? ', before trust was forgotten' : '';
  const [computed, expected] = [toHex(offered.alh), toHex(conflict.alh)];
  const here = `alh ${computed} here (${operation} of ${clientId})`;
  const there = `${expected} in row ${conflict.seq.toString()} (${conflict.operation} of ${conflict.clientId}, ${timeWords(conflict.verifiedAt)})`;
  const detail = `tx ${offered.tx.toString()} has ${here} and ${there}${before}`;
  // A signature of the root that is told of stands in the row too: two of them, over two hashes, bind the server.
  const own = sameRoot(entry, offered);
  return {
    server,
    database,
    tx: offered.tx,
    alh: offered.alh,
    outcome: 'fork',
    previousTx: entry.previousTx,
    operation,
    calls: 0,
    headerTime: own ? entry.headerTime : 0n,
    ...(own && signature && { signature, ...(keyFingerprint && { keyFingerprint }) }),
    verifiedAt,
    durationMs: 0,
    clientId,
    detail,
    evidence: { check: LOG_FORK, expected, computed, job: new Uint8Array(0) },
  };
}

/** ISO 8601 where the year has four digits; whatever was logged can be said. */
function timeWords(unixMs: number): string {
  const time = new Date(unixMs);
  return Number.isNaN(time.getTime()) ? `${unixMs} ms` : time.toISOString();
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
