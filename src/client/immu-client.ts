// The public face: every call checks its input here and says in one line which room does the work.
import { ArgumentError } from '../errors.js';
import { BaseClient } from './base-client.js';
import { toKey, toValue } from './input/bytes-input.js';
import type { BytesInput } from './input/bytes-input.js';
import type { GroupedCalls } from './room/grouped-calls.js';
import type { Entry } from './calls/kv/entries.js';
import { checkIngestOptions, ingest } from './calls/kv/ingest.js';
import type { IngestClient, IngestOptions, IngestReceipt, IngestRecord } from './calls/kv/ingest.js';
import { VERSION_NAMES, checkVersion, hasVersion } from './input/get-options.js';
import type { GetOptions } from './input/get-options.js';
import { bytesOf, bytesOfEntries, getEntry, isKeys, toEntries, toKeys } from './calls/kv/kv.js';
import type { KeyValue, Pairs, Write } from './calls/kv/kv.js';
import { withCallerStack } from './flow/caller-stack.js';
import type { Deadline } from './flow/deadline.js';
import { flag, optionsObject, text } from './input/option-checks.js';
import { NO_OPTIONS } from './input/call-options.js';
import type { CallOptions } from './input/call-options.js';
import type { Turn } from './flow/turns.js';
import type { Session } from './net/session.js';
import type { Call } from './trust/call.js';
import type { DatabaseTrust } from './trust/database-trust.js';
import { verifiedGet } from './calls/kv/verified-get.js';
import type { VerifiedEntry } from './calls/kv/verified-get.js';
import { verifiedRpc } from './calls/kv/verified-rpc.js';
import type { VerifiedWrite } from './calls/kv/verified-set.js';

/** How a verified write is sent. */
export interface WriteOptions extends CallOptions {
  /** In a transaction that holds nothing else. @default false: writes in flight share transactions */
  readonly ownTx?: boolean;
}

const WRITE_NAMES = ['ownTx'];
const WARM_NAMES = ['from', 'to'];

/** What a verified call that shares no requests needs. */
interface Verified {
  readonly session: Session;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/**
 * A client of one immudb server. Connects at the first call. All calls may be in flight at the same time, and all take
 * `{ timeoutMs, signal }` last. Close it when done: `await client.close()`, or `await using`.
 *
 * @example
 * const client = new ImmuClient({ credentials: { user: 'immudb', password: 'immudb' } });
 * const { tx } = await client.verifiedSet('key', 'value');
 * const entry = await client.verifiedGet('key');
 * await client.close();
 */
export class ImmuClient extends BaseClient {
  // Unverified reads and writes: the server's word

