// What trust writes into the root store: moves, first trust, counts of covered calls; and refusals (refusal-log.ts).
import { VerificationError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import { EMPTY_HASH } from '../../../proof/hash.js';
import type { AdvanceOutcome, RootConflict, StoredRoot } from '../../../store/root-store.js';
import type { Job, ProvenTarget, Root } from '../../../verify/verifier.js';
import type { HeadEvent } from '../../watch/events.js';
import { RefusalLog } from './refusal-log.js';
import { forkIn, forkTerms } from './fork-terms.js';

/** How long covered calls are counted before their row is written, when no head move takes them along. */
const COVERAGE_FLUSH_MS = 1000;

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

export class TrustLog extends RefusalLog {
  readonly #covered = new Map<string, { calls: number; startedAt: number }>();
  /** Set once the log has another hash for the head that calls rest on: no call is proven under it any longer. */
  #forked: VerificationError | undefined;
  #earlierForkIsTold = false;
  #ended: Error | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

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
    const outcome = await this.options.store.advance(expected, {
      ...this.row(to, move.outcome, move.operation, from),
      ...this.proven(to),
      calls: move.calls,
      durationMs: performance.now() - move.startedAt,
      ...(move.detail !== undefined && { detail: move.detail }),
    });
    if (outcome.moved) this.#tellHead(move.outcome, move.operation, from, to);
    if (outcome.moved && outcome.conflict && !this.#earlierForkIsTold) {
      this.#earlierForkIsTold = true;
      await this.refuse('fork', move.operation, to, forkTerms(outcome.conflict, to), job);
    }
    return outcome;
  }

  #tellHead(outcome: HeadEvent['outcome'], operation: string, from: StoredRoot | null, to: StoredRoot): void {
    const { watch, key } = this.options;
    const { tx, alh } = to;
    const previousTx = from ? from.tx : null;
    watch?.tell('immu-ts:head', () => ({
      ...{ server: key.server, database: key.database },
      ...{ outcome, operation, previousTx, tx, alh: toHex(alh) },
    }));
  }

  /** Trust was forgotten since `root` was logged: by another process, for this one would know. */
  async wasForgotten(root: StoredRoot): Promise<boolean> {
    const { store, key } = this.options;
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

  /** A call that ended with bytes of its own to be kept, under a head that has its row: they are the row's detail. Durable then. */
  async keep(operation: string, head: StoredRoot, detail: string, startedAt: number): Promise<void> {
    const durationMs = performance.now() - startedAt;
    const { conflict } = await this.options.store.record({
      ...this.row(head, 'calls', operation, head),
      ...{ calls: 1, durationMs, detail },
    });
    if (conflict && !conflict.forgotten) throw this.#headForkedBefore(conflict, head);
  }

  /** Writes the counts that are due. Counts that the store refuses are kept for the next time. */
  async flush(head: StoredRoot): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const due = [...this.#covered];
    this.#covered.clear();
    const written = await Promise.allSettled(
      due.map(([operation, { calls, startedAt }]) =>
        this.options.store.record({
          ...this.row(head, 'calls', operation, head),
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
    await this.writeAlike();
    // Told by `onFork` when the log contradicts it; a store that cannot take it says so on its next use.
    await this.flush(head).catch(() => undefined);
    this.#forked = undefined;
    this.#earlierForkIsTold = false;
  }

  /** The same of calls that were already told that all is well. The store has logged it. */
  #headForkedBefore(conflict: RootConflict, head: StoredRoot): VerificationError {
    const { server, database } = this.options.key;
    const { detail, expected, computed, tx } = forkTerms(conflict, head);
    this.#forked = new VerificationError('FORK_DETECTED', `calls on ${database}: ${detail}`, {
      ...{ server, database, check: 'trust.head', expected, computed, tx },
    });
    this.tell(this.#forked);
    return this.#forked;
  }

  /** Waits for a flush under way and writes the last counts. */
  async close(head: StoredRoot | null): Promise<void> {
    await this.#flushing;
    await this.writeAlike();
    if (head) await this.flush(head);
    clearTimeout(this.#flushTimer);
    if (this.unwritten) throw this.unwritten;
  }

  /**
   * Writes down what was done beside calls: a row that covers none, under a root that has its row.
   *
   * @throws VerificationError when the log has another hash for the head
   */
  async note(head: StoredRoot, operation: string, detail: string): Promise<void> {
    const row = { ...this.row(head, 'calls', operation, head), calls: 0, durationMs: 0, detail };
    const { conflict } = await this.options.store.record(row);
    if (conflict && !conflict.forgotten) throw this.#headForkedBefore(conflict, head);
  }

  /**
   * Writes down that a root which was trusted without the configured key is signed with it: the next process finds it there.
   *
   * @throws VerificationError when the log has another hash for it
   */
  async noteSigned(target: ProvenTarget): Promise<void> {
    const detail = 'signed with the configured key';
    const row = { ...this.row(target, 'calls', SIGNED, target), ...this.proven(target) };
    const { conflict } = await this.options.store.record({ ...row, calls: 0, durationMs: 0, detail });
    if (conflict && !conflict.forgotten) throw this.#headForkedBefore(conflict, target);
  }

  /** Drops the stored head, with a row that says so. Null: there is none, and the row says that it is not to be. */
  async forget(trusted: StoredRoot | null, operation: string, reason: string): Promise<void> {
    const head = trusted ?? { tx: 0n, alh: EMPTY_HASH };
    await this.options.store.forget({
      ...this.row(head, 'forget', operation, trusted),
      calls: 0,
      durationMs: 0,
      detail: reason,
    });
    this.#tellHead('forget', operation, trusted, head);
  }
}
