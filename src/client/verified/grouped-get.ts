// A verified read in a group, top to bottom: claim of a plain answer → proof under the head → what the caller gets.
import { toHex } from '../../proof/bytes.js';
import type { Claim, ClaimOutcome } from '../../worker/verifier.js';
import type { WaitingCall } from '../group/waiting-call.js';
import type { Reader } from '../group/read-groups.js';
import type { ProvenFacts } from '../trust/proven-headers.js';
import type { ClaimTask } from '../trust/claim-prover.js';
import type { DatabaseTrust } from '../trust/database-trust.js';
import type { Knowledge } from '../trust/knowledge.js';
import { copyBytes } from '../pooled-bytes.js';
import { refuseStale } from './stale.js';
import type { VerifiedEntry } from './verified-get.js';

/** One caller of verifiedGet (or one key of verifiedGetAll) in a group. */
export class VerifiedReader implements Reader {
  readonly verified = true;
  readonly #trust: DatabaseTrust;
  readonly #call: WaitingCall<VerifiedEntry | null>;
  readonly operation: string;
  readonly startedAt: number;
  readonly #counted: boolean;
  readonly #key: Uint8Array;
  /** Newest version of the key that was proven before the question was sent. */
  readonly #floor: bigint;
  /** What it is proven by, and nothing that is trusted later. */
  readonly #known: Knowledge;

  constructor(
    trust: DatabaseTrust,
    known: Knowledge,
    call: WaitingCall<VerifiedEntry | null>,
    key: Uint8Array,
    operation: string,
    startedAt: number,
    { counted = false }: { readonly counted?: boolean } = {},
  ) {
    this.#trust = trust;
    this.#call = call;
    this.#key = key;
    this.operation = operation;
    this.startedAt = startedAt;
    // The log counts the call that this read is a part of.
    this.#counted = counted;
    this.#floor = trust.seen.floor(key);
    this.#known = known;
  }

  get deadline() {
    return this.#call.deadline;
  }

  get settled(): boolean {
    return this.#call.settled;
  }

  /** Ends as `work` does, which proves the read by other means. */
  follow(work: Promise<VerifiedEntry | null>): void {
    this.#call.follow(work);
  }

  reject(error: unknown): void {
    this.#call.reject(error);
  }

  /** Takes the outcome for its key; proves it together with the others of the answer. */
  deliver(outcome: ClaimOutcome): void {
    switch (outcome.kind) {
      case 'missing':
        this.#call.resolve(null);
        return;
      case 'refuted':
        void this.#refuse(outcome);
        return;
      case 'value':
        this.#prove(outcome.claim, outcome.shown, (facts) => void this.#finish(outcome.claim, facts));
        return;
      case 'reference':
        this.#proveReference(outcome);
        return;
    }
  }

  #prove(claim: Claim, shown: Uint8Array, proven: (facts: ProvenFacts) => void): void {
    const task: ClaimTask = {
      claim,
      key: this.#key,
      shown,
      operation: this.operation,
      startedAt: this.startedAt,
      proven,
      failed: (error) => this.#call.reject(error),
    };
    this.#known.proveSoon(task);
  }

  /** The reference and the entry that it leads to are two claims under the same head. */
  #proveReference({ claim, atTx, target, shown }: Extract<ClaimOutcome, { kind: 'reference' }>): void {
    this.#prove(claim, shown, () => {
      this.#prove(target, shown, (facts) => {
        const { key, tx, metadata } = claim;
        void this.#finish(target, facts, claim.tx, {
          reference: { key: copyBytes(key), tx, atTx, ...(metadata && { metadata }) },
        });
      });
    });
  }

  async #finish(
    claim: Claim,
    facts: ProvenFacts,
    subjectTx = claim.tx,
    more: Pick<VerifiedEntry, 'reference'> = {},
  ): Promise<void> {
    const trust = this.#trust;
    if (trust.knownNow !== this.#known) {
      this.#call.reject(trust.forgotten());
      return;
    }
    if (subjectTx < this.#floor) {
      this.#call.reject(await refuseStale(trust, this.operation, this.#key, subjectTx, this.#floor));
      return;
    }
    if (this.#call.settled) return;
    trust.seen.note(this.#key, subjectTx);
    if (!this.#counted) trust.cover(this.operation, this.startedAt, 1);
    this.#call.resolve(provenEntry(trust, claim, facts, more));
  }

  async #refuse(outcome: Extract<ClaimOutcome, { kind: 'refuted' }>): Promise<void> {
    const key = this.#key;
    const { refuted, shown } = outcome;
    const job = outcome.job ?? this.#trust.claimJob({ key, claim: { tx: 1n }, shown });
    const detail = `key ${toHex(key)}: ${refuted.detail}`;
    this.#call.reject(await this.#trust.refuse(this.operation, { ...refuted, detail }, job));
  }
}

/** Bytes are copied: an entry kept by the caller does not keep the whole answer in memory. */
function provenEntry(
  trust: DatabaseTrust,
  { tx, key, value, metadata, unprovenRevision }: Claim,
  { ts }: ProvenFacts,
  more: Pick<VerifiedEntry, 'reference'>,
): VerifiedEntry {
  return {
    key: copyBytes(key),
    value: copyBytes(value),
    tx,
    ...(metadata && { metadata }),
    timestamp: ts,
    ...more,
    root: trust.root,
    unproven: { revision: unprovenRevision },
  };
}