  /** Writes one entry. */
  async set(key: BytesInput, value: BytesInput, options: CallOptions = NO_OPTIONS): Promise<Write> {
    const entries = [{ key: toKey(key, 'key'), value: toValue(value, 'value') }];
    if (!this.connection.options.group) return this.#setEntries(entries, options);
    const turn = this.#turn();
    return turn.of(() =>
      this.#grouped(options, [], bytesOfEntries(entries), (calls, deadline) =>
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
      return this.call(options, VERSION_NAMES, read, asked.length);
    }
    return this.#grouped(options, VERSION_NAMES, asked.length, (calls, deadline) =>
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
    return this.#grouped(options, [], bytesOf(asked), (calls, deadline) => calls.getAll(asked, deadline));
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
      return this.#write('verifiedSet', [entry], options);
    });
  }

  /**
   * Writes up to 1024 entries in one transaction, all or none, and proves that exactly they are in the one trusted
   * history. Like {@link verifiedSet} in everything else.
   */
  async verifiedSetAll(entries: Pairs, options: WriteOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.#write('verifiedSetAll', toEntries(entries), options);
  }

  /**
   * Reads one entry and proves that it is in the one trusted history, also behind a reference. Null when the server
   * says there is none. Neither absence nor that no newer version exists can be proven.
   *
   * @throws VerificationError when the server's answer is not proven
   */
  verifiedGet(key: BytesInput, options: GetOptions = NO_OPTIONS): Promise<VerifiedEntry | null> {
    return rejecting(() => {
      const asked = toKey(key, 'key');
      const version = checkVersion(options);
      if (hasVersion(version)) {
        return this.#alone('verifiedGet', options, VERSION_NAMES, ({ session, trust, call }) =>
          verifiedGet(verifiedRpc(session), trust, call, asked, version),
        );
      }
      return this.#together('verifiedGet', options, VERSION_NAMES, asked.length, (calls, trust, call) =>
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
    return this.#together('verifiedGetAll', options, [], bytes, (calls, trust, call) =>
      calls.verifiedGetAll(trust, call, asked),
    );
  }

  /**
   * Proves the headers of transactions `from` to `to` (default: all up to the trusted head) and keeps them, so that reads
   * of these transactions find them proven. Bounded by the option `cacheBytes`: the last ones stay. Returns how many.
   */
  async warm(
    options: CallOptions & { readonly from?: bigint; readonly to?: bigint } = NO_OPTIONS,
  ): Promise<number> {
    return this.#alone('warm', options, WARM_NAMES, ({ trust, call }) => {
      const { from = 1n, to } = options;
      for (const [name, tx] of Object.entries({ from, to })) if (tx !== undefined) txId(name, tx);
      return call.deadline.race(trust.warm(call, from, to), 'headers to be proven');
    });
  }

  /**
   * Writes the records of a source, each as a verified write, and gives their receipts in order: as many at a time as the
   * window holds, in as few transactions as limits allow. The source is read no faster than receipts are taken. Writes are
   * not repeated: when one fails the iterator throws IngestError, whose `resume` token goes on with that record.
   *
   * @example
   * for await (const { index, tx, resume } of client.ingest(records)) checkpoint(resume);
   * @throws IngestError with the code of what went wrong
   */
  ingest(
    records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
    options: IngestOptions = NO_OPTIONS,
  ): AsyncGenerator<IngestReceipt, void, undefined> {
    checkIngestOptions(options);
    if (!isIterable(records))
      throw new ArgumentError('records', 'records must be an iterable or an async iterable');
    const { admission, options: limits } = this.connection;
    const client: IngestClient = {
      maxRecords: Math.max(1, limits.maxQueuedCalls >> 1),
      maxBytes: limits.maxQueuedBytes >> 1,
      room: () => (admission.isFull ? admission.ready() : undefined),
      whenClosed: (tell) => this.door.whenClosed(tell),
      write: (key, value, call) => this.#write('ingest', [{ key, value }], call),
      head: (root, call) =>
        this.#alone('ingest', call, [], async ({ trust, call: from }) => {
          if (root) await trust.assertOnHistory(from, root);
          else await trust.ready(from);
          return trust.root;
        }),
    };
    return ingest(client, records, options);
  }

  /** {@link verifiedSet} under the name other immudb clients use. */
  safeSet(key: BytesInput, value: BytesInput, options: WriteOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.verifiedSet(key, value, options);
  }

  /** {@link verifiedGet} under the name other immudb clients use. */
  safeGet(key: BytesInput, options: GetOptions = NO_OPTIONS): Promise<VerifiedEntry | null> {
    return this.verifiedGet(key, options);
  }

  /**
   * Drops what is trusted of the selected database; the next verified call is a first contact. For a database that was
   * made anew or restored on purpose. Recorded, with the reason.
   */
  async forgetTrust(reason: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const why = text('reason', reason);
    await this.#alone('forgetTrust', options, [], ({ trust, call }) => trust.forget(call, why));
  }

  /**
   * Accepts a server, by its identity, at this client's address: after a move on purpose, or where a database that nothing is
   * known of is to be used at a second address of a server. From then on this client trusts what its store knows of that
   * server, and no other; calls under way that are not proven yet are refused.
   */
  async acceptServer(identity: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.door.deadline(options, []);
    const accept = () => deadline.race(this.connection.acceptServer(identity), 'the store');
    await this.door.enter(deadline, 0, accept);
  }

  /** A verified call that asks the server on its own, in the database selected now. */
  #alone<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    work: (verified: Verified) => Promise<T>,
  ): Promise<T> {
    const deadline = this.door.deadline(options, own);
    const { session } = this.connection;
    return this.door.enter(deadline, 0, async () => {
      const trust = await this.#trust(session, deadline);
      return work({ session, trust, call: { operation, startedAt: deadline.startedAt, deadline } });
    });
  }

  /** One that shares requests with others: at once when there is room, and trust. `start` takes its place over. */
  #together<T>(
    operation: string,
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    start: (calls: GroupedCalls, trust: DatabaseTrust, call: Call) => Promise<T>,
  ): Promise<T> {
    const deadline = this.door.deadline(options, own);
    const { session } = this.connection;
    const call = { operation, startedAt: deadline.startedAt, deadline };
    const calls = this.connection.calls(session);
    return this.door.enterFast(deadline, bytes, () => {
      const known = this.connection.trustNow(session.database);
      if (known) return start(calls, known, call);
      return this.#trust(session, deadline).then(
        (trust) => start(calls, trust, call),
        (error: unknown) => {
          this.connection.admission.leave(bytes);
          throw withCallerStack(error);
        },
      );
    });
  }

  async #trust({ database }: Session, deadline: Deadline): Promise<DatabaseTrust> {
    const made = this.connection.trust(database);
    return this.connection.trustNow(database) ?? deadline.race(made, 'the server to say who it is');
  }

  #write(operation: string, entries: readonly KeyValue[], options: WriteOptions): Promise<VerifiedWrite> {
    optionsObject('options', options);
    const { ownTx = false } = options;
    flag('ownTx', ownTx);
    const bytes = bytesOfEntries(entries);
    const turn = ownTx ? undefined : this.#turn();
    const write = () =>
      this.#together(operation, options, WRITE_NAMES, bytes, (calls, trust, call) =>
        calls.verifiedSet(trust, call, entries, bytes, turn),
      );
    return turn ? turn.of(write) : write();
  }

  /** Of a write to the database selected now that shares its transaction. */
  #turn(): Turn {
    return this.connection.calls(this.connection.session).turn();
  }

  /** A plain call that shares requests with others. `start` takes its place over. */
  #grouped<T>(
    options: CallOptions,
    own: readonly string[],
    bytes: number,
    start: (calls: GroupedCalls, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = this.door.deadline(options, own);
    const calls = this.connection.calls(this.connection.session);
    return this.door.enterFast(deadline, bytes, () => start(calls, deadline));
  }

  /** For a call that names no key. */
  #nothing(options: CallOptions): [] {
    this.door.deadline(options, []);
    return [];
  }

  #setEntries(entries: readonly KeyValue[], options: CallOptions): Promise<Write> {
    const write = (session: Session, call: CallOptions) =>
      this.connection.calls(session).setAlone(entries, call);
    return this.call(options, [], write, bytesOfEntries(entries));
  }
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
}

function txId(name: string, tx: unknown): void {
  if (typeof tx !== 'bigint' || tx < 1n || BigInt.asIntN(64, tx) !== tx)
    throw new ArgumentError(name, `${name} must be a bigint from 1 to 2^63-1`);
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
