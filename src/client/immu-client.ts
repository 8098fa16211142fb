// The public face: every call checks its input here and says in one line which room does the work.
import { ArgumentError } from '../errors.js';
import { BaseClient } from './base-client.js';
import { toKey, toValue } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import type { DatabaseCalls } from './database-calls.js';
import type { Entry } from './entries.js';
import { checkIngestOptions, ingest } from './ingest.js';
import type { IngestClient, IngestOptions, IngestReceipt, IngestRecord } from './ingest.js';
import { checkVersion, hasVersion } from './get-options.js';
import type { GetOptions } from './get-options.js';
import { getEntry, toEntries, toKeys } from './kv.js';
import type { KeyValue, Pairs, Write } from './kv.js';
import { flag, optionsObject } from './option-checks.js';
import type { CallOptions } from './options.js';
import type { Session } from './session.js';
import type { Call } from './trust/call.js';
import type { DatabaseTrust } from './trust/database-trust.js';
import { verifiedGet } from './verified/verified-get.js';
import type { VerifiedEntry } from './verified/verified-get.js';
import { verifiedRpc } from './verified/verified-rpc.js';
import type { VerifiedWrite } from './verified/verified-set.js';

/** How a verified write is sent. */
export interface WriteOptions extends CallOptions {
  /** In a transaction that holds nothing else. @default false: writes in flight share transactions */
  readonly ownTx?: boolean;
}

