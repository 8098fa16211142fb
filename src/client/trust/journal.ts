// What trust writes into the root store: moves, first trust, refusals with their evidence, counts of covered calls.
import { VerificationError } from '../../errors.js';
import { toHex } from '../../proof/bytes.js';
import type { VerificationEvidence } from '../../errors.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditOutcome,
  RootStore,
  StoredRoot,
  TrustKey,
} from '../../store/root-store.js';
import { packJob } from '../../worker/packet.js';
import type { Job, ProvenTarget, Refuted, Root } from '../../worker/verifier.js';
import type { Contradiction } from './proven-headers.js';

/** How long covered calls are counted before their row is written, when no head move takes them along. */
const COVERAGE_FLUSH_MS = 1000;

export interface JournalOptions {
  readonly store: RootStore;
  readonly key: TrustKey;
  readonly clientId: string;
  /** SHA-256 of the SPKI of the configured state key. */
  readonly keyFingerprint?: Uint8Array;
}

/** A head move or first trust, as its row tells it. */
export interface Move {
  readonly outcome: 'root' | 'first-use' | 'pinned';
  readonly operation: string;
  readonly calls: number;
  /** `performance.now()` when the oldest covered call began. */
  readonly startedAt: number;
}

type RefusalOutcome = Extract<AuditOutcome, 'failure' | 'fork' | 'rollback'>;

const CODES = {
  failure: 'VERIFICATION_FAILED',
  fork: 'FORK_DETECTED',
  rollback: 'SERVER_BEHIND_TRUST',
} as const;

export class Journal {
  readonly #options: JournalOptions;
  readonly #covered = new Map<string, { calls: number; startedAt: number }>();
  #flushTimer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  get key(): TrustKey {
    return this.#options.key;
  }

  /** Compare-and-set of the stored head; resolves when the row is durable. */
  advance(from: StoredRoot | null, to: Root & Partial<ProvenTarget>, move: Move): Promise<AdvanceOutcome> {
    const expected = from && { tx: from.tx, alh: from.alh };
    return this.#options.store.advance(expected, {
      ...this.#row(to, move.outcome, move.operation, from),
      calls: move.calls,
      headerTime: to.ts ?? 0n,
      durationMs: performance.now() - move.startedAt,
      ...(to.signature && { signature: to.signature }),
    });
  }

  /** Counts calls that were proven under a head that already has its row. */
  cover(operation: string, head: () => StoredRoot, startedAt: number, calls = 1): void {
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
      if (result.status === 'rejected' && counter) this.#covered.set(...counter);
    });
    const failed = written.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Waits for a flush under way and writes the last counts. */
  async close(head: StoredRoot | null): Promise<void> {
    await this.#flushing;
    if (head) await this.flush(head);
    clearTimeout(this.#flushTimer);
  }

  /**
   * Records a refusal with everything needed to re-run the check, and returns the error to throw.
   * A store that cannot take it does not hide the refusal: its error becomes the cause. Never rejects. `calls`: how many
   * it refuses.
   */
  async refuse(
    outcome: RefusalOutcome,
    operation: string,
    head: StoredRoot | null,
    refuted: Refuted & { readonly tx?: bigint },
    job?: Job,
    calls = 1,
  ): Promise<VerificationError> {
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
    const message = `${operation} on ${database}: ${refuted.detail}`;
    const subject = head ?? { tx: 0n, alh: new Uint8Array(32) };
    try {
      await this.#options.store.record({
        ...this.#row(subject, outcome, operation, head),
        calls,
        durationMs: 0,
        detail: refuted.detail,
        ...(job && { evidence: { check, ...terms, job: packJob(job) } }),
      });
    } catch (cause) {
      return new VerificationError(CODES[outcome], `${message} (not recorded: the store failed)`, evidence, {
        cause,
      });
    }
    return new VerificationError(CODES[outcome], message, evidence);
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

  /** Writes down what was done under a head, beside calls. */
  async note(operation: string, head: StoredRoot, detail: string): Promise<void> {
    const row = this.#row(head, 'calls', operation, head);
    await this.#options.store.record({ ...row, calls: 0, durationMs: 0, detail });
  }

  /** Drops the stored head, with a row that says so. */
  async forget(head: StoredRoot, reason: string): Promise<void> {
    await this.#options.store.forget({
      ...this.#row(head, 'forget', 'forgetTrust', head),
      calls: 0,
      durationMs: 0,
      detail: reason,
    });
  }

  #row(root: StoredRoot, outcome: AuditOutcome, operation: string, previous: StoredRoot | null) {
    const { key, clientId, keyFingerprint } = this.#options;
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
      ...(keyFingerprint && { keyFingerprint }),
    } satisfies Partial<AuditEntry>;
  }
}
