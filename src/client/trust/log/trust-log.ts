// What trust writes into the root store: moves, first trust, refusals with their evidence, counts of covered calls.
import { StoreError, VerificationError } from '../../../errors.js';
import type { VerificationEvidence } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditOutcome,
  RootConflict,
  RootStore,
  StoredRoot,
  TrustKey,
} from '../../../store/root-store.js';
import { serverWords } from '../../../visible.js';
import type { Job, ProvenTarget, Refuted, Root } from '../../../verify/verifier.js';
import { AlikeRefusals } from './alike.js';
import { forkIn, forkTerms } from './fork-terms.js';
import type { Contradiction } from '../known/proven-headers.js';
import { Refusals } from './refusals.js';

/** Of a refusal's words in its row: they may be a server's. */
const MAX_DETAIL_CHARS = 2000;

/** How long covered calls are counted before their row is written, when no head move takes them along. */
const COVERAGE_FLUSH_MS = 1000;

export interface TrustLogOptions {
  readonly store: RootStore;
  readonly key: TrustKey;
  readonly clientId: string;
  /** SHA-256 of the SPKI of the configured state key: stands beside every signature that this client has checked. */
  readonly keyFingerprint?: Uint8Array;
  /** Told of every fork, also of one that no call fails with. What it throws is not caught. */
  readonly onFork?: ((fork: VerificationError) => void) | undefined;
}

/** A head move or first trust, as its row tells it. */
export interface Move {
  readonly outcome: 'root' | 'first-use' | 'pinned';
  readonly operation: string;
  readonly calls: number;
  /** `performance.now()` when the oldest covered call began. */
  readonly startedAt: number;
  readonly detail?: string;
}

/** What rows about a head are called whose signature was checked after it was trusted. */
export const SIGNED = 'stateSignature';

type RefusalOutcome = Extract<AuditOutcome, 'failure' | 'fork' | 'rollback'>;

/** Checks that refuse more than an answer: the server is not where it was, or shows another history. */
const OUTCOMES: Readonly<Record<string, RefusalOutcome>> = {
  'trust.rollback': 'rollback',
  'trust.fork': 'fork',
  'trust.given': 'fork',
};

/** What can be done about it, where somebody may have done it on purpose. */
const WAYS_OUT: Readonly<Partial<Record<RefusalOutcome, string>>> = {
  fork: '; trust is kept. If the server was restored or made anew on purpose: forgetTrust(reason)',
  rollback:
    '; trust is kept. Once the server has caught up calls go on by themselves; if it was restored on purpose: forgetTrust(reason)',
};

type Refusal = [
  outcome: RefusalOutcome,
  operation: string,
  head: StoredRoot | null,
  refuted: Refuted & { readonly tx?: bigint },
  job?: Job,
  calls?: number,
];

const CODES = {
  failure: 'VERIFICATION_FAILED',
  fork: 'FORK_DETECTED',
  rollback: 'SERVER_BEHIND_TRUST',
} as const;

