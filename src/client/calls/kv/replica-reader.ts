// A verified read whose plain answer comes from a replica: what it claims is held against headers that the primary has proven. The
// replica proves nothing; whatever it cannot show, the primary is asked for.
import type { VerificationError } from '../../../errors.js';
import type { Claim, ClaimOutcome } from '../../../verify/verifier.js';
import { Deadline } from '../../flow/deadline.js';
import type { Reader } from '../../group/read-groups.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ClaimTask } from '../../trust/known/proven-facts.js';
import type { VerifiedReader } from './grouped-get.js';
import { isOutsideIndex } from './shown-read.js';

/** A replica, as far as reads of one database go. */
export interface ReplicaDoor {
  /** Asks it for a key. */
  read(key: Uint8Array, name: string, reader: ReplicaReader): void;
  /** It did not answer. */
  failed(error: unknown): void;
  /** What it showed is not in the history. Rejects with the fork, when it is of another; else it has told a lie about a key. */
  contradicted(trust: DatabaseTrust): Promise<void>;
}

export interface ReplicaReading {
  readonly door: ReplicaDoor;
  readonly trust: DatabaseTrust;
  /** Finishes the read, and tells of what is refused. */
  readonly reader: VerifiedReader;
  /** Has the primary asked. */
  readonly askPrimary: () => void;
}

type Shown = Extract<ClaimOutcome, { kind: 'value' | 'reference' }>;

/** A replica that has not answered by then is not waited for. */
const PATIENCE_MS = 2000;

export class ReplicaReader implements Reader {
  readonly verified = true;
  readonly deadline: Deadline;
  readonly #reading: ReplicaReading;

  constructor(reading: ReplicaReading) {
    this.#reading = reading;
    const left = reading.reader.deadline.endsAt - performance.now();
    this.deadline = new Deadline({}, Math.max(1, Math.min(PATIENCE_MS, left)));
  }

  get settled(): boolean {
    return this.#reading.reader.settled;
  }

  reject(error: unknown): void {
    this.#reading.door.failed(error);
    this.#askPrimary();
  }

  /** For what the replica is found to be. */
  refuse(error: VerificationError): void {
    this.#reading.reader.reject(error);
  }

  /** Held against what is proven, claim by claim, before it counts as an answer. */
  deliver(outcome: ClaimOutcome): void {
    const { reader } = this.#reading;
    const isUse = outcome.kind === 'value' || outcome.kind === 'reference';
    // It may lag, and what it does not have is no absence.
    if (!isUse || isOutsideIndex(outcome) || outcome.claim.tx < reader.floor) {
      this.#askPrimary();
      return;
    }
    const claims = outcome.kind === 'reference' ? [outcome.claim, outcome.target] : [outcome.claim];
    this.#prove(outcome, claims, 0);
  }

  #prove(outcome: Shown, claims: readonly Claim[], at: number): void {
    const { reader, trust } = this.#reading;
    const claim = claims[at];
    if (this.settled) return;
    if (!claim) {
      reader.deliver(outcome);
      return;
    }
    if (claim.tx > trust.headTx) {
      this.#reach(claim.tx).then(
        (isThere) => {
          if (isThere) this.#prove(outcome, claims, at);
          else this.#contradicted();
        },
        () => this.#askPrimary(),
      );
      return;
    }
    const { known } = trust;
    const task: ClaimTask = {
      ...{ claim, key: reader.key, shown: outcome.shown },
      ...{ operation: reader.operation, startedAt: reader.startedAt },
      proven: (facts) => {
        if (outcome.kind === 'value') reader.take(outcome, facts);
        else this.#prove(outcome, claims, at + 1);
      },
      // The primary's, or this client's own.
      failed: () => this.#askPrimary(),
      contradicted: () => this.#contradicted(outcome),
    };
    known.proveSoon(task);
  }

  /** The primary says what is newest, and proves it: false when what the replica has is beyond that. */
  async #reach(tx: bigint): Promise<boolean> {
    const { reader, trust } = this.#reading;
    await trust.assureNow(reader.operation);
    return tx <= trust.headTx;
  }

  /** `outcome`: what it has lied about, if its history is the trusted one. */
  #contradicted(outcome?: ClaimOutcome): void {
    const { door, trust, reader } = this.#reading;
    door.contradicted(trust).then(
      () => {
        if (outcome) reader.deliver(outcome);
        else this.#askPrimary();
      },
      (error: unknown) => reader.reject(error),
    );
  }

  #askPrimary(): void {
    const { askPrimary } = this.#reading;
    if (!this.settled) askPrimary();
  }
}
