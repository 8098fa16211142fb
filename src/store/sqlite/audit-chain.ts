// Walks the log's chain: the whole of it for `audit.verify`, its tail when a store is opened.
import { equalBytes, toHex } from '../../proof/bytes.js';
import { isHeadMove } from '../audit-query.js';
import { sameRoot } from '../audit-entry.js';
import { evidenceHash, rowHash } from '../audit-row.js';
import type { AuditRow, AuditVerdict } from '../root-store.js';
import type { Queries } from './queries.js';
import { toRow } from './row-record.js';
import type { RowRecord } from './row-record.js';

/** Rows looked at when a store is opened. */
const TAIL_ROWS = 64n;

/**
 * A walk along the chain in steps of one page. Each step must run in a transaction of its own: what it sees is then one
 * state, and rows that are added between steps do no harm.
 */
export class ChainWalk {
  readonly #queries: Queries;
  readonly #withEvidence: boolean;
  #next: bigint;
  #hash: Uint8Array | null;

  constructor(queries: Queries, from = 1n, withEvidence = true) {
    this.#queries = queries;
    this.#withEvidence = withEvidence;
    this.#next = from;
    this.#hash = queries.hashBefore(from);
  }

  /** Checks the next page; undefined when there may be more. */
  step(): AuditVerdict | undefined {
    if (!this.#hash) return broken(this.#next - 1n, 'the row is missing');
    const page = this.#queries.records(this.#next);
    for (const record of page) {
      if (record.seq !== this.#next) {
        return broken(this.#next, `the row is missing: row ${record.seq.toString()} follows`);
      }
      const verdict = this.#check(record, this.#hash);
      if (!(verdict instanceof Uint8Array)) return verdict;
      this.#hash = verdict;
      this.#next += 1n;
    }
    return page.length === 0 ? this.#finish(this.#hash) : undefined;
  }

  /** The row's hash, if the row is as it was written. */
  #check(record: RowRecord, previousHash: Uint8Array): Uint8Array | AuditVerdict {
    const { seq, evidence_hash: covered } = record;
    let row: AuditRow;
    try {
      row = toRow(record, null);
    } catch {
      return broken(seq, 'the row was changed: it holds what is never written');
    }
    const hash = rowHash(previousHash, seq, row, covered ?? undefined);
    if (!equalBytes(hash, row.hash)) {
      return broken(
        seq,
        `the row was changed: its hash is ${toHex(row.hash)}, its content gives ${toHex(hash)}`,
      );
    }
    if (covered && this.#withEvidence) {
      const evidence = this.#queries.evidence(seq);
      if (!evidence) return broken(seq, 'the evidence of the row is missing');
      if (!equalBytes(evidenceHash(evidence), covered))
        return broken(seq, 'the evidence of the row was changed');
    }
    return hash;
  }

  #finish(lastHash: Uint8Array): AuditVerdict {
    const rows = this.#next - 1n;
    const written = this.#queries.rowsWritten();
    if (written !== rows) {
      return broken(rows + 1n, `the newest rows are missing: ${written.toString()} were written`);
    }
    if (this.#withEvidence) {
      const stray = this.#queries.strayEvidence();
      if (stray !== null) return broken(stray, 'there is evidence that the row does not name');
    }
    return verifyHeads(this.#queries) ?? { ok: true, rows, lastHash: new Uint8Array(lastHash) };
  }
}

/** Every head must be what the newest row about it says, and every row that made a head the last time must have it. */
function verifyHeads(queries: Queries): AuditVerdict | undefined {
  for (const { ledger, database, head } of queries.ledgerHeads()) {
    const row = queries.newestHeadRow(ledger);
    const said = row && isHeadMove(row.outcome) ? row : null;
    if (!sameRoot(head, said)) {
      const words = `the head of ${database} is ${name(head?.tx)}, the log says ${name(said?.tx)}`;
      return broken(row?.seq ?? 0n, words);
    }
  }
  return undefined;
}

/** The cheap check at opening: the newest rows, and the heads. Requires a transaction. */
export function verifyTail(queries: Queries): AuditVerdict {
  const newest = queries.newestSeqOfAll();
  const walk = new ChainWalk(queries, newest > TAIL_ROWS ? newest - TAIL_ROWS + 1n : 1n, false);
  for (;;) {
    const verdict = walk.step();
    if (verdict) return verdict;
  }
}

function name(tx: bigint | undefined): string {
  return tx === undefined ? 'not there' : `at tx ${tx.toString()}`;
}

function broken(seq: bigint, finding: string): AuditVerdict {
  return { ok: false, seq, finding };
}
