// Verifies a whole database, from its first transaction (or a root, or where an audit was interrupted) to the head: every
// header, every link, every tree root, every entry, on request every value.
import { ArgumentError, VerificationError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import { noCounts } from '../../verify/stretch-counts.js';
import type { Root } from '../../verify/verifier.js';
import { AuditAsker } from './access.js';
import type { AuditAccess } from './access.js';
import { DatabaseTally } from './database-tally.js';
import { findingOf, recordFinding } from './findings.js';
import type { Found } from './findings.js';
import { inOrder } from '../flow/in-order.js';
import { checkDatabaseOptions } from './options.js';
import type { DatabaseAuditOptions, ResolvedAuditOptions } from './options.js';
import { presentState } from './present-state.js';
import type { PresentState } from './present-state.js';
import type { DatabaseReport } from './report.js';
import { ResumePoints, loggedPoint } from './resume-points.js';
import type { ResumePoint } from './resume-token.js';
import { StretchChecker } from './stretch-checker.js';
import type { FailedPart, HeldPart, Part } from './stretch-checker.js';
import { StretchPlan } from '../trust/latest/stretch-plan.js';
import type { Stretch } from '../trust/latest/stretch-plan.js';

/** Name in the audit log. */
const OPERATION = 'audit.database';

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
async function startOf(
  access: AuditAccess,
  options: DatabaseAuditOptions,
  startedAt: number,
): Promise<ResumePoint> {
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
  readonly #state: PresentState;
  readonly #start: ResumePoint;
  readonly #options: DatabaseAuditOptions;
  readonly #resolved: ResolvedAuditOptions;
  readonly #tally: DatabaseTally;
  readonly #points: ResumePoints;
  readonly #checker: StretchChecker;
  /** The caller's own function ended the audit: it is not called again. */
  #callerThrew = false;

  constructor(
    access: AuditAccess,
    asker: AuditAsker,
    state: PresentState,
    start: ResumePoint,
    options: DatabaseAuditOptions,
    resolved: ResolvedAuditOptions,
  ) {
    this.#access = access;
    this.#state = state;
    this.#start = start;
    this.#options = options;
    this.#resolved = resolved;
    this.#tally = new DatabaseTally({ start, state, asker, maxFindings: resolved.maxFindings });
    this.#points = new ResumePoints(access, OPERATION);
    this.#checker = new StretchChecker({
      asker,
      trust: access.trust,
      state,
      values: start.withValues,
      narrows: () => !this.#tally.findings.isFull,
    });
  }

  async run(): Promise<DatabaseReport> {
    const { finding } = this.#state;
    if (finding) this.#tally.findings.add(finding);
    if (finding && this.#resolved.stops) return await this.#report();
    const range = { first: this.#tally.tx + 1n, last: this.#state.tx };
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
      this.#tally.findings.add(findingOf(error));
    }
    return await this.#report();
  }

  async #commit(parts: readonly Part[]): Promise<boolean> {
    for (const part of parts) {
      if (part.kind === 'held') await this.#commitHeld(part);
      else await this.#commitFailed(part);
      if (this.#resolved.stops && this.#tally.findings.total > 0) return false;
    }
    if (this.#options.onProgress && (this.#points.isDue || this.#tally.tx >= this.#state.tx))
      await this.#logPoint();
    this.#tell();
    return true;
  }

  #tell(): void {
    this.#callerThrew = true;
    this.#options.onProgress?.(this.#tally.progress(this.#points.token));
    this.#callerThrew = false;
  }

  /** Interrupted: what was done since the last point is not to be done again. */
  async #leave(): Promise<void> {
    if (!this.#options.onProgress || this.#callerThrew || this.#tally.tx === this.#start.tx) return;
    try {
      await this.#logPoint();
      this.#tell();
    } catch {
      // Why it is interrupted is what the caller is told.
    }
  }

  async #logPoint(): Promise<void> {
    await this.#points.log(this.#tally.point, { head: this.#head, lastTx: this.#state.tx });
  }

  async #commitHeld(part: HeldPart): Promise<void> {
    const { alh } = this.#tally;
    if (alh && !equalBytes(alh, part.prevAlh)) await this.#findUnlinked(part, alh);
    if (part.refusal?.kind === 'corrupted') await this.#findCorrupted(part, part.refusal.reason);
    this.#tally.addHeld(part);
  }

  async #commitFailed(part: FailedPart): Promise<void> {
    const { first, last, refuted, job } = part;
    await this.#find({ refuted, tx: first, toTx: last, ...(job && { job }) });
    this.#tally.addFailed(part);
  }

  /** Both stretches hold, and do not follow each other: asked for again, the first tx of the second shows it. */
  async #findUnlinked({ first, prevAlh }: HeldPart, after: Uint8Array): Promise<void> {
    const [again] = await this.#checker.check({ first, last: first }, after);
    const shown = again?.kind === 'failed' ? again : undefined;
    const refuted = shown?.refuted ?? {
      check: 'stretch.after',
      detail: 'the first tx does not follow the one before it (asked again, it did)',
      expected: toHex(after),
      computed: toHex(prevAlh),
    };
    await this.#find({ refuted, tx: first, ...(shown?.job && { job: shown.job }) });
  }

  /** A server that says itself that its values are not those that were hashed is believed. */
  async #findCorrupted({ first, last }: HeldPart, reason: string): Promise<void> {
    const detail = `the server says that values are not those that were hashed: ${reason}`;
    await this.#find({ refuted: { check: 'server.corrupted', detail }, tx: first, toTx: last });
  }

  async #find(found: Pick<Found, 'refuted' | 'tx' | 'toTx' | 'job'>): Promise<void> {
    const where = { outcome: 'failure', operation: OPERATION, head: this.#head } as const;
    this.#tally.findings.add(await recordFinding(this.#access.trustLog, { ...where, ...found }));
  }

  /** The trusted head, under which findings are logged. */
  get #head(): Root {
    const { before, trusted, tx, alh } = this.#state;
    return trusted ? { tx, alh } : before;
  }

  async #report(): Promise<DatabaseReport> {
    await this.#logPoint();
    return this.#tally.report(this.#points.token);
  }
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce(
    (sum, part) => sum + (part.kind === 'held' ? part.bytes : (part.job?.answer.length ?? 0)),
    0,
  );
}
