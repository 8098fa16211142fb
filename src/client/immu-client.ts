// The public face of a client: the database that is selected, the server and its users; and the names of other immudb clients.
import { types } from 'node:util';
import { ArgumentError } from '../errors.js';
import { DatabaseHandle } from './database-handle.js';
import type { ChangedSettings, DatabaseSettings } from './calls/admin/database-settings.js';
import type {
  CreateDatabaseOptions,
  DatabaseInfo,
  DeleteDatabaseOptions,
  TruncateDatabaseOptions,
} from './calls/admin/databases.js';
import type { SqlPrivilege } from './calls/admin/sql-privileges.js';
import type { ClaimedState, Health, ServerInfo } from './calls/admin/server-info.js';
import type { GrantablePermission, Permission, PermissionAction, User } from './calls/admin/users.js';
import type { VerifiedEntry } from './calls/kv/verified-entry.js';
import type { VerifiedWrite } from './trust/write.js';
import { Databases } from './faces/databases.js';
import { Server } from './faces/server.js';
import { TypedDatabase, codecOf } from './faces/typed-database.js';
import type { HandleOptions } from './faces/typed-database.js';
import { Users } from './faces/users.js';
import type { BytesInput } from './input/bytes-input.js';
import { NO_OPTIONS } from './input/call-options.js';
import type { CallOptions } from './input/call-options.js';
import type { GetOptions } from './input/get-options.js';
import type { WriteOptions } from './input/write-options.js';
import { databaseName, resolveCredentials } from './options/credentials.js';
import type { Credentials } from './options/credentials.js';
import { resolveOptions } from './options/options.js';
import type { ImmuClientOptions } from './options/options.js';
import type { Codec } from './results/codec.js';
import { Connection } from './room/connection.js';
import type { ClientDiagnostics } from './room/connection.js';
import type { ClientStatus } from './watch/status.js';

/**
 * A client of one immudb server: the database that is selected ({@link DatabaseHandle}), and the server. Connects at the first
 * call. All calls may be in flight at the same time, and all take `{ timeoutMs, signal }` last. Close it when done:
 * `await client.close()`, or `await using`.
 *
 * @example
 * const client = new ImmuClient({ credentials: { user: 'immudb', password: 'immudb' } });
 * const { tx } = await client.verifiedSet('key', 'value');
 * const entry = await client.verifiedGet('key');
 * await client.close();
 */
export class ImmuClient extends DatabaseHandle {
  readonly databases: Databases;
  readonly users: Users;
  readonly server: Server;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(options: string | ImmuClientOptions = {}) {
    super(new Connection(resolveOptions(options)), undefined);
    this.databases = new Databases(this.connection);
    this.users = new Users(this.connection);
    this.server = new Server(this.connection);
  }

  /**
   * A database of this server, whatever is selected: under the same login, with a session of its own that is opened at its
   * first call. Makes no request. With a `codec`, its values are of a type of yours: {@link TypedDatabase}.
   *
   * @example
   * const orders = client.database<Order>('shop', { codec: 'json' });
   * await orders.verifiedSet('order/17', { item: 'lamp', count: 2 });
   */
  database(name: BytesInput, options?: Partial<HandleOptions<undefined>>): DatabaseHandle;
  database(name: BytesInput, options: HandleOptions<'text'>): TypedDatabase<string>;
  database<T = unknown>(name: BytesInput, options: HandleOptions<'json' | Codec<T>>): TypedDatabase<T>;
  database(name: BytesInput, options: unknown = {}): DatabaseHandle | TypedDatabase<unknown> {
    const codec = codecOf(options);
    const handle = new DatabaseHandle(this.connection, databaseName(name));
    return codec ? new TypedDatabase(handle, codec) : handle;
  }

  // Logging in and out

  /** Opens a session in place of the present login, and selects its database. */
  async openSession(credentials: Credentials, options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.connection.door.deadline(options, [], 'openSession');
    const checked = resolveCredentials(credentials);
    await this.connection.door.enter(deadline, 0, () =>
      this.connection.rooms.login('session', checked, deadline),
    );
  }

  /** Ends the session, and its transactions, on the server. Waits for no room: it makes some. */
  async closeSession(options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.connection.door.deadline(options, []);
    await deadline.race(this.connection.rooms.logout(), 'the sessions to end');
  }

  /**
   * Logs in with a token instead of a session: for servers and users that need it. The database (default: `defaultdb`) is
   * selected; it may be named among the options too.
   */
  async login(
    user: string,
    password: string,
    database?: BytesInput | (CallOptions & { readonly database?: BytesInput }),
    options?: CallOptions,
  ): Promise<void> {
    const { name, rest } = loginOptions(database, options);
    const deadline = this.connection.door.deadline(rest, [], 'login');
    const credentials = resolveCredentials({ user, password, ...(name !== undefined && { database: name }) });
    await this.connection.door.enter(deadline, 0, () =>
      this.connection.rooms.login('token', credentials, deadline),
    );
  }

  /** {@link closeSession}. */
  async logout(options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.closeSession(options);
  }

  // What goes on inside

  /** Resolves when a further call would be let in at once: see the options `maxQueuedCalls` and `overload`. */
  ready(): Promise<void> {
    this.connection.door.assertOpen();
    return this.connection.admission.ready();
  }

  /**
   * How this client stands: `status().now`, at once and without asking anybody; and every change from then on, until the client is
   * closed: the connection, sessions, heads that move, refusals, forks. Changes wait for who takes them, up to 256; beyond that the
   * oldest are dropped, and `dropped` says how many.
   *
   * @example
   * const { ready, saturated } = client.status().now;
   * for await (const { kind, event } of client.status()) console.log(kind, event);
   */
  status(): ClientStatus {
    return this.connection.status;
  }

