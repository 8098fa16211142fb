// Verifies a whole database, from its first transaction (or a root, or where an audit was interrupted) to the head: every
// header, every link, every tree root, every entry, on request every value.
import { ArgumentError } from '../../errors.js';
import type { Root } from '../../verify/verifier.js';
import { AuditAsker } from './access.js';
import type { AuditAccess } from './access.js';
import { DatabaseTally } from './database-tally.js';
import { checkDatabaseOptions } from './options.js';
import type { DatabaseAuditOptions, ResolvedAuditOptions } from './options.js';
import { presentState } from './present-state.js';
import type { PresentState } from './present-state.js';
import type { DatabaseReport } from './report.js';
import { ResumePoints, loggedPoint } from './resume-points.js';
import { beginningAt } from './resume-token.js';
import type { ResumePoint } from './resume-token.js';
import { StretchesAudit } from './stretches-audit.js';

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
  return beginningAt({ server, database, after, withValues: values, startedAt });
}

class DatabaseAudit {
  readonly #start: ResumePoint;
  readonly #state: PresentState;
  readonly #options: DatabaseAuditOptions;
  readonly #tally: DatabaseTally;
  readonly #points: ResumePoints;
  readonly #stretches: StretchesAudit;
  /** The trusted head. */
  readonly #head: Root;
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
    this.#start = start;
    this.#state = state;
    this.#options = options;
    const { maxFindings } = resolved;
    this.#tally = new DatabaseTally({ start, state, last: state.tx, asker, maxFindings });
    this.#head = state.trusted ? { tx: state.tx, alh: state.alh } : state.before;
    this.#points = new ResumePoints(access, OPERATION);
    this.#stretches = new StretchesAudit({
      ...{ access, asker, operation: OPERATION, state, resolved, tally: this.#tally },
      head: this.#head,
      values: start.withValues,
      onStretch: () => this.#reached(),
    });
  }

  async run(): Promise<DatabaseReport> {
    try {
      await this.#stretches.run();
    } catch (error) {
      await this.#leave();
      throw error;
    }
    await this.#logPoint();
    return this.#tally.report(this.#points.token);
  }

  async #reached(): Promise<void> {
    if (this.#options.onProgress && (this.#points.isDue || this.#tally.tx >= this.#state.tx))
      await this.#logPoint();
    this.#tell();
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
}
