// Who waits for a write that shares its transaction: of a verified call, or of a plain one.
import type { Deadline } from '../../flow/deadline.js';
import type { WaitingCall } from '../../flow/waiting-call.js';
import type { GroupedWrite } from '../../group/write-groups.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import type { VerifiedWrite } from '../../trust/write.js';
import type { Write } from './kv.js';

/** Whoever waits for what is to be proven. */
export interface ProvenWriter extends GroupedWrite {
  readonly kind: 'verified';
  readonly trust: DatabaseTrust;
  readonly from: Call;
  /** In a transaction that holds nothing else: a Set is asked for with its proof, however many entries it has. */
  readonly ownTx: boolean;
  /** How many calls it is, as the log counts them. */
  readonly calls: number;
  tell(written: VerifiedWrite): void;
}

/** One caller of a verified write. */
export class VerifiedWriter implements ProvenWriter {
  readonly kind = 'verified';
  readonly calls = 1;

  constructor(
    readonly trust: DatabaseTrust,
    readonly call: WaitingCall<VerifiedWrite>,
    readonly from: Call,
    readonly ownTx = false,
  ) {}

  get deadline(): Deadline {
    return this.call.deadline;
  }

  /** A write that waits is told when trust is forgotten, or the server refused: it has not been sent, and is not any more. */
  get settled(): boolean {
    const held = this.call.settled ? undefined : this.trust.heldBack(this.from);
    if (held) this.call.reject(held);
    return this.call.settled;
  }

  tell(written: VerifiedWrite): void {
    this.call.resolve(written);
  }

  reject(error: unknown): void {
    this.call.reject(error);
  }
}

/** One caller of a plain write, on a client that groups these too. */
export class PlainWriter implements GroupedWrite {
  readonly kind = 'plain';

  constructor(readonly call: WaitingCall<Write>) {}

  get deadline(): Deadline {
    return this.call.deadline;
  }

  get settled(): boolean {
    return this.call.settled;
  }

  reject(error: unknown): void {
    this.call.reject(error);
  }
}

export type Writer = ProvenWriter | PlainWriter;