/** What a verified call needs. */
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
  async set(key: BytesInput, value: BytesInput, options: CallOptions = {}): Promise<Write> {
    const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
    if (!this.connection.options.group) return this.#calls(options).setAlone([entry], options);
    return this.#calls(options).set([entry], this.deadline(options));
  }

  /** Reads one entry; null when the server says there is none. */
  async get(key: BytesInput, options: GetOptions = {}): Promise<Entry | null> {
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    if (hasVersion(version)) return getEntry(this.session(options), asked, version, options);
    return this.#calls(options).get(asked, this.deadline(options));
  }

  /** Writes up to 1024 entries in one transaction: all or none. */
  async setAll(entries: Pairs, options: CallOptions = {}): Promise<Write> {
    return this.#calls(options).setAlone(toEntries(entries), options);
  }

  /** Reads many entries: in the order of the keys, null where there is none. */
  async getAll(keys: readonly BytesInput[], options: CallOptions = {}): Promise<(Entry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return [];
    return this.#calls(options).getAll(asked, this.deadline(options));
  }

  // Verified reads and writes

  /**
   * Writes one entry and proves that exactly it is in the one trusted history. Resolves when the proof is durable in
   * the root store. Not repeated by itself.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  verifiedSet(key: BytesInput, value: BytesInput, options: WriteOptions = {}): Promise<VerifiedWrite> {
    return rejecting(() => {
      const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
      return this.#write('verifiedSet', [entry], options);
    });
  }

  /**
   * Writes up to 1024 entries in one transaction, all or none, and proves that exactly they are in the one trusted
   * history. Like {@link verifiedSet} in everything else.
   */
  async verifiedSetAll(entries: Pairs, options: WriteOptions = {}): Promise<VerifiedWrite> {
    return this.#write('verifiedSetAll', toEntries(entries), options);
  }

  /**
   * Reads one entry and proves that it is in the one trusted history, also behind a reference. Null when the server
   * says there is none. Neither absence nor that no newer version exists can be proven.
   *
   * @throws VerificationError when the server's answer is not proven
   */
  verifiedGet(key: BytesInput, options: GetOptions = {}): Promise<VerifiedEntry | null> {
    return rejecting(() => {
      const asked = toKey(key, 'key');
      const version = checkVersion(options);
      return this.#verifiedCall('verifiedGet', options, ({ session, trust, call }) =>
        hasVersion(version)
          ? verifiedGet(verifiedRpc(session), trust, call, asked, version)
          : this.connection.calls(session).verifiedGet(trust, call, asked),
      );
    });
  }

  /**
   * Reads many entries together and proves each: in the order of the keys, null where the server says there is none. One
   * that is not proven fails the call.
   */
  async verifiedGetAll(
    keys: readonly BytesInput[],
    options: CallOptions = {},
  ): Promise<(VerifiedEntry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return [];
    return this.#verifiedCall('verifiedGetAll', options, ({ session, trust, call }) =>
      this.connection.calls(session).verifiedGetAll(trust, call, asked),
    );
  }

  /**
   * Proves the headers of transactions `from` to `to` (default: all up to the trusted head) and keeps them, so that reads
   * of these transactions find them proven. Bounded by the option `cacheBytes`: the last ones stay. Returns how many.
   */
  async warm(options: CallOptions & { readonly from?: bigint; readonly to?: bigint } = {}): Promise<number> {
    const { from = 1n, to, ...rest } = options;
    return this.#verifiedCall('warm', rest, ({ trust, call }) =>
      call.deadline.race(trust.warm(call, from, to), 'headers to be proven'),
    );
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
    options: IngestOptions = {},
  ): AsyncGenerator<IngestReceipt, void, undefined> {
    checkIngestOptions(options);
    if (!isIterable(records))
      throw new ArgumentError('records', 'records must be an iterable or an async iterable');
    const client: IngestClient = {
      write: (key, value, call) => this.#write('ingest', [{ key, value }], call),
      head: (root, call) =>
        this.#verifiedCall('ingest', call, async ({ trust, call: from }) => {
          if (root) await trust.assertOnHistory(from, root);
          else await trust.ready(from);
          return trust.root;
        }),
    };
    return ingest(client, records, options);
  }

  /** {@link verifiedSet} under the name other immudb clients use. */
  safeSet(key: BytesInput, value: BytesInput, options: WriteOptions = {}): Promise<VerifiedWrite> {
    return this.verifiedSet(key, value, options);
  }

  /** {@link verifiedGet} under the name other immudb clients use. */
  safeGet(key: BytesInput, options: GetOptions = {}): Promise<VerifiedEntry | null> {
    return this.verifiedGet(key, options);
  }

  /**
   * Drops what is trusted of the selected database; the next verified call is a first contact. For a database that was
   * made anew or restored on purpose. Recorded, with the reason.
   */
  async forgetTrust(reason: string, options: CallOptions = {}): Promise<void> {
    await this.#verifiedCall('forgetTrust', options, ({ trust, call }) => trust.forget(call, reason));
  }

  /**
   * Accepts a server, by its identity, at this client's address: after a move on purpose, or where a database that nothing is
   * known of is to be used at a second address of a server. From then on this client trusts what its store knows of that
   * server, and no other; calls under way that are not proven yet are refused.
   */
  async acceptServer(identity: string): Promise<void> {
    this.assertOpen();
    await this.connection.acceptServer(identity);
  }

  /** Does `work` with what a verified call needs, for the database selected now: at once when that is at hand. */
  #verifiedCall<T>(
    operation: string,
    options: CallOptions,
    work: (verified: Verified) => Promise<T>,
  ): Promise<T> {
    const deadline = this.deadline(options);
    const { session } = this.connection;
    const call = { operation, startedAt: deadline.startedAt, deadline };
    const known = this.connection.trustNow(session.database);
    if (known) return work({ session, trust: known, call });
    return deadline
      .race(this.connection.trust(session.database), 'the server to say who it is')
      .then((trust) => work({ session, trust, call }));
  }

  #write(operation: string, entries: readonly KeyValue[], options: WriteOptions): Promise<VerifiedWrite> {
    optionsObject('options', options);
    const { ownTx = false } = options;
    flag('ownTx', ownTx);
    return this.#verifiedCall(operation, options, ({ session, trust, call }) =>
      this.connection.calls(session).verifiedSet(trust, call, entries, ownTx),
    );
  }

  #calls(options: CallOptions): DatabaseCalls {
    return this.connection.calls(this.session(options));
  }
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)
  );
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