export class TrustLog {
  readonly #options: TrustLogOptions;
  readonly #covered = new Map<string, { calls: number; startedAt: number }>();
  /** Set once the log has another hash for the head that calls rest on: no call is proven under it any longer. */
  #forked: VerificationError | undefined;
  #earlierForkIsTold = false;
  /** What refusals were recorded with, as long as somebody has them: further calls may be refused by them. */
  readonly #recorded = new WeakMap<VerificationError, Refusal>();
  readonly #refusals: Refusals;
  readonly #alike = new AlikeRefusals<Refusal>();
  /** Why a refusal is not in the log. */
  #unwritten: StoreError | undefined;
  #ended: Error | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: TrustLogOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.store);
  }

  get key(): TrustKey {
    return this.#options.key;
  }

  /** The fork that ends the use of the head; undefined while there is none. */
  get forked(): VerificationError | undefined {
    return this.#forked;
  }

  /**
   * Compare-and-set of the stored head; resolves when the row is durable. `job` proves `to`: evidence, should the log have
   * another hash for it from before trust was forgotten. The move goes on then, for the user asked for a new start.
   */
  async advance(
    from: StoredRoot | null,
    to: Root & Partial<ProvenTarget>,
    move: Move,
    job?: Job,
  ): Promise<AdvanceOutcome> {
    if (this.#ended) throw this.#ended;
    const expected = from && { tx: from.tx, alh: from.alh };
    const outcome = await this.#options.store.advance(expected, {
      ...this.#row(to, move.outcome, move.operation, from),
      ...this.#proven(to),
      calls: move.calls,
      durationMs: performance.now() - move.startedAt,
      ...(move.detail !== undefined && { detail: move.detail }),
    });
    if (outcome.moved && outcome.conflict && !this.#earlierForkIsTold) {
      this.#earlierForkIsTold = true;
      await this.refuse('fork', move.operation, to, forkTerms(outcome.conflict, to), job);
    }
    return outcome;
  }

  /** Trust was forgotten since `root` was logged: by another process, for this one would know. */
  async wasForgotten(root: StoredRoot): Promise<boolean> {
    const { store, key } = this.#options;
    const logged = await store.audit.rootAt(root.tx, key);
    if (logged?.tx === root.tx && equalBytes(logged.alh, root.alh)) return false;
    const query = { ...key, outcome: 'forget', order: 'desc', limit: 1 } as const;
    const { done } = await store.audit.roots(query).next();
    return done !== true;
  }

  /** The log has another hash for the head itself: told now, and to every later call. */
  async headForked(
    conflict: RootConflict,
    head: StoredRoot,
    operation: string,
    job: Job,
  ): Promise<VerificationError> {
    const refuted = { ...forkTerms(conflict, head), check: 'trust.head' };
    this.#forked ??= await this.refuse('fork', operation, head, refuted, job);
    return this.#forked;
  }

  /** Counts calls that were proven under a head that already has its row. */
  countCalls(operation: string, head: () => StoredRoot, startedAt: number, calls = 1): void {
    const counter = this.#covered.get(operation);
    if (counter) counter.calls += calls;
    else this.#covered.set(operation, { calls, startedAt });
    this.#flushTimer ??= setTimeout(() => {
      this.#flushing = this.flush(head()).catch(() => undefined);
    }, COVERAGE_FLUSH_MS).unref();
  }

  /** Writes the counts that are due. Counts that the store refuses are kept for the next time. */
  async flush(head: StoredRoot): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const due = [...this.#covered];
    this.#covered.clear();
    const written = await Promise.allSettled(
      due.map(([operation, { calls, startedAt }]) =>
        this.#options.store.record({
          ...this.#row(head, 'calls', operation, head),
          calls,
          durationMs: performance.now() - startedAt,
        }),
      ),
    );
    written.forEach((result, i) => {
      const counter = due[i];
      if (result.status === 'rejected' && counter) this.#covered.set(counter[0], counter[1]);
    });
    const fork = written.flatMap((result) => forkIn(result))[0];
    if (fork) throw this.#headForkedBefore(fork, head);
    const failed = written.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** From now on no head is begun or moved: answers may be another server's. */
  stop(reason: Error): void {
    this.#ended = reason;
  }

  /** Trust has ended: what was counted under it is written, and nothing that was found under it ends the next one. */
  async end(head: StoredRoot): Promise<void> {
    await this.#flushing;
    await this.#writeAlike();
    // Told by `onFork` when the log contradicts it; a store that cannot take it says so on its next use.
    await this.flush(head).catch(() => undefined);
    this.#forked = undefined;
    this.#earlierForkIsTold = false;
  }

  /** Rows of what was refused since the last row of its kind, and those under way. */
  async #writeAlike(): Promise<void> {
    for (const { refusal, calls } of this.#alike.take()) this.#refuse(refusal, calls);
    await this.#refusals.idle();
  }

  /** The same of calls that were already told that all is well. The store has logged it. */
  #headForkedBefore(conflict: RootConflict, head: StoredRoot): VerificationError {
    const { server, database } = this.#options.key;
    const { detail, expected, computed, tx } = forkTerms(conflict, head);
    this.#forked = new VerificationError('FORK_DETECTED', `calls on ${database}: ${detail}`, {
      ...{ server, database, check: 'trust.head', expected, computed, tx },
    });
    this.#tell(this.#forked);
    return this.#forked;
  }

  /** Waits for a flush under way and writes the last counts. */
  async close(head: StoredRoot | null): Promise<void> {
    await this.#flushing;
    await this.#writeAlike();
    if (head) await this.flush(head);
    clearTimeout(this.#flushTimer);
    if (this.#unwritten) throw this.#unwritten;
  }

  /**
   * Records a refusal with everything needed to re-run the check, and returns the error to throw. Its row is durable by then,
   * unless there are megabytes to be written first: {@link close} waits for those.
   * A store that cannot take it does not hide the refusal: its error becomes the cause, at once or later. Never rejects.
   * `calls`: how many it refuses.
   */
  async refuse(...refusal: Refusal): Promise<VerificationError> {
    const [, operation, , { check, expected = '' }, , calls = 1] = refusal;
    const outcome = outcomeOf(refusal);
    const name = [outcome, operation, check, expected].join(' ');
    const due = outcome === 'failure' ? calls : this.#alike.due(name, refusal, calls);
    const { error, written, isShort } = this.#refuse(refusal, due);
    if (due !== undefined) this.#tell(error);
    if (isShort) await written;
    return error;
  }

  /** {@link refuse}, for one who has to know whether there is a row of it: then the error has no cause. */
  async refuseInLog(...refusal: Refusal): Promise<VerificationError> {
    const { error, written } = this.#refuse(refusal, refusal[5] ?? 1);
    this.#tell(error);
    await written;
    return error;
  }

  /** The same for another call, which was refused without being sent. Never rejects. */
  async again(refusal: VerificationError, operation: string): Promise<VerificationError> {
    const recorded = this.#recorded.get(refusal);
    if (!recorded) return refusal;
    const [outcome, , head, refuted, job] = recorded;
    return this.refuse(outcome, operation, head, refuted, job);
  }

  /** `calls`: those that its row counts; undefined: another row does. */
  #refuse(refusal: Refusal, calls: number | undefined) {
    const [, operation, head, refuted, job] = refusal;
    const outcome = outcomeOf(refusal);
    const { server, database } = this.#options.key;
    const { check, expected, computed } = refuted;
    const terms = {
      ...(expected !== undefined && { expected }),
      ...(computed !== undefined && { computed }),
    };
    const evidence: VerificationEvidence = {
      server,
      database,
      check,
      ...terms,
      ...(refuted.tx !== undefined && { tx: refuted.tx }),
    };
    const message = `${operation} on ${database}: ${refuted.detail}${WAYS_OUT[outcome] ?? ''}`;
    const error = new VerificationError(CODES[outcome], message, evidence);
    this.#recorded.set(error, refusal);
    if (calls === undefined) return { error, written: Promise.resolve(), isShort: true };
    const subject = head ?? { tx: 0n, alh: new Uint8Array(32) };
    const row = {
      ...this.#row(subject, outcome, operation, head),
      ...{ calls, durationMs: 0, detail: serverWords(refuted.detail, MAX_DETAIL_CHARS) },
    };
    const { written, isShort } = this.#refusals.add(row, { check, ...terms }, job);
    const told = written.catch((cause: unknown) => {
      // Whoever was told already sees it there, and when the client is closed.
      if (!isShort) {
        const words = `a refusal is not in the audit log: ${cause instanceof Error ? cause.message : String(cause)}`;
        this.#unwritten ??= new StoreError('STORE_FAILED', words, { cause });
      }
      error.message = `${message} (not recorded: the store failed)`;
      error.cause = cause;
    });
    return { error, written: told, isShort };
  }

  #tell(error: VerificationError): VerificationError {
    const { onFork } = this.#options;
    if (onFork && error.code === 'FORK_DETECTED') queueMicrotask(() => onFork(error));
    return error;
  }

  /**
   * Writes down what was done beside calls: a row that covers none, under a root that has its row.
   *
   * @throws VerificationError when the log has another hash for the head
   */
  async note(head: StoredRoot, operation: string, detail: string): Promise<void> {
    const row = { ...this.#row(head, 'calls', operation, head), calls: 0, durationMs: 0, detail };
    const { conflict } = await this.#options.store.record(row);
    if (conflict && !conflict.forgotten) throw this.#headForkedBefore(conflict, head);
  }

  /**
   * Writes down that a root which was trusted without the configured key is signed with it: the next process finds it there.
   *
   * @throws VerificationError when the log has another hash for it
   */
  async noteSigned(target: ProvenTarget): Promise<void> {
    const detail = 'signed with the configured key';
    const row = { ...this.#row(target, 'calls', SIGNED, target), ...this.#proven(target) };
    const { conflict } = await this.#options.store.record({ ...row, calls: 0, durationMs: 0, detail });
    if (conflict && !conflict.forgotten) throw this.#headForkedBefore(conflict, target);
  }

  /** {@link refuse} of an answer that proves another hash than was proven before. */
  contradicted(
    operation: string,
    head: StoredRoot,
    { tx, known, shown }: Contradiction,
    job: Job,
  ): Promise<VerificationError> {
    const check = 'trust.fork';
    const detail = `tx ${tx.toString()} is now proven to have another hash than it was proven to have before`;
    const refuted = { check, detail, expected: toHex(known), computed: toHex(shown), tx };
    return this.refuse('fork', operation, head, refuted, job);
  }

  /** Drops the stored head, with a row that says so. Null: there is none, and the row says that it is not to be. */
  async forget(trusted: StoredRoot | null, reason: string): Promise<void> {
    const head = trusted ?? { tx: 0n, alh: EMPTY_HASH };
    await this.#options.store.forget({
      ...this.#row(head, 'forget', 'forgetTrust', trusted),
      calls: 0,
      durationMs: 0,
      detail: reason,
    });
  }

  /**
   * What a proof tells of its target. With a key configured no answer is proven before its signature is checked; without one
   * the signature is kept as it came, and no fingerprint says that it was checked.
   */
  #proven({ ts = 0n, signature }: Partial<ProvenTarget>) {
    const { keyFingerprint } = this.#options;
    return {
      headerTime: ts,
      ...(signature && { signature, ...(keyFingerprint && { keyFingerprint }) }),
    };
  }

  #row(root: StoredRoot, outcome: AuditOutcome, operation: string, previous: StoredRoot | null) {
    const { key, clientId } = this.#options;
    return {
      ...key,
      tx: root.tx,
      alh: root.alh,
      outcome,
      operation,
      previousTx: previous ? previous.tx : null,
      headerTime: 0n,
      verifiedAt: Date.now(),
      clientId,
    } satisfies Partial<AuditEntry>;
  }
}

function outcomeOf([kind, , , { check, isFork }]: Refusal): RefusalOutcome {
  return isFork === true ? 'fork' : (OUTCOMES[check] ?? kind);
}
