// How far a database was followed, in the audit log: when the follower has caught up, now and then from there on, and at its end.
import type { Root } from '../../../verify/verifier.js';
import type { TrustLog } from '../log/trust-log.js';
import { FOLLOWED, followedDetail } from '../log/said-of-heads.js';

/** Between two rows while transactions come, in milliseconds: a row each minute is no burden for a log. */
const MOVING_MS = 60_000;
/** The same while none come: it is still known then that the follower is at work. */
const STANDING_MS = 600_000;

/** What a follower has followed. */
export interface FollowedNow {
  readonly at: Root;
  /** Nothing up to here was followed. */
  readonly from: Root;
  readonly keys: number;
}

export class FollowLog {
  readonly #trustLog: Pick<TrustLog, 'note'>;
  #tx: bigint | undefined;
  #notedAt = 0;

  constructor(trustLog: Pick<TrustLog, 'note'>) {
    this.#trustLog = trustLog;
  }

  /**
   * To be called when all up to the trusted head was followed. Undefined: nothing is to be written.
   *
   * @throws VerificationError when the log has another hash for where it is
   */
  caughtUp(now: FollowedNow): Promise<void> | undefined {
    const wait = this.#tx === now.at.tx ? STANDING_MS : MOVING_MS;
    const isDue = this.#tx === undefined || performance.now() - this.#notedAt >= wait;
    return isDue ? this.#note(now) : undefined;
  }

  /** The last word, where there is something new to say. */
  ends(now: FollowedNow): Promise<void> | undefined {
    return this.#tx === undefined || this.#tx === now.at.tx ? undefined : this.#note(now);
  }

  async #note({ at, from, keys }: FollowedNow): Promise<void> {
    this.#tx = at.tx;
    this.#notedAt = performance.now();
    await this.#trustLog.note(at, FOLLOWED, followedDetail(at.tx, { from: from.tx, keys: BigInt(keys) }));
  }
}
