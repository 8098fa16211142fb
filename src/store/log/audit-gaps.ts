// Finds where a log's continuity is broken, row by row: one rule for every store.
import type { AuditGap, GapsQuery } from '../audit-log.js';
import { bad, checkedFilter, checkedSeq, defined, isHeadMove } from './audit-query.js';
import type { AuditRow, TrustKey } from '../audit-types.js';
import { nameOf } from './log-state.js';

const LIMIT = 1000;
const CLOCK_TOLERANCE_MS = 1000;

/** The parts of a row that tell. */
export type GapRow = Pick<
  AuditRow,
  'seq' | 'server' | 'database' | 'tx' | 'outcome' | 'previousTx' | 'verifiedAt'
>;

export type CheckedGapsQuery = GapsQuery & Required<Pick<GapsQuery, 'after' | 'limit' | 'clockToleranceMs'>>;

/** @throws ArgumentError naming the part that makes no sense */
export function checkedGapsQuery(query: GapsQuery = {}): CheckedGapsQuery {
  const filter = checkedFilter(query, ['after', 'limit', 'silenceMs', 'clockToleranceMs']);
  const { after = 0n, limit = LIMIT, silenceMs, clockToleranceMs = CLOCK_TOLERANCE_MS } = query;
  if (!Number.isSafeInteger(limit) || limit < 1) bad('limit', 'must be an integer of 1 or more');
  for (const [field, ms] of Object.entries({ silenceMs, clockToleranceMs })) {
    if (ms !== undefined && !(Number.isSafeInteger(ms) && ms >= 0)) bad(field, 'must be milliseconds');
  }
  return {
    ...filter,
    after: checkedSeq('after', after),
    limit,
    clockToleranceMs,
    ...defined<Pick<GapsQuery, 'silenceMs'>>({ silenceMs }),
  };
}

export class GapFinder {
  /** In order of the rows they were found at; those about the same row in the order of the kinds. */
  readonly gaps: AuditGap[] = [];
  readonly #query: CheckedGapsQuery;
  readonly #heads: Map<string, bigint>;
  readonly #forgotten = new Map<string, AuditGap & { kind: 'forgotten' }>();
  /** `verifiedAt` of the row before, and the latest of all rows before. */
  #before: number | undefined;
  #latest: number | undefined;

  /** `heads`: the heads before the first row that will be fed. */
  constructor(query: CheckedGapsQuery, heads: readonly (TrustKey & { readonly tx: bigint })[] = []) {
    this.#query = query;
    this.#heads = new Map(heads.map((head) => [nameOf(head), head.tx]));
  }

  /** Feeds the next row of the databases asked for. False: enough was found. */
  feed(row: GapRow): boolean {
    const { seq, server, database } = row;
    const at = { seq, server, database };
    this.#trust(row, at);
    this.#time(row, at);
    // A forgotten trust may still be taken up again: rows are needed until that is known.
    return this.gaps.length < this.#query.limit || this.#forgotten.size > 0;
  }

  #trust(row: GapRow, at: TrustKey & { seq: bigint }): void {
    const { outcome, previousTx } = row;
    const name = nameOf(row);
    if (outcome === 'forget') {
      this.#heads.delete(name);
      const gap = { kind: 'forgotten', ...at, resumedAt: null } as const;
      if (this.#add(gap)) this.#forgotten.set(name, gap);
      return;
    }
    if (!isHeadMove(outcome)) return;
    const loggedTx = this.#heads.get(name) ?? null;
    if (loggedTx !== previousTx) this.#add({ kind: 'break', ...at, loggedTx, previousTx });
    this.#heads.set(name, row.tx);
    const forgotten = this.#forgotten.get(name);
    if (!forgotten) return;
    this.gaps.splice(this.gaps.indexOf(forgotten), 1, { ...forgotten, resumedAt: row.seq });
    this.#forgotten.delete(name);
  }

  #time({ verifiedAt }: GapRow, at: TrustKey & { seq: bigint }): void {
    const { clockToleranceMs, silenceMs } = this.#query;
    const back = (this.#before ?? verifiedAt) - verifiedAt;
    const silent = verifiedAt - (this.#latest ?? verifiedAt);
    if (back > clockToleranceMs) this.#add({ kind: 'clock', ...at, backMs: back });
    else if (silenceMs !== undefined && silent > silenceMs) {
      this.#add({ kind: 'silence', ...at, silentMs: silent });
    }
    this.#before = verifiedAt;
    this.#latest = Math.max(this.#latest ?? verifiedAt, verifiedAt);
  }

  #add(gap: AuditGap): boolean {
    if (gap.seq <= this.#query.after || this.gaps.length >= this.#query.limit) return false;
    this.gaps.push(gap);
    return true;
  }
}
