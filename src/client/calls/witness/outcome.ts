// What became of a published head: at each witness, and of the whole.
import { ImmuError } from '../../../errors.js';
import type { VerificationError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';

/**
 * Why a witness has not cosigned:
 *
 * - `fork`: it has seen another tree under this origin, which this one does not extend (`error`: the `fork` that was logged);
 * - `withheld`: it has seen a tree that is larger than the server's history: transactions are kept back, or were rolled back
 *   (`error`: what was logged);
 * - `ahead`: it has seen a larger tree, and the server's history cannot be told to reach it now;
 * - `conflict`: others publish under this origin at the same time;
 * - `unknown-log`: it does not know the origin, or not this key of it;
 * - `signature`: its answer has no cosignature that holds under its key;
 * - `other`: it said no in another way, or what no witness says.
 */
export type RefusalReason =
  'fork' | 'withheld' | 'ahead' | 'conflict' | 'unknown-log' | 'signature' | 'other';

interface AtWitness {
  readonly url: string;
  /** Of its key. */
  readonly name: string;
}

export type WitnessOutcome = AtWitness &
  (
    | {
        readonly status: 'cosigned';
        /** Unix seconds, by its clock. */
        readonly time: bigint;
      }
    | {
        readonly status: 'refused';
        readonly reason: RefusalReason;
        readonly detail: string;
        /** Size of the tree that it says it has seen, where it says one. */
        readonly seen?: bigint;
        readonly error?: VerificationError;
      }
    | { readonly status: 'unreachable'; readonly detail: string }
  );

/** A head that was published: a tree of the trusted history, and who has cosigned it. */
export interface PublishedHead {
  readonly origin: string;
  /** Transactions in the tree: one less than the head's id, since the head's header commits to all before it. */
  readonly size: bigint;
  /** Root of the history tree at that size. */
  readonly root: Uint8Array;
  /** Trusted head whose header commits to the tree. */
  readonly head: Root;
  /** The checkpoint with the log's signature and all cosignatures: `verifyCheckpointNote` checks it. */
  readonly note: string;
  /** In the order in which they were given. */
  readonly witnesses: readonly WitnessOutcome[];
}

/** Fewer witnesses have cosigned than must. `published` says what each did. */
export class QuorumError extends ImmuError {
  readonly published: PublishedHead;

  constructor(published: PublishedHead, cosigned: number, quorum: number) {
    const others = published.witnesses
      .filter(({ status }) => status !== 'cosigned')
      .map((one) => `${one.name} ${one.status === 'refused' ? `refused (${one.reason})` : one.status}`);
    const message = `${cosigned} of ${published.witnesses.length} witnesses cosigned tree ${published.size.toString()} of ${published.origin}, and ${quorum} must: ${others.join(', ')}`;
    super('QUORUM_NOT_REACHED', message);
    this.published = published;
  }
}
