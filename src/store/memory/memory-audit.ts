// The audit log of the store in memory: the same rows, chain, figures and checkpoints as in a file.
import type { KeyObject } from 'node:crypto';
import { StoreError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import { sha256 } from '../../proof/hash.js';
import { copyRoot } from '../log/audit-entry.js';
import { GapFinder } from '../log/audit-gaps.js';
import type { CheckedGapsQuery } from '../log/audit-gaps.js';
import type {
  AuditGap,
  AuditStats,
  AuditVerdict,
  Checkpoint,
  LoggedDatabase,
  RootConflict,
  StatsQuery,
  VerifyOptions,
} from '../audit-log.js';
import { BOOK_KEEPING, defined, isHeadMove, matcher } from '../log/audit-query.js';
import { evidenceHash, rowHash } from '../log/audit-row.js';
import { StatsBuilder, hourOf, sumsOf } from '../log/audit-stats.js';
import type { AuditEntry, AuditRow, Evidence, RootsQuery, StoredRoot, TrustKey } from '../audit-types.js';
import { CheckedAudit } from '../log/checked-audit.js';
import type { AuditRequest } from '../log/checked-audit.js';
import { checkedCheckpoint, signCheckpoint } from '../log/checkpoint.js';
import type { ForkLog } from '../log/conflict.js';
import { budgetHour, isWithinBudget, withoutBytes } from '../log/evidence-budget.js';
import { LogState, byName, nameOf } from '../log/log-state.js';
import { broken, contradicts, startDiffers, stateDiffers } from '../log/verify-rules.js';

/** Rows copied at a time. */
const PAGE_ROWS = 64;

export class MemoryAudit extends CheckedAudit implements ForkLog {
  /** What the rows add up to. */
  readonly state = new LogState();
  readonly #storeId: Uint8Array;
  readonly #start: Uint8Array;
  readonly #assertOpen: () => void;
  readonly #rows: AuditRow[] = [];
  /** Rows that moved a head, by database and tx. */
  readonly #moves = new Map<string, AuditRow[]>();
  readonly #forgotten = new Map<string, bigint>();
  readonly #forks = new Map<string, bigint>();
  readonly #checkpoints: Checkpoint[] = [];
  /** Packed jobs of evidence by their SHA-256, and bytes of them by hour and database. */
  readonly #jobs = new Map<string, Uint8Array>();
  readonly #evidenceUsed = new Map<string, number>();

  constructor(storeId: Uint8Array, start: Uint8Array, assertOpen: () => void) {
    super();
    this.#storeId = storeId;
    this.#start = start;
    this.#assertOpen = assertOpen;
  }

  append(given: AuditEntry): void {
    const entry = given.evidence ? { ...given, evidence: this.#kept(given, given.evidence) } : given;
    const previous = this.#rows.at(-1);
    const seq = (previous?.seq ?? 0n) + 1n;
    const row = { ...entry, seq, hash: this.#hash(previous, seq, entry) };
    this.#rows.push(row);
    this.state.apply(row);
    if (isHeadMove(row.outcome)) {
      const at = rootName(row);
      this.#moves.set(at, [...(this.#moves.get(at) ?? []), row]);
    }
    if (row.outcome === 'forget') this.#forgotten.set(nameOf(row), seq);
    if (row.outcome !== 'fork') return;
    this.#forks.set(nameOf(row), seq);
    this.#forks.set(forkName(row), seq);
  }

  /** See {@link ForkLog}: what `audit.conflict` says, at once. */
  findConflict(root: TrustKey & StoredRoot): RootConflict | null {
    const row = this.#moves.get(rootName(root))?.findLast(({ alh }) => !equalBytes(alh, root.alh));
    if (!row) return null;
    const forgotten = (this.#forgotten.get(nameOf(root)) ?? 0n) > row.seq;
    const { seq, tx, operation, clientId, verifiedAt } = row;
    return { seq, tx, alh: new Uint8Array(row.alh), operation, clientId, verifiedAt, forgotten };
  }

  hasFork(entry: AuditEntry): boolean {
    return this.#forks.has(forkName(entry));
  }

  hasForkSinceForget(entry: AuditEntry): boolean {
    return (this.#forks.get(nameOf(entry)) ?? 0n) > (this.#forgotten.get(nameOf(entry)) ?? 0n);
  }

  protected override async ask<T>(request: AuditRequest): Promise<T> {
    await Promise.resolve();
    this.#assertOpen();
    // Copies: what the caller does with an answer changes no row.
    return structuredClone(this.#answer(request)) as T;
  }

  #answer(request: AuditRequest): unknown {
    switch (request.kind) {
      case 'page':
        return this.#page(request.query);
      case 'row':
        return this.#rowAt(request.seq);
      case 'evidence':
        return this.#rowAt(request.seq)?.evidence ?? null;
      case 'latest': {
        const matches = matcher(request.filter);
        return this.#rows.findLast((row) => isHeadMove(row.outcome) && matches(row)) ?? null;
      }
      case 'rootAt':
        return this.#rootAt(request.tx, request.filter);
      case 'conflict':
        return this.findConflict(request.root);
      case 'databases':
        return this.#databases();
      case 'stats':
        return this.#stats(request.query);
      case 'gaps':
        return this.#gaps(request.query);
      case 'verify':
        return this.#verify(request.options);
      case 'checkpoint':
        return this.#checkpoint(request.key);
      case 'checkpoints': {
        const { after, limit } = request;
        return this.#checkpoints.filter(({ seq }) => after === null || seq > after).slice(0, limit);
      }
      case 'archive':
        throw new StoreError('STORE_FAILED', 'a root store in memory keeps no archives: use SqliteRootStore');
      case 'archives':
        return [];
    }
  }

  /** Row n stands at n - 1, and stays there: rows are only ever added at the end. */
  #rowAt(seq: bigint): AuditRow | null {
    return this.#rows[Number(seq) - 1] ?? null;
  }

  #page(query: RootsQuery): AuditRow[] {
    const matches = matcher(query);
    const down = query.order === 'desc';
    const limit = Math.min(query.limit ?? PAGE_ROWS, PAGE_ROWS);
    let at = down ? this.#rows.length - 1 : 0;
    if (query.after !== undefined) {
      const after = Math.min(Number(query.after), this.#rows.length + 1);
      at = down ? after - 2 : after;
    }
    const page: AuditRow[] = [];
    for (let row = this.#rows[at]; row && page.length < limit; row = this.#rows[(at += down ? -1 : 1)]) {
      if (matches(row)) page.push(row);
    }
    return page;
  }

  #rootAt(highest: bigint, filter: Partial<TrustKey>): AuditRow | null {
    const matches = matcher(filter);
    let found: AuditRow | null = null;
    for (const row of this.#rows) {
      if (!isHeadMove(row.outcome) || !matches(row) || row.tx > highest) continue;
      if (row.seq < (this.#forgotten.get(nameOf(row)) ?? 0n)) continue;
      if (!found || row.tx >= found.tx) found = row;
    }
    return found;
  }

  #databases(): LoggedDatabase[] {
    const found = new Map<string, LoggedDatabase>();
    for (const row of this.#rows) {
      if (row.database === '' || BOOK_KEEPING.includes(row.outcome)) continue;
      const { server, database, tx } = row;
      const before = found.get(nameOf(row)) ?? { rows: 0, tx: null };
      const txs = isHeadMove(row.outcome) ? widened(before.tx, tx) : before.tx;
      const head = this.state.head(row);
      found.set(nameOf(row), {
        ...{ server, database, rows: before.rows + 1, tx: txs },
        head: head && copyRoot(head),
      });
    }
    return [...found.values()].sort(byName);
  }

  #stats(query: Required<Pick<StatsQuery, 'bucket'>> & StatsQuery): AuditStats[] {
    const matches = matcher(query);
    const builder = new StatsBuilder(query.bucket);
    for (const row of this.#rows) {
      if (matches(row)) builder.add(hourOf(row.verifiedAt), row.outcome, sumsOf(row));
    }
    return builder.done();
  }

  #gaps(query: CheckedGapsQuery): readonly AuditGap[] {
    const { server, database } = query;
    const matches = matcher({ ...defined<Partial<TrustKey>>({ server, database }), outcome: 'all' });
    const finder = new GapFinder(query);
    for (const row of this.#rows) if (matches(row) && !finder.feed(row)) break;
    return finder.gaps;
  }

  #checkpoint(signer: KeyObject | undefined): Checkpoint {
    const last = this.#rows.at(-1);
    const plain: Checkpoint = {
      storeId: this.#storeId,
      seq: last?.seq ?? 0n,
      hash: last?.hash ?? this.#start,
      time: Date.now(),
      ...this.state.snapshot(),
    };
    const made = checkedCheckpoint(signer ? signCheckpoint(plain, signer) : plain);
    this.#checkpoints.push(made);
    return made;
  }

  #verify({ checkpoint, startsAfter }: VerifyOptions): AuditVerdict {
    const start = { seq: 0n, hash: new Uint8Array(this.#start) };
    const elsewhere = startDiffers(start, startsAfter);
    if (elsewhere) return elsewhere;
    const held = [...this.#checkpoints, ...(checkpoint ? [checkpoint] : [])];
    for (const { seq, storeId } of held) {
      if (!equalBytes(storeId, this.#storeId)) return broken(seq, 'the checkpoint is of another store');
      if (seq > BigInt(this.#rows.length)) return broken(seq, 'the row of the checkpoint is missing');
    }
    const state = new LogState();
    let previous: AuditRow | undefined;
    const jobHashes = new Map<Uint8Array, Uint8Array>();
    for (const row of [undefined, ...this.#rows]) {
      if (row && !equalBytes(this.#hash(previous, row.seq, row, jobHashes), row.hash)) {
        return broken(row.seq, 'the row was changed');
      }
      if (row) state.apply(row);
      previous = row;
      for (const made of held.filter(({ seq }) => seq === (row?.seq ?? 0n))) {
        const wrong = contradicts(made, row?.hash ?? this.#start, state.snapshot());
        if (wrong) return wrong;
      }
    }
    const words = stateDiffers(this.state.snapshot(), state.snapshot());
    if (words !== undefined) return broken(previous?.seq ?? 0n, words);
    return {
      ok: true,
      rows: BigInt(this.#rows.length),
      lastHash: new Uint8Array(previous?.hash ?? this.#start),
      startsAfter: start,
      checkpoints: this.#checkpoints.length,
    };
  }

  /** Evidence as it is kept: bytes that another row has too, once; beyond the budget, none. */
  #kept(entry: AuditEntry, evidence: Evidence): Evidence {
    const { job } = evidence;
    if (job.length === 0) return evidence;
    const jobHash = sha256(job);
    const name = toHex(jobHash);
    const known = this.#jobs.get(name);
    if (known) return { ...evidence, job: known };
    const budget = `${budgetHour(entry)} ${nameOf(entry)}`;
    const used = this.#evidenceUsed.get(budget) ?? 0;
    if (!isWithinBudget(used, job.length)) return withoutBytes(evidence, jobHash);
    this.#evidenceUsed.set(budget, used + job.length);
    this.#jobs.set(name, job);
    return evidence;
  }

  /** `jobHashes`: of what was hashed before, for several rows may be about the same bytes. */
  #hash(
    previous: AuditRow | undefined,
    seq: bigint,
    entry: AuditEntry,
    jobHashes = new Map<Uint8Array, Uint8Array>(),
  ): Uint8Array {
    const job = entry.evidence?.job;
    const jobHash = job && (jobHashes.get(job) ?? sha256(job));
    if (job && jobHash) jobHashes.set(job, jobHash);
    const evidence = entry.evidence && evidenceHash(entry.evidence, jobHash);
    return rowHash(previous?.hash ?? this.#start, seq, entry, evidence);
  }
}

function widened(txs: LoggedDatabase['tx'], tx: bigint): LoggedDatabase['tx'] {
  if (!txs) return { first: tx, last: tx };
  return { first: tx < txs.first ? tx : txs.first, last: tx > txs.last ? tx : txs.last };
}

function rootName(root: TrustKey & { readonly tx: bigint }): string {
  return `${root.tx.toString()} ${nameOf(root)}`;
}

function forkName(entry: AuditEntry): string {
  return `${toHex(entry.alh)} ${rootName(entry)}`;
}
