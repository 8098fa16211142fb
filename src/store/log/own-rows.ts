// The rows that a store adds by itself: a root that contradicts the log, an address bound to a server, rows moved out of the log.
import { toHex } from '../../proof/bytes.js';
import type { RootConflict } from '../audit-log.js';
import type { AuditEntry, StoredRoot } from '../audit-types.js';
import { sameRoot } from './audit-entry.js';

/** Name of the check that a root fails which the store itself refuses. */
const LOG_FORK = 'log.fork';

/**
 * The `fork` row for a root that contradicts the log. No answer of a server is at hand here; the client that offered the root
 * adds a row of its own with it.
 */
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

/** The row by which a store binds an address to an identity. */
export function identityEntry(
  { kind, address, server }: { kind: 'bind' | 'rebind'; address: string; server: string },
  now: number,
): AuditEntry {
  const operation = kind === 'rebind' ? 'rebindIdentity' : 'bindIdentity';
  return ownEntry({ outcome: 'identity', operation, server, detail: address }, now);
}

/** The row that says that the rows up to a checkpoint were moved out of the log. `alh` is the checkpoint's hash. */
export function archiveEntry(at: { seq: bigint; before: bigint; hash: Uint8Array }, now: number): AuditEntry {
  const { seq, before, hash } = at;
  const detail = `rows ${(before + 1n).toString()} to ${seq.toString()}`;
  return {
    ...ownEntry({ outcome: 'archive', operation: 'archive', server: '', detail }, now),
    tx: seq,
    alh: hash,
    previousTx: before,
  };
}

function ownEntry(
  fields: Pick<AuditEntry, 'outcome' | 'operation' | 'server' | 'detail'>,
  now: number,
): AuditEntry {
  return {
    database: '',
    tx: 0n,
    alh: new Uint8Array(32),
    previousTx: null,
    calls: 0,
    headerTime: 0n,
    verifiedAt: now,
    durationMs: 0,
    clientId: '',
    ...fields,
  };
}

/** ISO 8601 where the year has four digits; whatever was logged can be said. */
function timeWords(unixMs: number): string {
  const time = new Date(unixMs);
  return Number.isNaN(time.getTime()) ? `${unixMs} ms` : time.toISOString();
}