  /** What waits, what was grouped, and by which means answers were proven, so far. */
  get diagnostics(): ClientDiagnostics {
    return this.connection.diagnostics;
  }

  // The end

  /**
   * Ends the sessions, rejects what is in flight with ClosedError, and writes what is due to the store. A store that
   * was given to the constructor stays open. Always resolves, within `closeTimeoutMs`: what could not be done any more is a
   * warning of the process, and in `diagnostics.notDone`. Idempotent.
   */
  close(): Promise<void> {
    return this.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // The same under the names of other immudb clients

  /** {@link DatabaseHandle.verifiedSet}. */
  safeSet(key: BytesInput, value: BytesInput, options: WriteOptions = NO_OPTIONS): Promise<VerifiedWrite> {
    return this.verifiedSet(key, value, options);
  }

  /** {@link DatabaseHandle.verifiedGet}. */
  safeGet(key: BytesInput, options: GetOptions = NO_OPTIONS): Promise<VerifiedEntry | null> {
    return this.verifiedGet(key, options);
  }

  /** {@link Databases.create}. */
  createDatabase(name: BytesInput, options?: CreateDatabaseOptions): Promise<boolean> {
    return this.databases.create(name, options);
  }

  /** {@link Databases.use}. */
  useDatabase(name: BytesInput, options?: CallOptions): Promise<void> {
    return this.databases.use(name, options);
  }

  /** {@link Databases.list}. */
  listDatabases(options?: CallOptions): Promise<DatabaseInfo[]> {
    return this.databases.list(options);
  }

  /** {@link Databases.update}. */
  updateDatabase(
    name: BytesInput,
    settings: ChangedSettings,
    options?: CallOptions,
  ): Promise<DatabaseSettings> {
    return this.databases.update(name, settings, options);
  }

  /** {@link Databases.settings}. */
  databaseSettings(name?: BytesInput, options?: CallOptions): Promise<DatabaseSettings> {
    return this.databases.settings(name, options);
  }

  /** {@link Databases.load}. */
  loadDatabase(name: BytesInput, options?: CallOptions): Promise<void> {
    return this.databases.load(name, options);
  }

  /** {@link Databases.unload}. */
  unloadDatabase(name: BytesInput, options?: CallOptions): Promise<void> {
    return this.databases.unload(name, options);
  }

  /** {@link Databases.delete}: `confirm` has to be the name once more. */
  deleteDatabase(name: BytesInput, options: DeleteDatabaseOptions): Promise<void> {
    return this.databases.delete(name, options);
  }

  /** {@link Databases.truncate}. */
  truncateDatabase(name: BytesInput, options: TruncateDatabaseOptions): Promise<void> {
    return this.databases.truncate(name, options);
  }

  /** {@link Users.create}. */
  createUser(
    user: string,
    password: string,
    permission: GrantablePermission,
    database?: BytesInput,
    options?: CallOptions,
  ): Promise<void> {
    return this.users.create(user, password, permission, database, options);
  }

  /** {@link Users.changePassword}: **the new one before the old one**. */
  changePassword(
    user: string,
    newPassword: string,
    oldPassword: string,
    options?: CallOptions,
  ): Promise<void> {
    return this.users.changePassword(user, newPassword, oldPassword, options);
  }

  /** {@link Users.list}. */
  listUsers(options?: CallOptions): Promise<User[]> {
    return this.users.list(options);
  }

  /** {@link Users.changePermission}. */
  changePermission(
    user: string,
    database: BytesInput,
    permission: GrantablePermission | typeof Permission.NONE,
    options?: CallOptions,
  ): Promise<void>;
  changePermission(
    action: PermissionAction,
    user: string,
    database: BytesInput,
    permission: GrantablePermission,
    options?: CallOptions,
  ): Promise<void>;
  changePermission(...given: readonly unknown[]): Promise<void> {
    return this.users.changePermissionAs(given);
  }

  /** {@link Users.changeSqlPrivileges}: ends the user's sessions. */
  changeSqlPrivileges(
    user: string,
    database: BytesInput,
    action: 'grant' | 'revoke',
    privileges: readonly SqlPrivilege[],
    options?: CallOptions,
  ): Promise<void> {
    return this.users.changeSqlPrivileges(user, database, action, privileges, options);
  }

  /** {@link Users.setActive}. */
  setActiveUser(user: string, active: boolean, options?: CallOptions): Promise<void> {
    return this.users.setActive(user, active, options);
  }

  /** {@link Server.health}. */
  health(options?: CallOptions): Promise<Health> {
    return this.server.health(options);
  }

  /** {@link Server.info}. */
  serverInfo(options?: CallOptions): Promise<ServerInfo> {
    return this.server.info(options);
  }

  /** {@link Server.state}. */
  currentState(options?: CallOptions): Promise<ClaimedState> {
    return this.server.state(options);
  }

  /** {@link Server.accept}. */
  acceptServer(identity: string, options?: CallOptions): Promise<void> {
    return this.server.accept(identity, options);
  }

  /** {@link close}. */
  shutdown(): Promise<void> {
    return this.close();
  }
}

function loginOptions(
  database: unknown,
  options: CallOptions | undefined,
): { name: BytesInput | undefined; rest: CallOptions } {
  const isName = typeof database !== 'object' || database === null || types.isUint8Array(database);
  if (isName || Array.isArray(database))
    return { name: database as BytesInput | undefined, rest: options === undefined ? NO_OPTIONS : options };
  if (options !== undefined) throw new ArgumentError('options', 'options were given twice');
  const { database: name, ...rest } = database as CallOptions & { readonly database?: BytesInput };
  return { name, rest };
}
