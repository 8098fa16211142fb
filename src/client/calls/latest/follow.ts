// Following a database, as its users see it: how far it is, and what is proven of keys by it without a question.
import { ArgumentError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import { optionsObject, whole } from '../../input/option-checks.js';
import { toRoot } from '../../input/root-input.js';
import type { Deadline } from '../../flow/deadline.js';
import type { Latest } from '../../trust/latest/latest.js';

export interface FollowOptions extends CallOptions {
  /**
   * Where following begins. From `genesis` on everything is known: what is latest, what is absent, which revision it is. From a
   * root (which is proven to be on the trusted history) or the present head on only what has changed since.
   *
   * @default 'genesis'
   */
  readonly from?: 'genesis' | 'head' | Root;
  /** Most memory that the index may take: some 80 bytes a key. @default 1 GiB */
  readonly maxBytes?: number;
  /** Pause between two looks for new transactions, in milliseconds. @default 100 */
  readonly everyMs?: number;
}

export const FOLLOW_NAMES = ['from', 'maxBytes', 'everyMs'];

export interface ResolvedFollowOptions {
  readonly from: 'genesis' | 'head' | Root;
  readonly maxBytes: number;
  readonly everyMs: number;
}

const BEGINNINGS: readonly string[] = ['genesis', 'head'];
const GIB = 1024 * 1024 * 1024;
const MAX_PAUSE_MS = 3_600_000;

/** Throws ArgumentError naming the option that is wrong. */
export function checkFollowOptions(options: FollowOptions): ResolvedFollowOptions {
  optionsObject('options', options);
  const { from = 'genesis', maxBytes = GIB, everyMs = 100 } = options;
  if (typeof from === 'string' && !BEGINNINGS.includes(from))
    throw new ArgumentError('from', "from must be 'genesis', 'head' or a root { tx, alh }");
  return {
    from: typeof from === 'string' ? from : toRoot('from', from),
    maxBytes: whole('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
    everyMs: whole('everyMs', everyMs, 1, MAX_PAUSE_MS),
  };
}

/** Makes the deadline of a call on it. */
export type MakeDeadline = (options: CallOptions) => Deadline;

/** A database that is followed: every transaction of it is proven, in order, and what is latest of every key is known. */
export class Following {
  readonly #latest: Latest;
  readonly #deadline: MakeDeadline;

  /** @internal */
  constructor(latest: Latest, deadline: MakeDeadline) {
    this.#latest = latest;
    this.#deadline = deadline;
  }

  /** Everything before this root is not known. Tx 0: nothing is before it. */
  get from(): Root {
    return this.#latest.from;
  }

  /** The root that all before were followed to: what is proven is proven as of it. */
  get head(): Root {
    return this.#latest.at;
  }

  /** Keys with at least one version since {@link from}, those of sorted sets, SQL and documents among them. */
  get keys(): number {
    return this.#latest.keys;
  }

  /** Memory of the index. */
  get bytes(): number {
    return this.#latest.bytes;
  }

  /**
   * Resolves when everything was followed that the server has now.
   *
   * @throws VerificationError when it does not show it, or stands elsewhere than where it is trusted
   */
  async ready(options: CallOptions = {}): Promise<void> {
    await this.#latest.reach(this.#deadline(options));
  }

  /** Resolves when everything up to `tx` was followed. */
  async reach(tx: bigint, options: CallOptions = {}): Promise<void> {
    if (typeof tx !== 'bigint' || tx < 0n) throw new ArgumentError('tx', 'tx must be a bigint of 0 or more');
    await this.#latest.reach(this.#deadline(options), tx);
  }
}
