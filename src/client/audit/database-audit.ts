// Verifies a whole database, from its first transaction (or a root, or where an audit was interrupted) to the head: every
// header, every link, every tree root, every entry, on request every value.
import { ArgumentError, VerificationError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import { addCounts, noCounts } from '../../verify/stretch-counts.js';
import type { MutableCounts } from '../../verify/stretch-counts.js';
import type { Root, StretchCounts } from '../../verify/verifier.js';
import { AuditAsker } from './access.js';
import type { AuditAccess } from './access.js';
import { findingOf, Findings, recordFinding } from './findings.js';
import { inOrder } from './in-order.js';
import { checkDatabaseOptions } from './options.js';
import type { DatabaseAuditOptions, ResolvedAuditOptions } from './options.js';
import { presentState } from './present-state.js';
import type { PresentState } from './present-state.js';
import type { DatabaseProgress, DatabaseReport } from './report.js';
import { ResumePoints, loggedPoint } from './resume-points.js';
import type { ResumePoint } from './resume-token.js';
import { StretchChecker } from './stretch-checker.js';
import type { Part, ValuesRefusal } from './stretch-checker.js';
import { StretchPlan } from './stretch-plan.js';
import type { Stretch } from './stretch-plan.js';

/** Name in the audit log. */
const OPERATION = 'audit.database';
/** Refusals of values that are told one by one. */
const MAX_REFUSALS = 10;

/** @throws ArgumentError, TransportError (ABORTED among them), StoreError; never for what a server says of its data */
export async function auditDatabase(
  access: AuditAccess,
  options: DatabaseAuditOptions,
): Promise<DatabaseReport> {
  const resolved = checkDatabaseOptions(options);
  const asker = new AuditAsker(access, OPERATION, resolved.call);
  const start = await startOf(access, options, Date.now());
  const state = await presentState(access, asker);
  if (start.tx > state.tx && state.trusted) {
    const what = options.resume === undefined ? 'after' : 'resume';
    throw new ArgumentError(what, `${what} is beyond the newest transaction, ${state.tx.toString()}`);
  }
  return new DatabaseAudit(access, asker, state, start, options, resolved).run();
}

/** Where the audit begins. */
type Start = ResumePoint;

async function startOf(
  access: AuditAccess,
  options: DatabaseAuditOptions,
  startedAt: number,
): Promise<Start> {
  const { server, database } = access;
  const { after = 0n, resume, values = false } = options;
  if (resume !== undefined) {
    const point = await loggedPoint(access, OPERATION, resume);
    if (options.values !== undefined && values !== point.withValues)
      throw new ArgumentError('values', 'values must be what it was when the audit began');
    return point;
  }
  const root = typeof after === 'object' ? after : { tx: after, alh: after === 0n ? EMPTY_HASH : null };
  return {
    server,
    database,
    withValues: values,
    ...root,
    from: root.tx + 1n,
    counts: noCounts(),
    txsWrong: 0,
    valuesRefused: [],
    gone: { values: 0, upTo: 0n },
    truncatedUpTo: 0n,
    findings: [],
    findingsTotal: 0,
    bytes: 0,
    startedAt,
    durationMs: 0,
  };
}

class DatabaseAudit {
  readonly #access: AuditAccess;
  readonly #asker: AuditAsker;
  readonly #state: PresentState;
  readonly #start: Start;
  readonly #options: DatabaseAuditOptions;
  readonly #resolved: ResolvedAuditOptions;
  readonly #checker: StretchChecker;
  readonly #findings: Findings;
  readonly #points: ResumePoints;
  readonly #counts: MutableCounts = noCounts();
  readonly #refusals: DatabaseReport['valuesRefused'][number][];
  readonly #beganAt = performance.now();
  #gone: ResumePoint['gone'];
  #truncatedUpTo: bigint;
  #txsWrong: number;
  /** Everything up to here is done. */
  #tx: bigint;
  /** Null when it is not proven what precedes the next tx. */
  #alh: Uint8Array | null;
  /** The caller's own function ended the audit: it is not called again. */
  #callerThrew = false;

  constructor(
    access: AuditAccess,
    asker: AuditAsker,
    state: PresentState,
    start: Start,
    options: DatabaseAuditOptions,
    resolved: ResolvedAuditOptions,
  ) {
    this.#access = access;
    this.#asker = asker;
    this.#state = state;
    this.#start = start;
    this.#options = options;
    this.#resolved = resolved;
    this.#findings = new Findings(resolved.maxFindings, {
      listed: start.findings,
      total: start.findingsTotal,
    });
    this.#points = new ResumePoints(access, OPERATION);
    addCounts(this.#counts, start.counts);
    this.#refusals = [...start.valuesRefused];
    this.#gone = start.gone;
    this.#truncatedUpTo = start.truncatedUpTo;
    this.#txsWrong = start.txsWrong;
    this.#tx = start.tx;
    this.#alh = start.alh;
    this.#checker = new StretchChecker({
      asker,
      trust: access.trust,
      state,
      values: start.withValues,
      narrows: () => !this.#findings.isFull,
    });
  }

  async run(): Promise<DatabaseReport> {
    const { finding } = this.#state;
    if (finding) this.#findings.add(finding);
    if (finding && this.#resolved.stops) return await this.#report();
    const range = { first: this.#tx + 1n, last: this.#state.tx };
    const plan = new StretchPlan(range, this.#access.maxMessageBytes);
    try {
      await inOrder({
        lanes: this.#resolved.inFlight,
        next: () => plan.next(),
        work: async (stretch: Stretch) => {
          const parts = await this.#checker.check(stretch);
          plan.learn(stretch, sizeOf(parts));
          return parts;
        },
        commit: async (parts) => this.#commit(parts),
      });
    } catch (error) {
      // The server went back or changed its history while it was audited: recorded by trust.
      if (!(error instanceof VerificationError)) {
        await this.#leave();
        throw error;
      }
      this.#findings.add(findingOf(error));
    }
    return await this.#report();
  }

  async #commit(parts: readonly Part[]): Promise<boolean> {
    for (const part of parts) {
      if (part.kind === 'held') await this.#commitHeld(part);
      else await this.#commitFailed(part);
      if (this.#resolved.stops && this.#findings.total > 0) return false;
    }
    if (this.#options.onProgress && (this.#points.isDue || this.#tx >= this.#state.tx))
      await this.#logPoint();
    this.#tell();
    return true;
  }

  #tell(): void {
    this.#callerThrew = true;
    this.#options.onProgress?.(this.#progress());
    this.#callerThrew = false;
  }

  /** Interrupted: what was done since the last point is not to be done again. */
  async #leave(): Promise<void> {
    if (!this.#options.onProgress || this.#callerThrew || this.#tx === this.#start.tx) return;
    try {
      await this.#logPoint();
      this.#tell();
    } catch {
      // Why it is interrupted is what the caller is told.
    }
  }

  async #logPoint(): Promise<void> {
    await this.#points.log(this.#point(), { head: this.#head, lastTx: this.#state.tx });
  }

  async #commitHeld(part: Extract<Part, { kind: 'held' }>): Promise<void> {
    const { last, prevAlh, alh, counts, refusal, truncatedUpTo } = part;
    if (this.#alh && !equalBytes(this.#alh, prevAlh)) await this.#commitUnlinked(part, this.#alh);
    addCounts(this.#counts, counts);
    if (refusal) await this.#commitRefused(part, refusal);
    if (truncatedUpTo > this.#truncatedUpTo) this.#truncatedUpTo = truncatedUpTo;
    this.#tx = last;
    this.#alh = alh;
  }

  /** A server that says itself that its values are not those that were hashed is believed. */
  async #commitRefused(
    { first, last, counts }: Extract<Part, { kind: 'held' }>,
    { kind, reason }: ValuesRefusal,
  ): Promise<void> {
    if (this.#refusals.length < MAX_REFUSALS)
      this.#refusals.push({ tx: first.toString(), toTx: last.toString(), reason });
    if (kind === 'gone') this.#gone = { values: this.#gone.values + plainNotShown(counts), upTo: last };
    if (kind !== 'corrupted') return;
    const detail = `the server says that values are not those that were hashed: ${reason}`;
    this.#findings.add(
      await recordFinding(this.#access.trustLog, {
        ...{ outcome: 'failure', operation: OPERATION, head: this.#head },
        ...{ refuted: { check: 'server.corrupted', detail }, tx: first, toTx: last },
      }),
    );
  }

  async #commitFailed({ first, last, refuted, job }: Extract<Part, { kind: 'failed' }>): Promise<void> {
    this.#findings.add(
      await recordFinding(this.#access.trustLog, {
        ...{ outcome: 'failure', operation: OPERATION, head: this.#head, refuted },
        ...{ tx: first, toTx: last, ...(job && { job }) },
      }),
    );
    this.#txsWrong += Number(last - first) + 1;
    this.#tx = last;
    this.#alh = null;
  }

  /** Both stretches hold, and do not follow each other: asked for again, the first tx of the second shows it. */
  async #commitUnlinked(
    { first, prevAlh }: Extract<Part, { kind: 'held' }>,
    after: Uint8Array,
  ): Promise<void> {
    const [again] = await this.#checker.check({ first, last: first }, after);
    const shown = again?.kind === 'failed' ? again : undefined;
    const refuted = shown?.refuted ?? {
      check: 'stretch.after',
      detail: 'the first tx does not follow the one before it (asked again, it did)',
      expected: toHex(after),
      computed: toHex(prevAlh),
    };
    this.#findings.add(
      await recordFinding(this.#access.trustLog, {
        ...{ outcome: 'failure', operation: OPERATION, head: this.#head, refuted },
        ...{ tx: first, ...(shown?.job && { job: shown.job }) },
      }),
    );
  }

  #progress(): DatabaseProgress {
    return {
      tx: this.#tx,
      lastTx: this.#state.tx,
      checked: { ...this.#counts },
      findings: this.#findings.total,
      txsPerSecond: perSecond(this.#counts.txs - this.#start.counts.txs, performance.now() - this.#beganAt),
      resume: this.#points.token,
    };
  }

  #point(): ResumePoint {
    const { server, database, withValues, from, startedAt } = this.#start;
    return {
      ...{ server, database, withValues, from, startedAt },
      ...{ tx: this.#tx, alh: this.#alh, counts: this.#counts, txsWrong: this.#txsWrong },
      ...{ gone: this.#gone, truncatedUpTo: this.#truncatedUpTo },
      ...{ valuesRefused: this.#refusals, bytes: this.#bytes, durationMs: this.#durationMs },
      findings: this.#findings.listed,
      findingsTotal: this.#findings.total,
    };
  }

  /** The trusted head, under which findings are logged. */
  get #head(): Root {
    const { before, trusted, tx, alh } = this.#state;
    return trusted ? { tx, alh } : before;
  }

  get #bytes(): number {
    return this.#start.bytes + this.#asker.bytes;
  }

  get #durationMs(): number {
    return this.#start.durationMs + performance.now() - this.#beganAt;
  }

  async #report(): Promise<DatabaseReport> {
    await this.#logPoint();
    const { tx, alh, trusted, signed } = this.#state;
    const { server, database, from, withValues, startedAt } = this.#start;
    // A truncation takes all that is before it, so what is gone behind it was taken by somebody else.
    const valuesTruncated = this.#gone.upTo <= this.#truncatedUpTo ? this.#gone.values : 0;
    const valuesMissing = plainNotShown(this.#counts) - valuesTruncated;
    const complete = this.#tx >= tx && trusted && valuesMissing === 0;
    const durationMs = this.#durationMs;
    return {
      kind: 'database',
      server,
      database,
      state: { tx: tx.toString(), alh: toHex(alh), trusted, signed },
      ok: complete && this.#findings.total === 0,
      complete,
      startedAt: new Date(startedAt).toISOString(),
      durationMs: Math.round(durationMs),
      bytes: this.#bytes,
      findings: this.#findings.listed,
      findingsTotal: this.#findings.total,
      from: from.toString(),
      to: this.#tx.toString(),
      txsWrong: this.#txsWrong,
      checked: { ...this.#counts },
      withValues,
      valuesTruncated,
      valuesMissing,
      valuesRefused: this.#refusals,
      txsPerSecond: Math.round(perSecond(this.#counts.txs, durationMs)),
      entriesPerSecond: Math.round(perSecond(this.#counts.entries, durationMs)),
      resume: this.#points.token,
    };
  }
}

/** Values that were asked for, and that a server shows unless there was a truncation. */
function plainNotShown({ valuesNotShown, valuesExpired, valuesOfDocuments }: StretchCounts): number {
  return valuesNotShown - valuesExpired - valuesOfDocuments;
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.kind === 'held' ? part.bytes : (part.job?.answer.length ?? 0)),
    0,
  );
}

function perSecond(count: number, durationMs: number): number {
  return durationMs > 0 ? (count * 1000) / durationMs : 0;
}
