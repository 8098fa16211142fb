// Keys of a database as they are read: every call checks its input here and says in one line which room does the work.
import type { Entry } from '../calls/kv/entries.js';
import { bytesOf, getEntry, isKeys, toKeys } from '../calls/kv/kv.js';
import { verifiedGet } from '../calls/kv/verified-get.js';
import type { VerifiedEntry } from '../calls/kv/verified-entry.js';
import { toKey } from '../input/bytes-input.js';
import { withProofs } from '../calls/txs/portable-proof.js';
import { PROOF_NAMES, wantsProof } from '../input/proof-options.js';
import type { ProofOptions } from '../input/proof-options.js';
import type { BytesInput } from '../input/bytes-input.js';
import { latestGet } from '../calls/latest/latest-get.js';
import type { LatestEntry } from '../calls/latest/latest-get.js';
import type { ProvenAbsence } from '../calls/latest/proven.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { VERSION_NAMES, besideLatest, checkVersion, hasVersion, isLatest } from '../input/get-options.js';
import type { GetOptions, LatestOptions } from '../input/get-options.js';
import type { Session } from '../net/session.js';
import { Handle } from './handle.js';
import { rejecting } from './rejecting.js';

const LATEST_NAMES = ['latest'];
const READ_NAMES = [...VERSION_NAMES, ...PROOF_NAMES];

/** Which version, and with what. */
export interface VerifiedGetOptions extends GetOptions, ProofOptions {}

export abstract class KeyCalls extends Handle {
  // Unverified reads: the server's word

  /** Reads one entry; null when the server says there is none. Of keys in an array, or of another iterable: {@link getAll}. */
  async get(key: BytesInput, options?: GetOptions): Promise<Entry | null>;
  // `object`: text is an iterable of text too, and is one key.
  async get(keys: Iterable<BytesInput> & object, options?: CallOptions): Promise<(Entry | null)[]>;
  async get(
    key: BytesInput | Iterable<BytesInput>,
    options: GetOptions = NO_OPTIONS,
  ): Promise<Entry | null | (Entry | null)[]> {
    if (isKeys(key)) return this.getAll(key, options);
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    if (hasVersion(version)) {
      const read = (session: Session, call: CallOptions) => getEntry(session, asked, version, call);
      return this.room.enter(options, VERSION_NAMES, read, asked.length);
    }
    return this.room.share('Get', options, VERSION_NAMES, asked.length, (calls, deadline) =>
      calls.get(asked, deadline),
    );
  }

  /** Reads many entries: in the order of the keys, null where there is none. */
  async getAll(keys: Iterable<BytesInput>, options: CallOptions = NO_OPTIONS): Promise<(Entry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return this.#nothing(options);
    return this.room.share('GetAll', options, [], bytesOf(asked), (calls, deadline) =>
      calls.getAll(asked, deadline),
    );
  }

  // Verified reads

  /**
   * Reads one entry and proves that it is in the one trusted history, also behind a reference. Null when the server
   * says there is none. Neither absence nor that no newer version exists can be proven.
   *
   * @throws VerificationError when the server's answer is not proven
   */
  verifiedGet(key: BytesInput, options: LatestOptions): Promise<LatestEntry | ProvenAbsence>;
  verifiedGet(key: BytesInput, options?: VerifiedGetOptions): Promise<VerifiedEntry | null>;
  verifiedGet(
    key: BytesInput,
    options: VerifiedGetOptions | LatestOptions = NO_OPTIONS,
  ): Promise<VerifiedEntry | LatestEntry | ProvenAbsence | null> {
    return rejecting<VerifiedEntry | LatestEntry | ProvenAbsence | null>(() => {
      const asked = toKey(key, 'key');
      if (isLatest(options)) return this.#latestGet(asked, options);
      const version = checkVersion(options);
      if (options !== NO_OPTIONS && wantsProof(options)) {
        const { room } = this;
        return room.enterVerified('verifiedGet', options, READ_NAMES, async (asking) => {
          const { session, trust, call } = asking;
          const entry = await verifiedGet(session, trust, call, asked, version);
          return entry && withProofs(asking, room.database, entry);
        });
      }
      if (hasVersion(version)) {
        return this.room.enterVerified('verifiedGet', options, READ_NAMES, ({ session, trust, call }) =>
          verifiedGet(session, trust, call, asked, version),
        );
      }
      return this.room.shareVerified('verifiedGet', options, READ_NAMES, asked.length, (calls, trust, call) =>
        calls.verifiedGet(trust, call, asked),
      );
    });
  }

  #latestGet(key: Uint8Array, options: LatestOptions): Promise<LatestEntry | ProvenAbsence> {
    const { room } = this;
    const { length } = key;
    return room.shareVerified(
      'verifiedGet',
      besideLatest(options),
      LATEST_NAMES,
      length,
      (calls, trust, call) => {
        const first = () => calls.verifiedGet(trust, call, key, true);
        const again = () =>
          room.shareVerified('verifiedGet', call.deadline.left, [], length, (shared, now, next) =>
            shared.verifiedGet(now, next, key, true),
          );
        return latestGet({ trust, rpc: room.session, call, key, first, again });
      },
    );
  }

  /**
   * Reads many entries together and proves each: in the order of the keys, null where the server says there is none. One
   * that is not proven fails the call.
   */
  async verifiedGetAll(
    keys: Iterable<BytesInput>,
    options: CallOptions = NO_OPTIONS,
  ): Promise<(VerifiedEntry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return this.#nothing(options);
    const bytes = bytesOf(asked);
    return this.room.shareVerified('verifiedGetAll', options, [], bytes, (calls, trust, call) =>
      calls.verifiedGetAll(trust, call, asked),
    );
  }

  /** For a call that names no key. */
  #nothing(options: CallOptions): [] {
    this.connection.door.deadline(options, []);
    return [];
  }
}
