// Trusted roots of a log, found by tx or by what came last. Everything here requires a transaction in which `begin` was called,
// and finds every row within `settled`.
import type { RootConflict } from '../../audit-log.js';
import type { AuditOutcome, AuditRow, StoredRoot, TrustKey } from '../../audit-types.js';
import { HEAD_MOVES } from '../../log/audit-query.js';
import type { Kind } from '../tables/kinds.js';
import type { OpenLog } from './open-log.js';
import { copy } from './row-record.js';
import { rowAt } from './rows.js';

interface Place {
  readonly seq: bigint;
  readonly tx: bigint;
}

/** See {@link AuditLog.latest}. */
export function latestRoot(log: OpenLog, filter: Partial<TrustKey>): AuditRow | null {
  return rowAt(log, newestOf(log, log.kinds.matching({ ...filter, outcome: HEAD_MOVES })));
}

/** See {@link AuditLog.rootAt}. */
export function rootAt(log: OpenLog, tx: bigint, filter: Partial<TrustKey>): AuditRow | null {
  let found: Place | undefined;
  for (const kind of log.kinds.matching({ ...filter, outcome: HEAD_MOVES })) {
    const root = lastAtOrBelow(log, kind, tx);
    if (root && (!found || root.tx > found.tx || (root.tx === found.tx && root.seq > found.seq)))
      found = root;
  }
  return found ? rowAt(log, found.seq) : null;
}

/** See {@link AuditLog.conflict}. */
export function conflictWith(log: OpenLog, root: TrustKey & StoredRoot): RootConflict | null {
  const { low } = log.range();
  const find = log.statements.get(
    `SELECT a.seq, a.tx, a.alh FROM ${log.tables.rowsByTx}
     WHERE a.kind = ? AND a.tx = ? AND a.seq >= ? AND a.alh <> ? ORDER BY a.seq DESC LIMIT 1`,
  );
  let newest: (StoredRoot & { seq: bigint }) | undefined;
  for (const { id } of kindsOf(log, root, HEAD_MOVES)) {
    const row = find.get(id, root.tx, low, root.alh) as typeof newest;
    if (row && (!newest || row.seq > newest.seq)) newest = row;
  }
  if (!newest) return null;
  const { seq, tx, alh } = newest;
  const { operation = '', clientId = '', verifiedAt = 0 } = rowAt(log, seq) ?? {};
  const forgotten = newestSeq(log, root, ['forget']) > seq;
  return { seq, tx, alh: copy(alh), operation, clientId, verifiedAt, forgotten };
}

/** Seq of the newest row of some outcomes in a database; 0 when there is none. */
export function newestSeq(log: OpenLog, key: TrustKey, outcomes: readonly AuditOutcome[]): bigint {
  return newestOf(log, kindsOf(log, key, outcomes));
}

function kindsOf(log: OpenLog, key: TrustKey, outcomes: readonly AuditOutcome[]): Kind[] {
  return log.kinds.ofLedger(key).filter(({ outcome }) => outcomes.includes(outcome));
}

function newestOf(log: OpenLog, kinds: readonly Kind[]): bigint {
  const { low } = log.range();
  const newest = log.statements
    .get(`SELECT a.seq FROM ${log.tables.rowsByKind} WHERE a.kind = ? ORDER BY a.seq DESC LIMIT 1`)
    .pluck();
  let found = 0n;
  for (const { id } of kinds) {
    const seq = (newest.get(id) as bigint | undefined) ?? 0n;
    if (seq >= low && seq > found) found = seq;
  }
  return found;
}

/** Since trust was last forgotten the roots of a database only go up: halving finds the last one that fits. */
function lastAtOrBelow(log: OpenLog, kind: Kind, tx: bigint): Place | undefined {
  const range = log.range();
  const forgotten = newestSeq(log, kind, ['forget']);
  const first = forgotten >= range.low ? forgotten + 1n : range.low;
  const before = log.statements.get(
    `SELECT a.seq, a.tx FROM ${log.tables.rowsByKind} WHERE a.kind = ? AND a.seq BETWEEN ? AND ?
     ORDER BY a.seq DESC LIMIT 1`,
  );
  let found: Place | undefined;
  for (let low = first, high = range.high; low <= high;) {
    const middle = (low + high) / 2n;
    const root = before.get(kind.id, low, middle) as Place | undefined;
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
