// Following a database, as its users see it: from where, and how far it is.
import { ArgumentError, NotProvableError } from '../../../errors.js';
import type { Root } from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, optionsObject, text, whole, wrongType } from '../../input/option-checks.js';
import { toRoot } from '../../input/root-input.js';
import type { Deadline } from '../../flow/deadline.js';
import type { FollowStatus, Latest } from '../../trust/latest/latest.js';

/** How a database is followed. */
export interface FollowLimits extends CallOptions {
  /**
   * Most memory that the index may take, some 80 bytes a key. Beyond it, it goes on in a temporary file (some 110 bytes a key, and
   * slower). @default 1 GiB
   */
  readonly maxBytes?: number;
  /**
   * Longest pause between two looks for new transactions, in milliseconds: while they come it is looked for more often.
   * @default 250
   */
  readonly everyMs?: number;
  /**
   * Has the server say when the next transaction comes, where the user is an administrator of the database: it is proven here about
   * as soon as its writer is told. This holds one of the server's buffers for reading transactions (of 30 by default). Others look
   * for it, every {@link everyMs} at least. @default true
   */
  readonly push?: boolean;
  /** Keeps the keys themselves, in order, in a temporary file: what complete scans and counts need. @default false */
  readonly ordered?: boolean;
  /**
   * A file that the index is kept in from one process to the next, which then goes on where this one ended; one for each database.
   * It is written when the client is closed, and every ten minutes. The audit log has its SHA-256: one that was changed is dropped,
   * and the database followed again. Nobody else should be able to read it. @default none: each process follows from the beginning
   */
  readonly keep?: string;
}

/** Everything is followed, from the first transaction on. */
export interface FollowOptions extends FollowLimits {
  readonly from?: 'genesis';
}

/** From a root on, which is proven to lie on the trusted history; `head`: the present one. */
export interface FollowSinceOptions extends FollowLimits {
  readonly from: 'head' | Root;
}

export const FOLLOW_NAMES = ['from', 'maxBytes', 'everyMs', 'push', 'ordered', 'keep'];

export interface ResolvedFollowOptions {
  readonly from: 'genesis' | 'head' | Root;
  readonly maxBytes: number;
  readonly everyMs: number;
  readonly push: boolean;
  readonly ordered: boolean;
  readonly keep?: string;
}

const BEGINNINGS: readonly string[] = ['genesis', 'head'];
const GIB = 1024 * 1024 * 1024;
const MAX_PAUSE_MS = 3_600_000;

/** Throws ArgumentError naming the option that is wrong. */
export function checkFollowOptions(options: FollowOptions | FollowSinceOptions): ResolvedFollowOptions {
  optionsObject('options', options);
  const { from = 'genesis', maxBytes = GIB, everyMs = 250, push = true, ordered = false, keep } = options;
  if (typeof from === 'string' && !BEGINNINGS.includes(from))
    throw new ArgumentError('from', "from must be 'genesis', 'head' or a root { tx, alh }");
  return {
    from: typeof from === 'string' ? from : toRoot('from', from),
    maxBytes: whole('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
    everyMs: whole('everyMs', everyMs, 1, MAX_PAUSE_MS),
    push: flag('push', push),
    ordered: flag('ordered', ordered),
    ...(keep !== undefined && { keep: text('keep', keep) }),
  };
}

/** Makes the deadline of a call on it. */
export type MakeDeadline = (options: CallOptions) => Deadline;

/** How far a follower is. */
export interface FollowProgress {
  readonly status: FollowStatus;
  /** Everything up to this tx was followed. */
  readonly tx: bigint;
  /** The trusted head, which it is on its way to. */
  readonly headTx: bigint;
  /** With at least one version: those of sorted sets, SQL and documents among them. */
  readonly keys: number;
  /** Of the index. */
  readonly bytes: number;
  /** Where the index is. */
  readonly index: 'memory' | 'file';
  /** What went wrong the last time. */
  readonly failure?: Error;
}

abstract class Follows {
  readonly #latest: Latest;
  readonly #deadline: MakeDeadline;
  readonly #headTx: () => bigint;

  /** @internal */
  constructor(latest: Latest, deadline: MakeDeadline, headTx: () => bigint) {
    this.#latest = latest;
    this.#deadline = deadline;
    this.#headTx = headTx;
  }

  /** The root that all before were followed to: what is proven is proven as of it. */
  get head(): Root {
    return this.#latest.at;
  }

  get progress(): FollowProgress {
    const { status, at, keys, bytes, isInFile, failure } = this.#latest;
    const counts = { status, tx: at.tx, headTx: this.#headTx(), keys, bytes };
    return { ...counts, index: isInFile ? 'file' : 'memory', ...(failure && { failure }) };
  }

  /**
   * Resolves with the head when everything was followed that the server has when it is asked now.
   *
   * @throws VerificationError when it does not show it, or stands elsewhere than where it is trusted
   */
  async ready(options: CallOptions = {}): Promise<Root> {
    await this.#latest.reach(this.#deadline(options));
    return this.head;
  }

  /**
   * Resolves with the head when everything up to `tx` was followed, which may be a transaction that is still to come.
   *
   * @throws VerificationError when the server does not show it, or stands elsewhere than where it is trusted
   */
  async reach(tx: bigint, options: CallOptions = {}): Promise<Root> {
    if (typeof tx !== 'bigint') wrongType('tx', 'a bigint', tx);
    if (tx < 0n || BigInt.asIntN(64, tx) !== tx)
      throw new ArgumentError('tx', 'tx must be a bigint from 0 to 2^63-1');
    await this.#latest.reach(this.#deadline(options), tx);
    return this.head;
  }

  /** Follows no more: what needs it fails from now on. Resolves when the index is kept, where it is to be. */
  async stop(): Promise<void> {
    await this.#latest.end(
      new NotProvableError('the database is no longer followed: stop() was called'),
      true,
    );
  }
}

/** A database that is followed from its first transaction on: what is latest is proven, and what is absent. */
export class Following extends Follows {
  readonly from = 'genesis';
}

/**
 * A database that is followed from a root on: what has changed since is proven, and of what has, its latest. Of other keys it is
 * proven that they are unchanged since, and not what they are.
 */
export class FollowingSince extends Follows {
  /** Everything up to this root is not known. */
  readonly from: Root;

  /** @internal */
  constructor(latest: Latest, deadline: MakeDeadline, headTx: () => bigint) {
    super(latest, deadline, headTx);
    this.from = latest.from;
  }
}
