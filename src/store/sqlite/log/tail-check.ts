// The cheap check at opening: the newest rows of the log, the heads and the identities.
import { ArgumentError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { HEAD_MOVES } from '../../log/audit-query.js';
import { chainStart, rowHash } from '../../log/audit-row.js';
import type { AuditRow } from '../../audit-types.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { LogState } from '../../log/log-state.js';
import type { StateAt } from '../../log/log-state.js';
import { broken, stateDiffers } from '../../log/verify-rules.js';
import type { Broken } from '../../log/verify-rules.js';
import type { Base, OpenLog } from './open-log.js';
import { newestSeq } from './roots.js';
import type { RowRecord } from './row-record.js';
import { hashAt, pageOf, plainRow, recordsFrom, rowAt } from './rows.js';

/** Rows looked at when a store is opened. */
const TAIL_ROWS = 64n;

/** A row that was moved, and is among the recent ones again. */
export const TWICE = 'the row is there twice';

/** What is wrong; undefined when nothing is. Requires a transaction. */
export function verifyTail(log: OpenLog): Broken | undefined {
  for (const wrong of tailFindings(log)) return wrong;
  return undefined;
}

/** Everything that is wrong, one after the other. Requires a transaction. */
export function* tailFindings(log: OpenLog): IterableIterator<Broken> {
  log.begin();
  const base = log.base();
  const { low, high } = log.range();
  const first = high - low >= TAIL_ROWS ? high - TAIL_ROWS + 1n : low;
  /** Null where the row that the next one follows is missing. */
  let hash = first === low ? base.hash : hashAt(log, first - 1n);
  if (!hash) yield broken(first - 1n, 'the row is missing');
  let next = first;
  for (const record of recordsFrom(log, first, high)) {
    if (record.seq < next) {
      yield broken(record.seq, TWICE);
      continue;
    }
    if (record.seq !== next) {
      const last = record.seq - 1n;
      yield broken(next, last === next ? 'the row is missing' : `rows up to ${last.toString()} are missing`);
      hash = null;
    }
    next = record.seq + 1n;
    const wrong = wrongIn(log, record, hash);
    if (wrong !== undefined) yield broken(record.seq, wrong);
    hash = record.hash;
  }
  const written = log.rowsWritten();
  if (written !== high)
    yield broken(high + 1n, `the newest rows are missing: ${written.toString()} were written`);
  const state = stateOf(log, base);
  if (!(state instanceof LogState)) {
    yield state;
    return;
  }
  const words = stateDiffers(log.held.all(), newestState(log, state));
  if (words !== undefined) yield broken(high, words);
}

/** `hash`: of the row before; null when it is not known. */
function wrongIn(log: OpenLog, record: RowRecord, hash: Uint8Array | null): string | undefined {
  let row: AuditRow;
  try {
    row = plainRow(log, record);
  } catch {
    return 'the row was changed: it holds what is never written';
  }
  if (!hash) return undefined;
  const given = rowHash(hash, record.seq, row, record.evidence_hash ?? undefined);
  return equalBytes(given, row.hash) ? undefined : 'the row was changed: its hash is not that of its content';
}

/** The heads and identities of the log, from the newest row of each. */
function newestState(log: OpenLog, state: LogState): StateAt {
  for (const ledger of log.kinds.ledgers()) {
    const row = rowAt(log, newestSeq(log, ledger, [...HEAD_MOVES, 'forget']));
    if (row) state.apply(row);
  }
  for (let after = 0n; ;) {
    const rows = pageOf(log, { outcome: 'identity', after });
    for (const row of rows) state.apply(row);
    const last = rows.at(-1);
    if (!last) return state.snapshot();
    after = last.seq;
  }
}

/** What the rows before a log add up to, or what is wrong with its beginning. */
export function stateOf(log: OpenLog, base: Base): LogState | Broken {
  if (base.seq === 0n && !base.checkpoint) {
    if (equalBytes(base.hash, chainStart(log.storeId))) return new LogState();
    return broken(1n, 'the log does not start as a store of its id does');
  }
  try {
    const checkpoint = parseCheckpoint(base.checkpoint ?? new Uint8Array(0));
    const { storeId, seq, hash } = checkpoint;
    if (seq === base.seq && equalBytes(hash, base.hash) && equalBytes(storeId, log.storeId)) {
      return new LogState(checkpoint);
    }
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
  }
  return broken(base.seq + 1n, 'what is kept of the rows before this one was changed');
}
