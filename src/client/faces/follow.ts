// Following a database: what is latest of its keys, and what is absent, proven.
import { FOLLOW_NAMES, Following, checkFollowOptions } from '../calls/latest/follow.js';
import type { FollowOptions } from '../calls/latest/follow.js';
import { proveAbsent, unchangedSince } from '../calls/latest/latest-get.js';
import type { ProvenAbsence } from '../calls/latest/latest-get.js';
import { toKey } from '../input/bytes-input.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { txId } from '../input/tx-id.js';
import { StreamCalls } from './streams.js';

export abstract class FollowCalls extends StreamCalls {
  /**
   * Begins to follow the database: reads every transaction of it (digests, no values), proves it under the trusted head, and keeps
   * what is latest of each key, some 80 bytes a key. From then on every verified read that shows less is refused, and
   * `verifiedGet(key, { latest: true })`, {@link proveAbsent} and {@link unchangedSince} say what is proven as of `head`. Costs
   * one reading of the database, which `ready()` waits for; a user who may only read may follow. Called again it begins anew;
   * ends with the client, and with `forgetTrust`.
   *
   * @example
   * const following = await client.follow();
   * await following.ready();
   * const entry = await client.verifiedGet('balance', { latest: true });
   */
  async follow(options: FollowOptions = NO_OPTIONS): Promise<Following> {
    const { from, ...limits } = checkFollowOptions(options);
    const { door, options: client } = this.connection;
    return this.room.enterVerified('follow', options, FOLLOW_NAMES, async ({ trust, call }) => {
      await trust.ready(call);
      if (typeof from === 'object') await trust.assertOnHistory(call, from);
      const begin = from === 'head' ? trust.root : from;
      const { timeoutMs, maxMessageBytes } = client;
      const latest = trust.follow(call, {
        ...{ ...limits, timeoutMs, maxMessageBytes },
        ...(begin !== 'genesis' && { from: begin }),
      });
      return new Following(latest, (each) => door.deadline(each, []));
    });
  }

  /**
   * Proves that a key has no value as of the followed head: it was never written, is deleted, or has expired. Null when it has an
   * entry. Asks the server nothing. Requires {@link follow}.
   *
   * @throws NotProvableError when the database is not followed, or was not from genesis on and the key not written since
   */
  async proveAbsent(key: BytesInput, options: CallOptions = NO_OPTIONS): Promise<ProvenAbsence | null> {
    const asked = toKey(key, 'key');
    return this.room.enterVerified('proveAbsent', options, [], async ({ trust, call }) => {
      await trust.ready(call);
      return proveAbsent(trust.latest, asked);
    });
  }

  /**
   * Whether no version of the key was written after `tx`, as of the followed head. Asks the server nothing. Requires {@link follow}.
   *
   * @throws NotProvableError when the database is not followed, or not around `tx`
   */
  async unchangedSince(key: BytesInput, tx: bigint, options: CallOptions = NO_OPTIONS): Promise<boolean> {
    const asked = toKey(key, 'key');
    txId('tx', tx);
    return this.room.enterVerified('unchangedSince', options, [], async ({ trust, call }) => {
      await trust.ready(call);
      return unchangedSince(trust.latest, asked, tx);
    });
  }
}
