// Following a database: what is latest of its keys, and what is absent, proven.
import { FOLLOW_NAMES, Following, FollowingSince, checkFollowOptions } from '../calls/latest/follow.js';
import type { FollowOptions, FollowSinceOptions } from '../calls/latest/follow.js';
import { proveAbsent, unchangedSince } from '../calls/latest/proven.js';
import type { ProvenAbsence } from '../calls/latest/proven.js';
import { toKey } from '../input/bytes-input.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { txId } from '../input/tx-id.js';
import type { Root } from '../../verify/verifier.js';
import type { Verified } from '../room/room.js';
import type { Latest } from '../trust/latest/latest.js';
import { rejecting } from './rejecting.js';
import { HeadCalls } from './heads.js';

export abstract class FollowCalls extends HeadCalls {
  /**
   * Begins to follow the database: reads every transaction of it (digests, no values), proves it under the trusted head, and keeps
   * what is latest of each key, some 80 bytes a key. From then on every verified read that shows less is refused, and
   * `verifiedGet(key, { latest: true })`, {@link proveAbsent} and {@link unchangedSince} say what is proven as of a followed head.
   * Costs one reading of the database, which they wait for; a user who may only read may follow. Called again it begins anew; ends
   * with the client, and with `forgetTrust`.
   *
   * `from`: a root that was trusted earlier, or the present `head`: then only what has changed since is known, which proves that a
   * key is unchanged since, and not what is latest of it.
   *
   * @throws VerificationError when `from` is not on the trusted history
   * @example
   * const following = await client.follow();
   * await following.ready();
   * const entry = await client.verifiedGet('balance', { latest: true });
   */
  async follow(options?: FollowOptions): Promise<Following>;
  async follow(options: FollowSinceOptions): Promise<FollowingSince>;
  async follow(
    options: FollowOptions | FollowSinceOptions = NO_OPTIONS,
  ): Promise<Following | FollowingSince> {
    const { from, ...limits } = checkFollowOptions(options);
    const { door, options: client } = this.connection;
    return this.room.enterVerified('follow', options, FOLLOW_NAMES, async ({ trust, call }) => {
      await trust.ready(call);
      if (typeof from === 'object') await trust.assertOnHistory(call, from);
      const begin = from === 'head' ? trust.root : from;
      const { timeoutMs, maxMessageBytes } = client;
      const latest = await trust.follow(call, {
        ...{ ...limits, timeoutMs, maxMessageBytes },
        ...(begin !== 'genesis' && { from: begin }),
      });
      const Kind = from === 'genesis' ? Following : FollowingSince;
      return new Kind(
        latest,
        (each) => door.deadline(each, []),
        () => trust.headTx,
      );
    });
  }

  /**
   * Proves that a key has no value as of a followed head, which is not older than the head that is trusted when it is called: it was
   * never written, is deleted, or has expired. Null when it has an entry (which may be a reference that leads nowhere: `verifiedGet`
   * with `latest` finds out). Asks the server nothing once the database is followed. Requires {@link follow}.
   *
   * @throws NotProvableError when the database is not followed, or was not from genesis on and the key not written since
   * @example
   * if (!(await client.proveAbsent('revoked/alice'))) throw new Error('revoked');
   */
  proveAbsent(key: BytesInput, options: CallOptions = NO_OPTIONS): Promise<ProvenAbsence | null> {
    return rejecting(() => {
      const asked = toKey(key, 'key');
      return this.#followed('proveAbsent', options, (latest) => proveAbsent(latest, asked));
    });
  }

  /**
   * The followed head as of which no version of the key was written after `tx`; null when one was. Asks the server nothing once the
   * database is followed, and waits for `tx` to be followed. Of a reference: whether the reference itself was written anew.
   * Requires {@link follow}.
   *
   * @throws NotProvableError when the database is not followed, or not from `tx` on or before
   * @example
   * const { tx } = await client.verifiedGet('policy');
   * const at = await client.unchangedSince('policy', tx);
   */
  async unchangedSince(key: BytesInput, tx: bigint, options: CallOptions = NO_OPTIONS): Promise<Root | null> {
    const asked = toKey(key, 'key');
    const since = txId('tx', tx);
    return this.#followed('unchangedSince', options, (latest) => unchangedSince(latest, asked, since), since);
  }

  /** Proves something by what is followed: up to the trusted head, and to `tx`. */
  #followed<T>(operation: string, options: CallOptions, prove: (latest: Latest) => T, tx = 0n): Promise<T> {
    if (options === NO_OPTIONS) {
      // By the hundred thousand: what is there already is told without a turn of the queue.
      const trust = this.room.trustNow();
      const latest = trust?.latestAtHead;
      if (trust && latest && tx <= latest.at.tx) {
        const proven = prove(latest);
        trust.countCalls(operation, performance.now(), 1);
        return Promise.resolve(proven);
      }
    }
    return this.room.enterVerified(operation, options, [], async ({ trust, call }: Verified) => {
      if (!trust.enter(call)) await trust.ready(call);
      const { latest, headTx } = trust;
      const reached = latest.reach(call.deadline, tx > headTx ? tx : headTx);
      if (reached) await reached;
      const proven = prove(latest);
      trust.countCalls(operation, call.startedAt, 1);
      return proven;
    });
  }
}
