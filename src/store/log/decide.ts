// The rules by which a log grows, for every store: which rows a request adds, and what its caller is told. Pure: a store shows
// the log as it stands, and appends what was decided, before it has the next request decided. What rows do to heads and
// identities is in log-state.ts.
import type { RootConflict } from '../audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../audit-types.js';
import type { AdvanceOutcome, RecordOutcome } from '../root-store.js';
import { copyRoot, sameRoot } from './audit-entry.js';
import { forkEntry, identityEntry } from './own-rows.js';
import type { AnswerTo, IdentityRequest, RowRequest } from './requests.js';

export type DecidedRequest = RowRequest | IdentityRequest;

/**
 * The log as it stands: nobody else writes to it before the decision is applied. A store that cannot look things up at once
 * loads what may be asked for into a `LogIndex`.
 */
export interface Snapshot {
  head(key: TrustKey): StoredRoot | null;
  identity(address: string): string | null;
  /** Whether trust in a database was ever forgotten. */
  wasForgotten(key: TrustKey): boolean;
  /** The newest logged trusted root of the same tx with another hash. */
  findConflict(root: TrustKey & StoredRoot): RootConflict | null;
  /** True when a `fork` row says this already. */
  hasFork(root: TrustKey & StoredRoot): boolean;
  /** True when there is a `fork` row since trust in this database was last forgotten. */
  hasForkSinceForget(key: TrustKey): boolean;
  /** Our clock, for rows that no client dates: unix milliseconds. */
  now(): number;
}

export interface Decision<R extends DecidedRequest> {
  /** In this order. */
  readonly rows: readonly AuditEntry[];
  readonly answer: AnswerTo<R>;
}

/** What comes of nearly every move. */
export const MOVED: AdvanceOutcome = Object.freeze({ moved: true });
/** What comes of nearly every row that moves nothing. */
export const NOTHING_FOUND: RecordOutcome = Object.freeze({});

export function decide<R extends DecidedRequest>(request: R, log: Snapshot): Decision<R>;
export function decide(request: DecidedRequest, log: Snapshot): Decision<DecidedRequest> {
  switch (request.kind) {
    case 'advance':
      return advance(request.expected, request.entry, log);
    case 'record':
      return record(request.entry, log);
    case 'forget':
      return { rows: [request.entry], answer: undefined };
    case 'bind': {
      const bound = log.identity(request.address);
      if (bound !== null) return { rows: [], answer: bound };
      return { rows: [identityEntry(request, log.now())], answer: request.server };
    }
    case 'rebind':
      return { rows: [identityEntry(request, log.now())], answer: undefined };
  }
}

/** Compare-and-set: the head moves iff it is what was expected. */
function advance(expected: StoredRoot | null, entry: AuditEntry, log: Snapshot) {
  const current = log.head(entry);
  if (sameRoot(current, expected)) {
    // A head that moves up meets only what was logged before trust was forgotten.
    const fork = log.wasForgotten(entry) ? forkOf(entry, entry, log) : undefined;
    if (!fork) return { rows: [entry], answer: MOVED };
    return { rows: [...fork.rows, entry], answer: { moved: true as const, conflict: fork.conflict } };
  }
  const fork = forkOf(entry, entry, log) ?? (expected ? forkOf(entry, expected, log) : undefined);
  const told = {
    moved: false as const,
    current: current && copyRoot(current),
    ...(log.wasForgotten(entry) && { wasForgotten: true as const }),
  };
  return { rows: fork?.rows ?? [], answer: fork ? { ...told, conflict: fork.conflict } : told };
}

function record(entry: AuditEntry, log: Snapshot) {
  // Calls are covered by a root; the other kinds may name none.
  const isNew = entry.outcome === 'calls' && (log.wasForgotten(entry) || !sameRoot(log.head(entry), entry));
  const fork = isNew ? forkOf(entry, entry, log) : undefined;
  if (!fork) return { rows: [entry], answer: NOTHING_FOUND };
  return { rows: [...fork.rows, entry], answer: { conflict: fork.conflict } };
}

/** What the log has against a root, and the `fork` row that tells of it, once. Undefined: nothing. */
function forkOf(entry: AuditEntry, offered: StoredRoot, log: Snapshot) {
  const { server, database } = entry;
  const root = { server, database, tx: offered.tx, alh: offered.alh };
  const conflict = log.findConflict(root);
  if (!conflict) return undefined;
  // A database that was made anew has another hash for every old tx: said once, not once per tx.
  const isSaid = conflict.forgotten ? log.hasForkSinceForget(root) : log.hasFork(root);
  return { conflict, rows: isSaid ? [] : [forkEntry(entry, offered, conflict)] };
}
