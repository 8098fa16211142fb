// A root that contradicts the log, in the words of a refusal.
import { toHex } from '../../../proof/bytes.js';
import type { RecordOutcome, RootConflict, StoredRoot } from '../../../store/root-store.js';

/** What contradicts what, in the words of a refusal. */
export function forkTerms(conflict: RootConflict, shown: StoredRoot) {
  const { seq, tx, alh, operation, clientId, forgotten } = conflict;
  const before = forgotten ? ', before trust was forgotten' : '';
  return {
    check: 'trust.fork',
    detail: `tx ${tx.toString()} has another hash in row ${seq.toString()} of the log (${operation} of ${clientId}${before})`,
    expected: toHex(alh),
    computed: toHex(shown.alh),
    tx,
  };
}

/** The contradictions that a written row met, but for those of before trust was forgotten. */
export function forkIn(written: PromiseSettledResult<RecordOutcome>): RootConflict[] {
  const conflict = written.status === 'fulfilled' ? written.value.conflict : undefined;
  return conflict && !conflict.forgotten ? [conflict] : [];
}
