// Walks the log's chain: the whole of it for `audit.verify`, its tail when a store is opened.
import { equalBytes, toHex } from '../../proof/bytes.js';
import { isHeadMove } from '../audit-query.js';
import { rowHash } from '../audit-row.js';
import type { AuditVerdict } from '../root-store.js';
import type { Queries } from './queries.js';

/** Rows looked at when a store is opened. */
const TAIL_ROWS = 64;

/** Recomputes every row's hash from the first (or from `from`) on, and holds the heads against the log. */
export function verifyChain(queries: Queries, from = 1n): AuditVerdict {
  let hash = queries.hashBefore(from);
  if (!hash) return broken(from - 1n, 'the row is missing');
  let next = from;
  for (;;) {
    const page = queries.page({}, next - 1n);
    for (const row of page) {
      if (row.seq !== next) return broken(next, `the row is missing: row ${row.seq.toString()} follows`);
      hash = rowHash(hash, row.seq, row);
      if (!equalBytes(hash, row.hash)) {
        return broken(
          row.seq,
          `the row was changed: its hash is ${toHex(row.hash)}, its content gives ${toHex(hash)}`,
        );
      }
      next += 1n;
    }
    if (page.length === 0) break;
  }
  return verifyHeads(queries) ?? { ok: true, rows: next - 1n, lastHash: Uint8Array.from(hash) };
}

/** Every head must be what the newest row about it says; a row that made a head must still have it. */
function verifyHeads(queries: Queries): AuditVerdict | undefined {
  for (const head of queries.heads()) {
    const row = queries.lastHeadRow(head);
    const stands = row && isHeadMove(row.outcome) && row.tx === head.tx && equalBytes(row.alh, head.alh);
    if (!stands)
      return broken(
        row?.seq ?? 0n,
        `the head of ${head.database} (tx ${head.tx.toString()}) is not what the log says`,
      );
  }
  return undefined;
}

/** The cheap check at opening. */
export function verifyTail(queries: Queries): AuditVerdict {
  const newest = queries.page({ order: 'desc', limit: 1 }, null)[0];
  const from = newest && newest.seq > BigInt(TAIL_ROWS) ? newest.seq - BigInt(TAIL_ROWS) + 1n : 1n;
  return verifyChain(queries, from);
}

function broken(seq: bigint, finding: string): AuditVerdict {
  return { ok: false, seq, finding };
}
