// An entry on its way to the store's thread: a list instead of an object, its hash a string of its bytes. The names of an
// object's fields and the buffer of a hash, cloned and collected for every write, cost more than all the rest of the way
// (measured).
import type { AuditEntry, StoredRoot } from '../audit-types.js';

export type SentRoot = readonly [tx: bigint, alh: string];

export type SentEntry = readonly [
  server: string,
  database: string,
  tx: bigint,
  alh: string,
  outcome: AuditEntry['outcome'],
  previousTx: bigint | null,
  operation: string,
  calls: number,
  headerTime: bigint,
  verifiedAt: number,
  durationMs: number,
  clientId: string,
  rest: Pick<AuditEntry, 'signature' | 'keyFingerprint' | 'detail' | 'evidence'> | null,
];

export function sendRoot({ tx, alh }: StoredRoot): SentRoot {
  return [tx, String.fromCharCode(...alh)];
}

export function receiveRoot([tx, alh]: SentRoot): StoredRoot {
  return { tx, alh: Buffer.from(alh, 'latin1') };
}

/** Requires an entry from `checkedEntry`: what is not a field of ours is left behind. */
export function sendEntry(entry: AuditEntry): SentEntry {
  const { signature, keyFingerprint, detail, evidence } = entry;
  const hasRest =
    signature !== undefined || keyFingerprint !== undefined || detail !== undefined || evidence !== undefined;
  return [
    entry.server,
    entry.database,
    entry.tx,
    String.fromCharCode(...entry.alh),
    entry.outcome,
    entry.previousTx,
    entry.operation,
    entry.calls,
    entry.headerTime,
    entry.verifiedAt,
    entry.durationMs,
    entry.clientId,
    hasRest
      ? {
          ...(signature !== undefined && { signature }),
          ...(keyFingerprint !== undefined && { keyFingerprint }),
          ...(detail !== undefined && { detail }),
          ...(evidence !== undefined && { evidence }),
        }
      : null,
  ];
}

export function receiveEntry(sent: SentEntry): AuditEntry {
  const [server, database, tx, alh, outcome, previousTx, operation, calls, headerTime] = sent;
  const [, , , , , , , , , verifiedAt, durationMs, clientId, rest] = sent;
  return {
    server,
    database,
    tx,
    alh: Buffer.from(alh, 'latin1'),
    outcome,
    previousTx,
    operation,
    calls,
    headerTime,
    verifiedAt,
    durationMs,
    clientId,
    ...rest,
  };
}
