// What an audit of a database has come to so far: seen as progress, as the point where it can be resumed, and as its report.
import { toHex } from '../../proof/bytes.js';
import { addCounts, noCounts } from '../../verify/stretch-counts.js';
import type { MutableCounts } from '../../verify/stretch-counts.js';
import type { StretchCounts } from '../../verify/verifier.js';
import type { AuditAsker } from './access.js';
import { databaseReport, perSecond, plainNotShown } from './database-report.js';
import { Findings } from './findings.js';
import type { PresentState } from './present-state.js';
import type { DatabaseProgress, DatabaseReport } from './report.js';
import type { ResumePoint } from './resume-token.js';
import type { FailedPart, HeldPart, ValuesRefusal } from './stretch-checker.js';

/** Refusals of values that are told one by one. */
export const MAX_REFUSALS = 10;

export interface DatabaseTallyOptions {
  readonly start: ResumePoint;
  readonly state: PresentState;
  /** Where it ends. */
  readonly last: bigint;
  readonly asker: AuditAsker;
  readonly maxFindings: number;
}

export class DatabaseTally {
  readonly findings: Findings;
  /** Everything is done when `tx` is here. */
  readonly last: bigint;
  readonly #start: ResumePoint;
  readonly #state: PresentState;
  readonly #asker: AuditAsker;
  readonly #counts: MutableCounts = noCounts();
  readonly #refusals: DatabaseReport['valuesRefused'][number][];
  readonly #beganAt = performance.now();
  #gone: ResumePoint['gone'];
  #truncatedUpTo: bigint;
  #txsWrong: number;
  #tx: bigint;
  #alh: Uint8Array | null;
  #before: Uint8Array | null;

  constructor({ start, state, last, asker, maxFindings }: DatabaseTallyOptions) {
    this.#start = start;
    this.#state = state;
    this.#asker = asker;
    this.last = last;
    this.findings = new Findings(maxFindings, { listed: start.findings, total: start.findingsTotal });
    addCounts(this.#counts, start.counts);
    this.#refusals = [...start.valuesRefused];
    this.#gone = start.gone;
    this.#truncatedUpTo = start.truncatedUpTo;
    this.#txsWrong = start.txsWrong;
    this.#tx = start.tx;
    this.#alh = start.alh;
    this.#before = start.alh;
  }

  /** Everything up to here is done. */
  get tx(): bigint {
    return this.#tx;
  }

  /** Null when it is not proven what precedes the next tx. */
  get alh(): Uint8Array | null {
    return this.#alh;
  }

  /** What the first transaction follows, as it says itself where nothing else was known. Null when that was not proven. */
  get before(): Uint8Array | null {
    return this.#before;
  }

  addHeld({ first, last, prevAlh, alh, counts, refusal, truncatedUpTo }: HeldPart): void {
    if (first === this.#start.from) this.#before ??= prevAlh;
    addCounts(this.#counts, counts);
    if (refusal) this.#addRefusal(refusal, first, last, counts);
    if (truncatedUpTo > this.#truncatedUpTo) this.#truncatedUpTo = truncatedUpTo;
    this.#tx = last;
    this.#alh = alh;
  }

  #addRefusal({ kind, reason }: ValuesRefusal, first: bigint, last: bigint, counts: StretchCounts): void {
    if (this.#refusals.length < MAX_REFUSALS)
      this.#refusals.push({ tx: first.toString(), toTx: last.toString(), reason });
    if (kind === 'gone') this.#gone = { values: this.#gone.values + plainNotShown(counts), upTo: last };
  }

  addFailed({ first, last }: FailedPart): void {
    this.#txsWrong += Number(last - first) + 1;
    this.#tx = last;
    this.#alh = null;
  }

  /** `resume`: the newest token that was logged. */
  progress(resume: string): DatabaseProgress {
    return {
      tx: this.#tx,
      lastTx: this.last,
      checked: { ...this.#counts },
      findings: this.findings.total,
      txsPerSecond: perSecond(this.#counts.txs - this.#start.counts.txs, performance.now() - this.#beganAt),
      resume,
    };
  }

  get point(): ResumePoint {
    const { server, database, withValues, from, startedAt } = this.#start;
    return {
      ...{ server, database, withValues, from, startedAt },
      ...{ tx: this.#tx, alh: this.#alh, counts: this.#counts, txsWrong: this.#txsWrong },
      ...{ gone: this.#gone, truncatedUpTo: this.#truncatedUpTo },
      ...{ valuesRefused: this.#refusals, bytes: this.#bytes, durationMs: this.#durationMs },
      findings: this.findings.listed,
      findingsTotal: this.findings.total,
    };
  }

  report(resume: string): DatabaseReport {
    const { tx, alh, trusted, signed } = this.#state;
    const { valuesRefused, ...point } = this.point;
    return databaseReport({
      ...point,
      ...{ state: { tx: tx.toString(), alh: toHex(alh), trusted, signed }, last: this.last },
      ...{ to: point.tx, valuesRefused, resume },
    });
  }

  get #bytes(): number {
    return this.#start.bytes + this.#asker.bytes;
  }

  get #durationMs(): number {
    return this.#start.durationMs + performance.now() - this.#beganAt;
  }
}
