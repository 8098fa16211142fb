// Checkpoints of the log in memory, and the walk along its chain that is held against them.
import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../../proof/bytes.js';
import type { AuditVerdict, Checkpoint, VerifyOptions } from '../audit-log.js';
import type { AuditRow } from '../audit-types.js';
import { checkedCheckpoint, signCheckpoint } from '../log/checkpoint.js';
import { LogState } from '../log/log-state.js';
import { broken, contradicts, startDiffers, stateDiffers } from '../log/verify-rules.js';
import type { MemoryLog } from './memory-log.js';

/** A commitment to the log as it stands, which keeps it. */
export function takeCheckpoint(log: MemoryLog, signer: KeyObject | undefined): Checkpoint {
  const last = log.rows.at(-1);
  const plain: Checkpoint = {
    storeId: log.storeId,
    seq: last?.seq ?? 0n,
    hash: last?.hash ?? log.start,
    time: Date.now(),
    ...log.index.snapshot(),
  };
  const made = checkedCheckpoint(signer ? signCheckpoint(plain, signer) : plain);
  log.checkpoints.push(made);
  return made;
}

export function verifyLog(
  log: MemoryLog,
  { checkpoint, startsAfter }: Omit<VerifyOptions, 'onProgress'>,
): AuditVerdict {
  const start = { seq: 0n, hash: new Uint8Array(log.start) };
  const elsewhere = startDiffers(start, startsAfter);
  if (elsewhere) return elsewhere;
  const held = [...log.checkpoints, ...(checkpoint ? [checkpoint] : [])];
  for (const { seq, storeId } of held) {
    if (!equalBytes(storeId, log.storeId)) return broken(seq, 'the checkpoint is of another store');
    if (seq > BigInt(log.rows.length)) return broken(seq, 'the row of the checkpoint is missing');
  }
  const state = new LogState();
  let previous: AuditRow | undefined;
  const jobHashes = new Map<Uint8Array, Uint8Array>();
  for (const row of [undefined, ...log.rows]) {
    if (row && !equalBytes(log.hashAfter(previous, row.seq, row, jobHashes), row.hash)) {
      return broken(row.seq, 'the row was changed');
    }
    if (row) state.apply(row);
    previous = row;
    for (const made of held.filter(({ seq }) => seq === (row?.seq ?? 0n))) {
      const wrong = contradicts(made, row?.hash ?? log.start, state.snapshot());
      if (wrong) return wrong;
    }
  }
  const words = stateDiffers(log.index.snapshot(), state.snapshot());
  if (words !== undefined) return broken(previous?.seq ?? 0n, words);
  return {
    ok: true,
    rows: BigInt(log.rows.length),
    lastHash: new Uint8Array(previous?.hash ?? log.start),
    startsAfter: start,
    checkpoints: log.checkpoints.length,
  };
}
