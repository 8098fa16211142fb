// The public face: every call checks its input here and says in one line which room does the work.
import { ClosedError } from '../errors.js';
import { LazyClientAudit } from './audit/client-audit.js';
import type { ClientAudit } from './audit/client-audit.js';
import { toKey, toValue } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import { Connection } from './connection.js';
import type { ClientDiagnostics } from './connection.js';
import type { DatabaseCalls } from './database-calls.js';
import { createDatabase, listDatabases } from './databases.js';
import type { CreateDatabaseOptions, DatabaseInfo } from './databases.js';
import { Deadline } from './deadline.js';
import type { Entry } from './entries.js';
import { checkVersion, hasVersion } from './get-options.js';
import type { GetOptions } from './get-options.js';
import { getEntry, setEntries, toEntries, toKeys } from './kv.js';
import type { KeyValue, Pairs, Write } from './kv.js';
import { flag } from './option-checks.js';
import { checkCallOptions, databaseName, resolveCredentials, resolveOptions } from './options.js';
import type { CallOptions, Credentials, ImmuClientOptions } from './options.js';
import { claimedState, health, serverInfo } from './server-info.js';
import type { ClaimedState, Health, ServerInfo } from './server-info.js';
import type { Session } from './session.js';
import type { Call, DatabaseTrust } from './trust/database-trust.js';
import { changePassword, changePermission, createUser, listUsers, setActiveUser } from './users.js';
import type { GrantablePermission, Permission, User } from './users.js';
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
export class ImmuClient {
  /** Every root this client's store has verified, and what happened to trust; and audits of the server against it. */
  readonly audit: ClientAudit;
  readonly #connection: Connection;
  #closed = false;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(options: string | ImmuClientOptions = {}) {
    this.#connection = new Connection(resolveOptions(options));
    this.audit = new LazyClientAudit(
      () => this.#connection.store(),
      async () => this.#connection.auditAccess(this.#connection.session.database),
    );
  }

  /** Name of the database that calls go to. */
  get database(): string {
    return this.#connection.session.database;
  }

  // Logging in and out

  /** Opens a session in place of the present login, and selects its database. */
  async openSession(credentials: Credentials, options: CallOptions = {}): Promise<void> {
    const deadline = this.#deadline(options);
    await this.#connection.login('session', resolveCredentials(credentials), deadline);
  }

  /** Ends the session, and its transactions, on the server. */
  async closeSession(): Promise<void> {
    this.#assertOpen();
    await this.#connection.logout();
  }

  /** Logs in with a token instead of a session: for servers and users that need it. */
  async login(
    user: string,
    password: string,
    options: CallOptions & { readonly database?: string } = {},
  ): Promise<void> {
    const { database, ...call } = options;
    const credentials = resolveCredentials({ user, password, ...(database !== undefined && { database }) });
    await this.#connection.login('token', credentials, this.#deadline(call));
  }

  async logout(): Promise<void> {
    await this.closeSession();
  }

  // Unverified reads and writes: the server's word

  /** Writes one entry. */
  async set(key: BytesInput, value: BytesInput, options: CallOptions = {}): Promise<Write> {
    const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
    if (!this.#connection.options.group) return setEntries(this.#session(options), [entry], options);
    return this.#calls(options).set([entry], this.#deadline(options));
  }

  /** Reads one entry; null when the server says there is none. */
  async get(key: BytesInput, options: GetOptions = {}): Promise<Entry | null> {
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    if (hasVersion(version)) return getEntry(this.#session(options), asked, version, options);
    return this.#calls(options).get(asked, this.#deadline(options));
  }

  /** Writes up to 1024 entries in one transaction: all or none. */
  async setAll(entries: Pairs, options: CallOptions = {}): Promise<Write> {
    return setEntries(this.#session(options), toEntries(entries), options);
  }

  /** Reads many entries: in the order of the keys, null where there is none. */
  async getAll(keys: readonly BytesInput[], options: CallOptions = {}): Promise<(Entry | null)[]> {
    const asked = toKeys(keys);
    if (asked.length === 0) return [];
    return this.#calls(options).getAll(asked, this.#deadline(options));
  }

  // Verified reads and writes

  /**
   * Writes one entry and proves that exactly it is in the one trusted history. Resolves when the proof is durable in
   * the root store. Not repeated by itself.
   *
   * @throws VerificationError when the server's answer does not prove the write
   * @throws TransportError OUTCOME_UNKNOWN when it may have been written but could not be proven
   */
  async verifiedSet(key: BytesInput, value: BytesInput, options: WriteOptions = {}): Promise<VerifiedWrite> {
    const entry = { key: toKey(key, 'key'), value: toValue(value, 'value') };
    return this.#write('verifiedSet', [entry], options);
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
  async verifiedGet(key: BytesInput, options: GetOptions = {}): Promise<VerifiedEntry | null> {
    const asked = toKey(key, 'key');
    const version = checkVersion(options);
    const verified = this.#verified('verifiedGet', options);
    const { session, trust, call } = verified instanceof Promise ? await verified : verified;
    if (hasVersion(version)) return verifiedGet(verifiedRpc(session), trust, call, asked, version);
    return this.#connection.calls(session).verifiedGet(trust, call, asked);
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
    const { session, trust, call } = await this.#verified('verifiedGetAll', options);
    return this.#connection.calls(session).verifiedGetAll(trust, call, asked);
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
    const { trust, call } = await this.#verified('forgetTrust', options);
    await trust.forget(call, reason);
  }

  /** Accepts another server, by its identity, at this client's address: after a move on purpose. */
  async acceptServer(identity: string): Promise<void> {
    this.#assertOpen();
    await this.#connection.identity.accept(identity);
  }

  // Databases

  /** Creates a database; true unless it existed already (with `ifNotExists`). Does not select it. */
  async createDatabase(name: string, options: CreateDatabaseOptions = {}): Promise<boolean> {
    return createDatabase(this.#session(options), name, options);
  }

  /** Selects the database of all later calls; calls in flight keep theirs. */
  async useDatabase(name: string, options: CallOptions = {}): Promise<void> {
    await this.#connection.select(databaseName(name), this.#deadline(options));
  }

  async listDatabases(options: CallOptions = {}): Promise<DatabaseInfo[]> {
    return listDatabases(this.#session(options), options);
  }

  // Users

  /** Creates a user with a permission on a database (default: the selected one). */
  async createUser(
    name: string,
    password: string,
    permission: GrantablePermission,
    options: CallOptions & { readonly database?: string } = {},
  ): Promise<void> {
    const { database = this.database, ...call } = options;
    await createUser(this.#session(call), { name, password, permission, database }, call);
  }

  /** Changes a password; ends the user's sessions. `oldPassword` counts for the user `immudb` only. */
  async changePassword(
    user: string,
    oldPassword: string,
    newPassword: string,
    options: CallOptions = {},
  ): Promise<void> {
    await changePassword(this.#session(options), { user, oldPassword, newPassword }, options);
  }

  async listUsers(options: CallOptions = {}): Promise<User[]> {
    return listUsers(this.#session(options), options);
  }

  /** Gives a user a permission on a database; `Permission.NONE` takes away the one it has. */
  async changePermission(
    user: string,
    database: string,
    permission: GrantablePermission | typeof Permission.NONE,
    options: CallOptions = {},
  ): Promise<void> {
    await changePermission(this.#session(options), { user, database, permission }, options);
  }

  /** Lets a user log in, or not; ends its sessions. */
  async setActiveUser(user: string, active: boolean, options: CallOptions = {}): Promise<void> {
    await setActiveUser(this.#session(options), user, active, options);
  }

  // The server

  async health(options: CallOptions = {}): Promise<Health> {
    return health(this.#session(options), options);
  }

  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    return serverInfo(this.#session(options), options);
  }

  /** The server's word about its newest transaction. Proves nothing and never changes trust. */
  async currentState(options: CallOptions = {}): Promise<ClaimedState> {
    return claimedState(this.#session(options), options);
  }

  // What goes on inside

  /** Resolves when a further call would be let in at once: see the options `maxQueuedCalls` and `overload`. */
  ready(): Promise<void> {
    this.#assertOpen();
    return this.#connection.admission.ready();
  }

  /** What waits, what was grouped, and by which means answers were proven, so far. */
  get diagnostics(): ClientDiagnostics {
    return this.#connection.diagnostics;
  }

  // The end

  /**
   * Ends the sessions, rejects what is in flight with ClosedError, and writes what is due to the store. A store that
   * was given to the constructor stays open. Idempotent.
   */
  close(): Promise<void> {
    this.#closed = true;
    return this.#connection.close();
  }

  /** {@link close}. */
  shutdown(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('the client');
  }

  #session(options: CallOptions): Session {
    checkCallOptions(options);
    return this.#connection.session;
  }

  #deadline(options: CallOptions): Deadline {
    this.#assertOpen();
    checkCallOptions(options);
    return new Deadline(options, this.#connection.options.timeoutMs);
  }

  /** What a verified call needs, for the database selected now. */
  #verified(operation: string, options: CallOptions): Verified | Promise<Verified> {
    const startedAt = performance.now();
    const deadline = this.#deadline(options);
    const { session } = this.#connection;
    const call = { operation, startedAt, deadline };
    const known = this.#connection.trustNow(session.database);
    if (known) return { session, trust: known, call };
    return deadline
      .race(this.#connection.trust(session.database), 'the server to say who it is')
      .then((trust) => ({ session, trust, call }));
  }

  async #write(
    operation: string,
    entries: readonly KeyValue[],
    { ownTx = false, ...options }: WriteOptions,
  ): Promise<VerifiedWrite> {
    flag('ownTx', ownTx);
    const verified = this.#verified(operation, options);
    const { session, trust, call } = verified instanceof Promise ? await verified : verified;
    return this.#connection.calls(session).verifiedSet(trust, call, entries, ownTx);
  }

  #calls(options: CallOptions): DatabaseCalls {
    return this.#connection.calls(this.#session(options));
  }
}
