// What audits report: plain JSON-able objects. Ids are decimal text, since a JSON number is exact only below 2^53; hashes hex.
import type { StretchCounts } from '../../verify/verifier.js';
import type { AuditFinding } from './findings.js';

/** The state of the server that everything was held against. */
export interface AuditedState {
  readonly tx: string;
  readonly alh: string;
  /** It is the trusted head, proven to extend what was trusted before. False: only the server's word, see the findings. */
  readonly trusted: boolean;
  /** A state key is configured, and the state was signed with it. */
  readonly signed: boolean;
}

interface Report {
  readonly server: string;
  readonly database: string;
  readonly state: AuditedState;
  /** Nothing is wrong, and everything was looked at. */
  readonly ok: boolean;
  /** Everything that was asked for was looked at, values too where they were asked for. */
  readonly complete: boolean;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** Bytes of the server's answers. */
  readonly bytes: number;
  /** The first `maxFindings` of them, in the order of the audit. */
  readonly findings: readonly AuditFinding[];
  readonly findingsTotal: number;
}

export interface DatabaseReport extends Report {
  readonly kind: 'database';
  /** Transactions that were checked, found wrong or not: from this one to that one; none when `to` is below `from`. */
  readonly from: string;
  readonly to: string;
  /** Transactions in stretches in which something is wrong: what they hold is not in `checked`. */
  readonly txsWrong: number;
  /** What was found, and how much of it was checked. */
  readonly checked: StretchCounts;
  readonly withValues: boolean;
  /** Values that a truncation gave up: a proven header among those that were looked at says so. Not missing. */
  readonly valuesTruncated: number;
  /** Values that were asked for and not shown, and that are neither expired, nor of documents, nor truncated. */
  readonly valuesMissing: number;
  /** Why values were not shown, in the server's words: the first few times. */
  readonly valuesRefused: readonly { readonly tx: string; readonly toTx: string; readonly reason: string }[];
  readonly txsPerSecond: number;
  readonly entriesPerSecond: number;
  /** For the option `resume`: goes on behind `to`, with this store only, and only as it is. */
  readonly resume: string;
}

export interface DatabaseProgress {
  /** Everything up to this transaction was checked. */
  readonly tx: bigint;
  /** The audit ends here. */
  readonly lastTx: bigint;
  readonly checked: StretchCounts;
  readonly findings: number;
  readonly txsPerSecond: number;
  /**
   * For the option `resume`: the newest point that was logged, at most some seconds before `tx`. It goes on with this store
   * only, and only as it is.
   */
  readonly resume: string;
}

/** Of an audit of a range. */
export type RangeProgress = Omit<DatabaseProgress, 'resume'>;

/** A logged root that the server does not stand by. */
export interface RootFinding extends AuditFinding {
  /**
   * `other-hash`: the server's history has another hash for the transaction; `not-there`: it does not show it;
   * `server-behind`: its newest transaction is older; `not-proven`: its answers do not prove what they claim.
   */
  readonly verdict: 'other-hash' | 'not-there' | 'server-behind' | 'not-proven';
  /** The row in the log: its number, decimal, and its root's hash. */
  readonly seq: string;
  readonly alh: string;
  /** The row is from before trust was last forgotten: to be expected then, and not held against the server. */
  readonly earlier: boolean;
}

/** Rows by what came of them. */
export interface RootCounts {
  readonly checked: number;
  /** The server stands by them. */
  readonly proven: number;
  readonly otherHash: number;
  readonly notThere: number;
  readonly serverBehind: number;
  readonly notProven: number;
}

export interface RootsReport extends Report {
  readonly kind: 'roots';
  /** Which rows were asked for: those behind row `after` ('0': all), of these transactions and times, where they were limited. */
  readonly asked: {
    readonly after: string;
    /** Decimal, inclusive. */
    readonly tx?: { readonly from?: string; readonly to?: string };
    /** ISO 8601, inclusive. */
    readonly time?: { readonly from?: string; readonly to?: string };
  };
  /** Rows since trust was last forgotten, or all of them. */
  readonly rows: RootCounts;
  /** Rows from before that. */
  readonly earlierRows: RootCounts;
  readonly findings: readonly (AuditFinding | RootFinding)[];
  /** Proofs that were asked for: blocks of 1024 headers with one proof, and headers one by one. */
  readonly proofs: { readonly blocks: number; readonly singles: number };
  readonly rowsPerSecond: number;
  /** For the option `after`: seq of the last row that was looked at, decimal. */
  readonly after: string;
}

export interface RootsProgress {
  /** Seq of the last row that was looked at: for the option `after`. */
  readonly after: bigint;
  readonly rows: RootCounts;
  readonly earlierRows: RootCounts;
  readonly findings: number;
  readonly rowsPerSecond: number;
}

export type AuditReport = DatabaseReport | RootsReport;
