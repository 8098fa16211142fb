// The cheap check at opening: the newest rows of the log, the heads and the identities.
import { ArgumentError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { AuditVerdict } from '../../audit-log.js';
import { HEAD_MOVES } from '../../log/audit-query.js';
import { chainStart, rowHash } from '../../log/audit-row.js';
import type { AuditRow } from '../../audit-types.js';
import { parseCheckpoint } from '../../log/checkpoint.js';
import { LogState } from '../../log/log-state.js';
import type { StateAt } from '../../log/log-state.js';
import { broken, stateDiffers } from '../../log/verify-rules.js';
import type { Base, OpenLog } from './open-log.js';
import type { RowRecord } from './row-record.js';

/** Rows looked at when a store is opened. */
const TAIL_ROWS = 64n;

/** A row that was moved, and is among the recent ones again. */
export const TWICE = 'the row is there twice';

type Broken = Extract<AuditVerdict, { ok: false }>;

/** What is wrong; undefined when nothing is. Requires a transaction. */
export function verifyTail(reader: OpenLog): Broken | undefined {
  for (const wrong of tailFindings(reader)) return wrong;
  return undefined;
}

/** Everything that is wrong, one after the other. Requires a transaction. */
export function* tailFindings(reader: OpenLog): IterableIterator<Broken> {
  reader.begin();
  const base = reader.base();
  const { low, high } = reader.range();
  const first = high - low >= TAIL_ROWS ? high - TAIL_ROWS + 1n : low;
  /** Null where the row that the next one follows is missing. */
  let hash = first === low ? base.hash : reader.hashOf(first - 1n);
  if (!hash) yield broken(first - 1n, 'the row is missing');
  let next = first;
  for (const record of reader.records(first, high)) {
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
    const wrong = wrongIn(reader, record, hash);
    if (wrong !== undefined) yield broken(record.seq, wrong);
    hash = record.hash;
  }
  const written = reader.rowsWritten();
  if (written !== high)
    yield broken(high + 1n, `the newest rows are missing: ${written.toString()} were written`);
  const state = stateOf(reader, base);
  if (!(state instanceof LogState)) {
    yield state;
    return;
  }
  const words = stateDiffers(reader.held(), newestState(reader, state));
  if (words !== undefined) yield broken(high, words);
}

/** `hash`: of the row before; null when it is not known. */
function wrongIn(reader: OpenLog, record: RowRecord, hash: Uint8Array | null): string | undefined {
  let row: AuditRow;
  try {
    row = reader.toPlainRow(record);
  } catch {
    return 'the row was changed: it holds what is never written';
  }
  if (!hash) return undefined;
  const given = rowHash(hash, record.seq, row, record.evidence_hash ?? undefined);
  return equalBytes(given, row.hash) ? undefined : 'the row was changed: its hash is not that of its content';
}

/** The heads and identities of the log, from the newest row of each. */
function newestState(reader: OpenLog, state: LogState): StateAt {
  for (const ledger of reader.ledgers()) {
    const row = reader.row(reader.newest(ledger, [...HEAD_MOVES, 'forget']));
    if (row) state.apply(row);
  }
  for (let after = 0n; ;) {
    const rows = reader.page({ outcome: 'identity', after });
    for (const row of rows) state.apply(row);
    const last = rows.at(-1);
    if (!last) return state.snapshot();
    after = last.seq;
  }
}

/** What the rows before a log add up to, or what is wrong with its beginning. */
export function stateOf(reader: OpenLog, base: Base): LogState | Broken {
  if (base.seq === 0n && !base.checkpoint) {
    if (equalBytes(base.hash, chainStart(reader.storeId))) return new LogState();
    return broken(1n, 'the log does not start as a store of its id does');
  }
  try {
    const checkpoint = parseCheckpoint(base.checkpoint ?? new Uint8Array(0));
    const { storeId, seq, hash } = checkpoint;
    if (seq === base.seq && equalBytes(hash, base.hash) && equalBytes(storeId, reader.storeId)) {
      return new LogState(checkpoint);
    }
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
  }
  return broken(base.seq + 1n, 'what is kept of the rows before this one was changed');
}
