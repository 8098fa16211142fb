// Keys of a database: every call checks its input here and says in one line which room does the work.
import { deleteKeys, toDeletedKeys, verifiedDelete } from '../calls/kv/delete.js';
import type { Entry } from '../calls/kv/entries.js';
import { bytesOf, bytesOfEntries, getEntry, isKeys, setEntries, toEntries, toKeys } from '../calls/kv/kv.js';
import type { KeyValue, Pairs, Write } from '../calls/kv/kv.js';
import { verifiedGet } from '../calls/kv/verified-get.js';
import type { VerifiedEntry } from '../calls/kv/verified-get.js';
import { verifiedRpc } from '../calls/kv/verified-rpc.js';
import {
  PROOF_NAMES,
  wantsProof,
  withProofs,
  withWriteProof,
  withoutProof,
} from '../calls/txs/portable-proof.js';
import type { ProofOptions } from '../calls/txs/portable-proof.js';
import type { VerifiedWrite } from '../trust/write.js';
import { toKey, toValue } from '../input/bytes-input.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { VERSION_NAMES, checkVersion, hasVersion } from '../input/get-options.js';
import type { GetOptions } from '../input/get-options.js';
import { flag, optionsObject } from '../input/option-checks.js';
import type { Session } from '../net/session.js';
import type { Room } from '../room/room.js';
import { Handle } from './handle.js';

/** How a verified write is sent. */
export interface WriteOptions extends CallOptions, ProofOptions {
  /** In a transaction that holds nothing else. @default false: writes in flight share transactions */
  readonly ownTx?: boolean;
}

/** Which version, and with what. */
export interface VerifiedGetOptions extends GetOptions, ProofOptions {}

const READ_NAMES = [...VERSION_NAMES, ...PROOF_NAMES];
const WRITE_NAMES = ['ownTx', ...PROOF_NAMES];

export abstract class KeyCalls extends Handle {
  // Unverified reads and writes: the server's word

