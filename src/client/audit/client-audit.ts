// The audit log of a client, and audits of the server against it.
import type { AuditLog } from '../../store/root-store.js';
import { LazyAudit } from './lazy-audit.js';
import type { RootStore } from '../../store/root-store.js';
import type { Door } from '../flow/door.js';
import type { CallOptions } from '../input/call-options.js';
import type { AuditAccess } from './access.js';
import { auditDatabase } from './database-audit.js';
import { checkDatabaseOptions, checkRangeOptions, checkRootsOptions } from './options.js';
import type { DatabaseAuditOptions, RangeAuditOptions, RootsAuditOptions } from './options.js';
import { auditRange } from './ranges/range-audit.js';
import type { SignedRangeReport } from './ranges/range-report.js';
import type { DatabaseReport, RootsReport } from './report.js';
import { auditRoots } from './roots-audit.js';

/** The log, and what can be held against it. Audits are of the selected database, under the client's trusted head. */
export interface ClientAudit extends AuditLog {
  /**
   * Proves every logged root of this server and database (rows `first-use`, `pinned` and `root`) against the server's present
   * state: that the transaction is still there, with the hash that was logged. An alh fixes everything before it, so a root
   * that is proven vouches for the history up to it.
   *
   * The trusted head is moved to the present state first. Where the server cannot prove that move, roots are held against the
   * state it claims: the report then says up to which root the server stands by its word. A contradicted root is recorded
   * (outcome `fork`) with evidence. Rows from before trust was last forgotten are judged too, apart, and are not recorded.
   *
   * @throws TransportError (ABORTED among them), StoreError, ArgumentError. What is wrong with the server's data is in
   * the report, not thrown
   *
   * @example
   * const report = await client.audit.prove();
   * console.log(report.ok, report.rows.proven);
   */
  prove(options?: RootsAuditOptions): Promise<RootsReport>;
  /**
   * Verifies the whole selected database up to the server's present state, to which the trusted head is moved first: every
   * header is linked to the one before it, commits to the history tree over all before it, and has exactly the entries that
   * it commits to; with `values` also that each value shown is the one that was hashed. What does not hold is narrowed down
   * to a transaction where that is possible, recorded with evidence (outcome `failure`), and the audit goes on.
   *
   * Not checked, and counted as such: tree roots under tree lag (servers before 1.3.2) that reach back behind the stretch
   * that is looked at; values that the server does not show. Transactions committed after the audit began are not part of it.
   *
   * @throws TransportError (ABORTED among them), StoreError, ArgumentError. What is wrong with the server's data is in
   * the report, not thrown
   *
   * @example
   * const report = await client.audit.database({ onProgress: ({ tx, lastTx }) => console.log(tx, 'of', lastTx) });
   * console.log(reportText(report));
   */
  database(options?: DatabaseAuditOptions): Promise<DatabaseReport>;
  /**
   * Verifies transactions `first` to `last` of the selected database as {@link database} does, without those before them: they are
   * proven under `under`, a root that whoever asks for the range trusts, and which must be on this client's own trusted history.
   * The report says with which hashes the range begins and ends, is signed, and its SHA-256 is in the log: `joinReports` makes one
   * report of those that lie side by side, by whichever clients and machines they were made.
   *
   * @throws VerificationError FORK_DETECTED when `under` is not on the trusted history
   * @throws ArgumentError, for a root beyond the server's newest transaction too
   * @throws TransportError (ABORTED among them), StoreError. What is wrong with the server's data is in the report, not thrown
   *
   * @example
   * const { tx, alh } = await client.verifiedState();
   * const signed = await client.audit.range({ first: 1n, last: tx / 2n, under: { tx, alh }, key: privateKeyPem });
   */
  range(options: RangeAuditOptions): Promise<SignedRangeReport>;
}

const VERIFIED = { verified: true };

export class LazyClientAudit extends LazyAudit implements ClientAudit {
  readonly #access: () => Promise<AuditAccess>;
  readonly #door: Door;

  constructor(store: () => Promise<RootStore>, access: () => Promise<AuditAccess>, door: Door) {
    super(store, door);
    this.#access = access;
    this.#door = door;
  }

  async prove(options: RootsAuditOptions = {}): Promise<RootsReport> {
    const { call } = checkRootsOptions(options);
    return this.#audit('audit.prove', call, (access) => auditRoots(access, options));
  }

  async database(options: DatabaseAuditOptions = {}): Promise<DatabaseReport> {
    const { call } = checkDatabaseOptions(options);
    return this.#audit('audit.database', call, (access) => auditDatabase(access, options));
  }

  async range(options: RangeAuditOptions): Promise<SignedRangeReport> {
    const { call } = checkRangeOptions(options);
    return this.#audit('audit.range', call, (access) => auditRange(access, options));
  }

  /** An audit has no deadline as a whole: what it has is for coming in. */
  #audit<T>(operation: string, call: CallOptions, work: (access: AuditAccess) => Promise<T>): Promise<T> {
    const deadline = this.#door.deadline(call, [], operation, VERIFIED);
    return this.#door.enter(deadline, 0, async () => work(await this.#access()));
  }
}
