// Proves the roots in the audit log against the server's present state: neighbours by one block of headers with one proof,
// others one by one.
import { VerificationError } from '../../errors.js';
import { toHex } from '../../proof/bytes.js';
import { HEAD_MOVES } from '../../store/log/audit-query.js';
import type { AuditRow } from '../../store/root-store.js';
import { AuditAsker } from './access.js';
import type { AuditAccess } from './access.js';
import { findingOf, Findings } from './findings.js';
import type { AuditFinding } from './findings.js';
import { inOrder } from '../flow/in-order.js';
import { checkRootsOptions } from './options.js';
import type { ResolvedAuditOptions, RootsAuditOptions } from './options.js';
import { presentState } from './present-state.js';
import type { PresentState } from './present-state.js';
import type { RootCounts, RootFinding, RootsProgress, RootsReport } from './report.js';
import { RootProver } from './root-prover.js';
import type { Judged } from './root-prover.js';

/** Name in the audit log. */
const OPERATION = 'audit.prove';
/** Rows that are held in memory together: what comes close in the log is close in the history, and shares blocks. */
const BATCH_ROWS = 4096;

type MutableRootCounts = { -readonly [Name in keyof RootCounts]: number };

const COUNTED = {
  proven: 'proven',
  'other-hash': 'otherHash',
  'not-there': 'notThere',
  'server-behind': 'serverBehind',
  'not-proven': 'notProven',
} as const;

/** @throws ArgumentError, TransportError (ABORTED among them), StoreError; never for what a server says of its data */
export async function auditRoots(access: AuditAccess, options: RootsAuditOptions): Promise<RootsReport> {
  const resolved = checkRootsOptions(options);
  const asker = new AuditAsker(access, OPERATION, resolved.call);
  const startedAt = Date.now();
  const state = await presentState(access, asker);
  return new RootsAudit(access, asker, state, startedAt, options, resolved).run();
}

class RootsAudit {
  readonly #access: AuditAccess;
  readonly #asker: AuditAsker;
  readonly #state: PresentState;
  readonly #options: RootsAuditOptions;
  readonly #resolved: ResolvedAuditOptions;
  readonly #startedAt: number;
  readonly #beganAt = performance.now();
  readonly #findings: Findings<AuditFinding | RootFinding>;
  readonly #prover: RootProver;
  readonly #rows = noRows();
  readonly #earlierRows = noRows();
  #after: bigint;
  #isWhole = false;

  constructor(
    access: AuditAccess,
    asker: AuditAsker,
    state: PresentState,
    startedAt: number,
    options: RootsAuditOptions,
    resolved: ResolvedAuditOptions,
  ) {
    this.#access = access;
    this.#asker = asker;
    this.#state = state;
    this.#startedAt = startedAt;
    this.#options = options;
    this.#resolved = resolved;
    this.#findings = new Findings(resolved.maxFindings, undefined);
    this.#prover = new RootProver({ access, asker, state });
    this.#after = options.after ?? 0n;
  }