  /** Writes one entry. */
  async set(key: BytesInput, value: BytesInput, options: CallOptions = NO_OPTIONS): Promise<Write> {
    const entries = [{ key: toKey(key, 'key'), value: toValue(value, 'value') }];
    if (!this.connection.options.group) return this.#setEntries(entries, options);
    const { room } = this;
    const turn = room.calls.turn();
    return turn.of(() =>
      room.share(options, [], bytesOfEntries(entries), (calls, deadline) =>
        calls.set(entries, deadline, turn),
      ),
    );
  }

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
    return this.room.share(options, VERSION_NAMES, asked.length, (calls, deadline) =>
      calls.get(asked, deadline),
    );
  }

  /** Writes up to 1024 entries in one transaction: all or none. */
  async setAll(entries: Pairs, options: CallOptions = NO_OPTIONS): Promise<Write> {
    return this.#setEntries(toEntries(entries), options);
  }

  /** Reads many entries: in the order of the keys, null where there is none. */
  async getAll(keys: Iterable<BytesInput>, options: CallOptions = NO_OPTIONS): Promise<(Entry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return this.#nothing(options);
    return this.room.share(options, [], bytesOf(asked), (calls, deadline) => calls.getAll(asked, deadline));
  }

  /**
   * Deletes keys in one transaction: all, or none where one of them is not there. Their history stays.
   *
   * @throws ServerError NOT_FOUND when the server says that one of them is not there
   */
  async delete(keys: BytesInput | Iterable<BytesInput>, options: CallOptions = NO_OPTIONS): Promise<Write> {
    const asked = toDeletedKeys(keys);
    const { room } = this;
    const write = (_session: Session, call: CallOptions) =>
      room.calls.writeAlone((rpc) => deleteKeys(rpc, asked, call));
    return room.enter(options, [], write, bytesOf(asked));
  }

  // Verified reads and writes

  /**
   * Writes one entry and proves that exactly it is in the one trusted history. Resolves when the proof is durable in
   * the root store. Not repeated by itself.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  verifiedSet(
    key: BytesInput,
    value: BytesInput,
    options: WriteOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    return rejecting(() => {
      const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
      return this.write('verifiedSet', [entry], options);
    });
  }

  /**
   * Writes up to 1024 entries in one transaction, all or none, and proves that exactly they are in the one trusted
   * history. Like {@link verifiedSet} in everything else.
   */
  async verifiedSetAll(entries: Pairs, options: WriteOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.write('verifiedSetAll', toEntries(entries), options);
  }

  /**
   * Deletes keys in one transaction that holds nothing else, and proves that it holds exactly these deletions, in the one
   * trusted history: later verified reads of these keys do not show an older value. Not repeated by itself; wait for writes of
   * these keys that are in flight first.
   *
   * @example
   * const { tx } = await client.verifiedDelete('session/17');
   * @throws VerificationError when the server's answer does not prove the deletion
   * @throws ServerError NOT_FOUND when the server says that one of them is not there: nothing is deleted then
   * @throws TransportError OUTCOME_UNKNOWN when it may have been done but could not be proven
   */
  async verifiedDelete(
    keys: BytesInput | Iterable<BytesInput>,
    options: CallOptions = NO_OPTIONS,
  ): Promise<VerifiedWrite> {
    const asked = toDeletedKeys(keys);
    return this.room.enterVerified('verifiedDelete', options, [], ({ session, trust, call }) =>
      verifiedDelete(session, trust, call, asked),
    );
  }

  /**
   * Reads one entry and proves that it is in the one trusted history, also behind a reference. Null when the server
   * says there is none. Neither absence nor that no newer version exists can be proven.
   *
   * @throws VerificationError when the server's answer is not proven
   */
  verifiedGet(key: BytesInput, options: VerifiedGetOptions = NO_OPTIONS): Promise<VerifiedEntry | null> {
    return rejecting(() => {
      const asked = toKey(key, 'key');
      const version = checkVersion(options);
      if (options !== NO_OPTIONS && wantsProof(options)) {
        const { room } = this;
        return room.enterVerified('verifiedGet', options, READ_NAMES, async (asking) => {
          const { session, trust, call } = asking;
          const entry = await verifiedGet(verifiedRpc(session), trust, call, asked, version);
          return entry && withProofs(asking, room.database, entry);
        });
      }
      if (hasVersion(version)) {
        return this.room.enterVerified('verifiedGet', options, READ_NAMES, ({ session, trust, call }) =>
          verifiedGet(verifiedRpc(session), trust, call, asked, version),
        );
      }
      return this.room.shareVerified('verifiedGet', options, READ_NAMES, asked.length, (calls, trust, call) =>
        calls.verifiedGet(trust, call, asked),
      );
    });
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

  /** @internal */
  protected write(
    operation: string,
    entries: readonly KeyValue[],
    options: WriteOptions,
    room = this.room,
  ): Promise<VerifiedWrite> {
    optionsObject('options', options);
    const { ownTx = false, includeProof = false } = options;
    flag('ownTx', ownTx);
    if (flag('includeProof', includeProof)) return this.#writeWithProof(operation, entries, options, room);
    const bytes = bytesOfEntries(entries);
    const turn = ownTx ? undefined : room.calls.turn();
    const write = () =>
      room.shareVerified(operation, options, WRITE_NAMES, bytes, (calls, trust, call) =>
        calls.verifiedSet(trust, call, entries, bytes, turn),
      );
    return turn ? turn.of(write) : write();
  }

  /** The proof is asked for in what is left of the time. */
  async #writeWithProof(
    operation: string,
    entries: readonly KeyValue[],
    options: WriteOptions,
    room: Room,
  ): Promise<VerifiedWrite> {
    const { timeoutMs = this.connection.options.timeoutMs, signal } = options;
    const endsAt = performance.now() + timeoutMs;
    const write = await this.write(operation, entries, { ...options, includeProof: false }, room);
    const left = Math.max(1, Math.ceil(endsAt - performance.now()));
    const rest = { timeoutMs: left, ...(signal && { signal }) };
    return room
      .enterVerified(operation, rest, [], (asking) => {
        // The log has counted it.
        const call = { ...asking.call, counted: true };
        return withWriteProof({ ...asking, call }, room.database, write, entries);
      })
      .catch((error: unknown) => {
        throw withoutProof(write.tx, error);
      });
  }

  /** For a call that names no key. */
  #nothing(options: CallOptions): [] {
    this.connection.door.deadline(options, []);
    return [];
  }

  #setEntries(entries: readonly KeyValue[], options: CallOptions): Promise<Write> {
    const { room } = this;
    const write = (_session: Session, call: CallOptions) =>
      room.calls.writeAlone((rpc) => setEntries(rpc, entries, call));
    return room.enter(options, [], write, bytesOfEntries(entries));
  }
}

/** What is thrown becomes a rejection. An async function would do that too, for three more turns of the queue a call. */
function rejecting<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return Promise.reject(error);
  }
}
