// Refusals of a database's trust: each becomes an error to throw, and a row with everything needed to re-run its check.
import { StoreError, VerificationError } from '../../../errors.js';
import type { VerificationEvidence } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import type { AuditEntry, AuditOutcome, RootStore, StoredRoot, TrustKey } from '../../../store/root-store.js';
import { serverWords } from '../../../visible.js';
import type { Job, ProvenTarget, Refuted } from '../../../verify/verifier.js';
import type { Contradiction } from '../known/proven-headers.js';
import type { Watch } from '../../watch/watch.js';
import { refusalEvent } from '../../watch/refusal-event.js';
import { AlikeRefusals } from './alike.js';
import { Refusals } from './refusals.js';

/** Of a refusal's words in its row: they may be a server's. */
const MAX_DETAIL_CHARS = 2000;

export interface TrustLogOptions {
  readonly store: RootStore;
  readonly key: TrustKey;
  readonly clientId: string;
  /** SHA-256 of the SPKI of the configured state key: stands beside every signature that this client has checked. */
  readonly keyFingerprint?: Uint8Array;
  /** Told of every fork, also of one that no call fails with. What it throws is not caught. */
  readonly onFork?: ((fork: VerificationError) => void) | undefined;
  /** Told of refusals, forks and moves of the head. */
  readonly watch?: Watch | undefined;
}

type RefusalOutcome = Extract<AuditOutcome, 'failure' | 'fork' | 'rollback'>;

/** Checks that refuse more than an answer: the server is not where it was, or shows another history. */
const OUTCOMES: Readonly<Record<string, RefusalOutcome>> = {
  'trust.rollback': 'rollback',
  'trust.fork': 'fork',
  'trust.given': 'fork',
  'witness.fork': 'fork',
  'witness.withheld': 'rollback',
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

export class RefusalLog {
  protected readonly options: TrustLogOptions;
  /** What refusals were recorded with, as long as somebody has them: further calls may be refused by them. */
  readonly #recorded = new WeakMap<VerificationError, Refusal>();
  readonly #refusals: Refusals;
  readonly #alike = new AlikeRefusals<Refusal>();
  /** Why a refusal is not in the log. */
  protected unwritten: StoreError | undefined;

  constructor(options: TrustLogOptions) {
    this.options = options;
    this.#refusals = new Refusals(options.store);
  }

  get key(): TrustKey {
    return this.options.key;
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
    if (due !== undefined) this.tell(error);
    if (isShort) await written;
    return error;
  }

  /** {@link refuse}, for one who has to know whether there is a row of it: then the error has no cause. */
  async refuseInLog(...refusal: Refusal): Promise<VerificationError> {
    const { error, written } = this.#refuse(refusal, refusal[5] ?? 1);
    this.tell(error);
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
    const { server, database } = this.options.key;
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
      ...this.row(subject, outcome, operation, head),
      ...{ calls, durationMs: 0, detail: serverWords(refuted.detail, MAX_DETAIL_CHARS) },
    };
    const { written, isShort } = this.#refusals.add(row, { check, ...terms }, job);
    const told = written.catch((cause: unknown) => {
      // Whoever was told already sees it there, and when the client is closed.
      if (!isShort) {
        const words = `a refusal is not in the audit log: ${cause instanceof Error ? cause.message : String(cause)}`;
        this.unwritten ??= new StoreError('STORE_FAILED', words, { cause });
      }
      error.message = `${message} (not recorded: the store failed)`;
      error.cause = cause;
    });
    return { error, written: told, isShort };
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

  /** Rows of what was refused since the last row of its kind, and those under way. */
  protected async writeAlike(): Promise<void> {
    for (const { refusal, calls } of this.#alike.take()) this.#refuse(refusal, calls);
    await this.#refusals.idle();
  }

  protected tell(error: VerificationError): VerificationError {
    const { onFork, watch } = this.options;
    if (watch) {
      watch.tell('immu-ts:refusal', () => refusalEvent(error, watch.keys));
      if (error.code === 'FORK_DETECTED') watch.tell('immu-ts:fork', () => refusalEvent(error, watch.keys));
    }
    if (onFork && error.code === 'FORK_DETECTED') queueMicrotask(() => onFork(error));
    return error;
  }

  /**
   * What a proof tells of its target. With a key configured no answer is proven before its signature is checked; without one
   * the signature is kept as it came, and no fingerprint says that it was checked.
   */
  protected proven({ ts = 0n, signature }: Partial<ProvenTarget>) {
    const { keyFingerprint } = this.options;
    return {
      headerTime: ts,
      ...(signature && { signature, ...(keyFingerprint && { keyFingerprint }) }),
    };
  }

  /** What every row has. */
  protected row(root: StoredRoot, outcome: AuditOutcome, operation: string, previous: StoredRoot | null) {
    const { key, clientId } = this.options;
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
