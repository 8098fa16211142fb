// A verified read in a group, top to bottom: claim of a plain answer → proof under the head → what the caller gets.
import { toHex } from '../../../proof/bytes.js';
import type { Claim, ClaimOutcome } from '../../../verify/verifier.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Reader } from '../../group/read-groups.js';
import { keyName } from '../../../verify/key-name.js';
import { OUTSIDE_INDEX } from '../../../verify/known-beside.js';
import type { Rpc } from '../../net/rpc.js';
import type { ProvenFacts } from '../../trust/known/proven-facts.js';
import type { ClaimTask } from '../../trust/known/proven-facts.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { assertMissing } from './absence.js';
import { refuseStale } from './stale.js';
import { isOutsideIndex, newerTarget, noteSeen, verifiedEntry } from './shown-read.js';
import type { VerifiedEntry } from './verified-entry.js';
import { verifiedGet } from './verified-get.js';

/** A verified call that reads: verifiedGet with its one key, or verifiedGetAll with all of its keys. */
export interface Reading {
  readonly trust: DatabaseTrust;
  /** What it is proven by, and nothing that is trusted later. */
  readonly known: ProvenHistory;
  readonly from: Call;
  /** The log counts the call that this is a part of. */
  readonly counted: boolean;
  readonly rpc: Rpc;
}

/** Where a proven entry goes: to the one who waits for it. */
export interface ReadEnd {
  /** Nobody waits any more. */
  readonly settled: boolean;
  resolve(entry: VerifiedEntry | null, place: number): void;
  reject(error: unknown): void;
}

type Claiming = Extract<ClaimOutcome, { kind: 'value' | 'reference' }>;
type Refuting = Extract<ClaimOutcome, { kind: 'refuted' }>;

/** One key of a verified read: takes what was claimed of it, has that proven, and hands it on. */
export class VerifiedReader implements Reader, ClaimTask {
  readonly verified = true;
  readonly key: Uint8Array;
  /** What is to be proven now. */
  claim!: Claim;
  readonly #reading: Reading;
  readonly #name: string;
  readonly #end: ReadEnd;
  readonly #place: number;
  /** Newest version of the key that was proven before the question was sent. */
  readonly #floor: bigint;
  #outcome!: Claiming;

  /** `name`: the key's `keyName`; `place`: which of the call's keys this is. */
  constructor(reading: Reading, key: Uint8Array, name: string, end: ReadEnd, place = 0) {
    this.#reading = reading;
    this.key = key;
    this.#name = name;
    this.#end = end;
    this.#place = place;
    this.#floor = reading.known.seen.floor(name);
  }

  /** Newest version of the key that was proven before the question was sent. */
  get floor(): bigint {
    return this.#floor;
  }

  get from(): Call {
    return this.#reading.from;
  }

  get deadline(): Deadline {
    return this.#reading.from.deadline;
  }

  get operation(): string {
    return this.#reading.from.operation;
  }

  get startedAt(): number {
    return this.#reading.from.startedAt;
  }

  get settled(): boolean {
    return this.#end.settled;
  }

  get shown(): Uint8Array {
    return this.#outcome.shown;
  }

  /** Ends as `work` does, which proves the read by other means. */
  follow(work: Promise<VerifiedEntry | null>): void {
    work.then(
      (entry) => this.#end.resolve(entry, this.#place),
      (error: unknown) => this.#end.reject(error),
    );
  }

  reject(error: unknown): void {
    this.#end.reject(error);
  }

  /** Takes the outcome for its key; proves it together with the others of the answer. */
  deliver(outcome: ClaimOutcome): void {
    if (outcome.kind === 'missing') void this.#missing();
    else if (outcome.kind === 'refuted') this.#refuse(outcome).catch((error: unknown) => this.failed(error));
    else if (isOutsideIndex(outcome)) this.#refuseOutside(outcome);
    else {
      this.#outcome = outcome;
      this.claim = outcome.claim;
      this.#reading.known.proveSoon(this);
    }
  }

  /** Ends with a value whose claim was proven already. */
  take(outcome: Extract<ClaimOutcome, { kind: 'value' }>, facts: ProvenFacts): void {
    this.#outcome = outcome;
    this.claim = outcome.claim;
    this.proven(facts);
  }

  /** The reference and the entry that it leads to are two claims under the same head. */
  proven(facts: ProvenFacts): void {
    const { known, trust } = this.#reading;
    const outcome = this.#outcome;
    if (outcome.kind === 'reference' && this.claim !== outcome.target) {
      this.claim = outcome.target;
      known.proveSoon(this);
      return;
    }
    if (trust.knownNow !== known) this.failed(trust.forgotten());
    else if (outcome.claim.tx < this.#floor)
      this.#refuseStale(outcome.claim).catch((error: unknown) => this.failed(error));
    else if (newerTarget(known, outcome)) this.#askAlone();
    else if (!this.#end.settled) this.#finish(outcome, facts);
  }

  failed(error: unknown): void {
    this.#end.reject(error);
  }

  #finish(outcome: Claiming, { ts }: ProvenFacts): void {
    const { trust, known, from, counted } = this.#reading;
    if (outcome.claim.tx !== this.#floor) noteSeen(known, this.#name, outcome.claim);
    if (outcome.kind === 'reference') noteSeen(known, keyName(outcome.target.key), outcome.target);
    if (!counted) trust.countCalls(from.operation, from.startedAt, 1);
    this.#end.resolve(verifiedEntry(this.key, outcome, ts, trust.root), this.#place);
  }

  /** With its proof, by itself: what is a floor then was one before the question was sent. */
  #askAlone(): void {
    const { rpc, trust, from, counted } = this.#reading;
    this.follow(verifiedGet(rpc, trust, counted ? { ...from, counted } : from, this.key, {}));
  }

  async #missing(): Promise<void> {
    const { rpc, trust, known, from, counted } = this.#reading;
    try {
      // The group has made sure already that the server extends the head.
      if (this.#floor > 0n) {
        const call = counted ? { ...from, counted } : from;
        await assertMissing({ rpc, trust, known, call }, this.key, this.#floor);
      }
      if (trust.knownNow !== known) throw trust.forgotten();
      this.#end.resolve(null, this.#place);
    } catch (error) {
      this.failed(error);
    }
  }

  #refuseOutside({ shown }: Claiming): void {
    const refuted = { check: OUTSIDE_INDEX, detail: 'the entry is not indexed: it is no value of its key' };
    this.#refuse({ kind: 'refuted', refuted, shown }).catch((error: unknown) => this.failed(error));
  }

  /** Asked for whole, its transaction proves that the older version is what was shown. */
  async #refuseStale({ tx }: Claim): Promise<void> {
    const { trust, known } = this.#reading;
    const evidence = await known
      .evidenceOf(this)
      .catch(() => trust.claimJob({ key: this.key, claim: { tx }, shown: this.shown }));
    this.failed(await refuseStale(trust, this.operation, this.key, tx, this.#floor, evidence));
  }

  async #refuse({ refuted, shown, job }: Refuting): Promise<void> {
    const { trust, from } = this.#reading;
    const { key } = this;
    const detail = `key ${toHex(key)}: ${refuted.detail}`;
    const evidence = job ?? trust.claimJob({ key, claim: { tx: 1n }, shown });
    this.failed(await trust.refuse(from.operation, { ...refuted, detail }, evidence));
  }
}