  async run(): Promise<RootsReport> {
    const { finding } = this.#state;
    if (finding) this.#findings.add(finding);
    if (finding && this.#resolved.stops) return this.#report();
    try {
      const epoch = await this.#lastForgotten();
      this.#isWhole = true;
      for await (const batch of this.#batches()) {
        this.#isWhole = await this.#judge(batch, epoch);
        if (!this.#isWhole) break;
        this.#options.onProgress?.(this.#progress());
      }
    } catch (error) {
      // The server went back or changed its history while it was audited: recorded by trust.
      if (!(error instanceof VerificationError)) throw error;
      this.#isWhole = false;
      this.#findings.add(findingOf(error));
    }
    return this.#report();
  }

  /** Seq of the row with which the present trust began anew; 0 when trust was never forgotten. */
  async #lastForgotten(): Promise<bigint> {
    const { server, database, store } = this.#access;
    const query = { server, database, outcome: 'forget', order: 'desc', limit: 1 } as const;
    for await (const { seq } of store.audit.roots(query)) return seq;
    return 0n;
  }

  async *#batches(): AsyncIterableIterator<AuditRow[]> {
    const { server, database, store } = this.#access;
    const { txRange, timeRange, after } = this.#options;
    const query = {
      ...{ server, database, outcome: HEAD_MOVES },
      ...(txRange && { txRange }),
      ...(timeRange && { timeRange }),
      ...(after !== undefined && { after }),
    };
    let batch: AuditRow[] = [];
    for await (const row of store.audit.roots(query)) {
      batch.push(row);
      if (batch.length < BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** False when a finding ends the audit. */
  async #judge(rows: readonly AuditRow[], epoch: bigint): Promise<boolean> {
    const groups = this.#prover.plan(rows);
    let next = 0;
    const goesOn = () => !this.#resolved.stops || this.#findings.total === 0;
    await inOrder({
      lanes: this.#resolved.inFlight,
      next: () => groups[next++],
      work: async (group) => this.#prover.prove(group),
      commit: async ({ judged, block }) => {
        if (block) this.#findings.add(await this.#prover.recordBlock(block));
        for (const each of judged) await this.#commit(each, each.row.seq < epoch);
        return goesOn();
      },
    });
    if (goesOn()) this.#after = (rows[rows.length - 1] as AuditRow).seq;
    return goesOn();
  }

  async #commit({ row, verdict, refuted }: Judged, earlier: boolean): Promise<void> {
    const counts = earlier ? this.#earlierRows : this.#rows;
    counts.checked++;
    counts[COUNTED[verdict]]++;
    if (verdict === 'proven') return;
    const recorded = !earlier && (await this.#prover.record(row, verdict, refuted));
    const finding: RootFinding = {
      ...refuted.refuted,
      ...{ tx: row.tx.toString(), seq: row.seq.toString(), alh: toHex(row.alh) },
      ...{ verdict, earlier, recorded },
    };
    if (earlier) this.#findings.note(finding);
    else this.#findings.add(finding);
  }

  #progress(): RootsProgress {
    return {
      after: this.#after,
      rows: { ...this.#rows },
      earlierRows: { ...this.#earlierRows },
      findings: this.#findings.total,
      rowsPerSecond: this.#rowsPerSecond,
    };
  }

  get #rowsPerSecond(): number {
    const seconds = (performance.now() - this.#beganAt) / 1000;
    return Math.round((this.#rows.checked + this.#earlierRows.checked) / Math.max(seconds, 0.001));
  }

  #report(): RootsReport {
    const { tx, alh, trusted, signed } = this.#state;
    const { server, database } = this.#access;
    return {
      kind: 'roots',
      asked: askedOf(this.#options),
      server,
      database,
      state: { tx: tx.toString(), alh: toHex(alh), trusted, signed },
      ok: this.#isWhole && this.#findings.total === 0,
      complete: this.#isWhole,
      startedAt: new Date(this.#startedAt).toISOString(),
      durationMs: Math.round(performance.now() - this.#beganAt),
      bytes: this.#asker.bytes,
      findings: this.#findings.listed,
      findingsTotal: this.#findings.total,
      rows: { ...this.#rows },
      earlierRows: { ...this.#earlierRows },
      proofs: { ...this.#prover.counts },
      rowsPerSecond: this.#rowsPerSecond,
      after: this.#after.toString(),
    };
  }
}

function askedOf({ after = 0n, txRange, timeRange }: RootsAuditOptions): RootsReport['asked'] {
  return {
    after: after.toString(),
    ...(txRange && { tx: ends(txRange, String) }),
    ...(timeRange && { time: ends(timeRange, timeWords) }),
  };
}

/** ISO 8601, or the milliseconds themselves where they are no date. */
function timeWords(unixMs: number): string {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? String(unixMs) : date.toISOString();
}

function ends<T>({ from, to }: { from?: T; to?: T }, words: (end: T) => string) {
  return { ...(from !== undefined && { from: words(from) }), ...(to !== undefined && { to: words(to) }) };
}

function noRows(): MutableRootCounts {
  return { checked: 0, proven: 0, otherHash: 0, notThere: 0, serverBehind: 0, notProven: 0 };
}
