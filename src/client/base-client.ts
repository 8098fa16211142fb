// The part of a client that has to do with the connection: logging in, databases, users, the server, the end.
import { types } from 'node:util';
import { ArgumentError } from '../errors.js';
import { LazyClientAudit } from './audit/client-audit.js';
import type { ClientAudit } from './audit/client-audit.js';
import type { BytesInput } from './input/bytes-input.js';
import { Connection } from './room/connection.js';
import type { ClientDiagnostics } from './room/connection.js';
import { CREATE_NAMES, createDatabase, listDatabases } from './calls/admin/databases.js';
import type { CreateDatabaseOptions, DatabaseInfo } from './calls/admin/databases.js';
import type { Deadline } from './flow/deadline.js';
import { Door } from './flow/door.js';
import { resolveOptions } from './options/options.js';
import { databaseName, resolveCredentials } from './options/credentials.js';
import { NO_OPTIONS } from './input/call-options.js';
import type { ImmuClientOptions } from './options/options.js';
import type { Credentials } from './options/credentials.js';
import type { CallOptions } from './input/call-options.js';
import { claimedState, health, serverInfo } from './calls/admin/server-info.js';
import type { ClaimedState, Health, ServerInfo } from './calls/admin/server-info.js';
import type { Session } from './net/session.js';
import {
  changePassword,
  changePermission,
  createUser,
  grantTo,
  listUsers,
  permissionChange,
  setActiveUser,
} from './calls/admin/users.js';
import type { GrantablePermission, Permission, PermissionAction, User } from './calls/admin/users.js';

/** What {@link ImmuClient} can do beside reading and writing. */
export class BaseClient {
  /** Every root this client's store has verified, and what happened to trust; and audits of the server against it. */
  readonly audit: ClientAudit;
  protected readonly connection: Connection;
  protected readonly door: Door;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(options: string | ImmuClientOptions = {}) {
    const resolved = resolveOptions(options);
    this.connection = new Connection(resolved);
    this.door = new Door(this.connection.admission, resolved.timeoutMs);
    this.audit = new LazyClientAudit(
      () => this.connection.store(),
      async () => this.connection.auditAccess(this.connection.session.database),
      this.door,
    );
  }

  /** Name of the database that calls go to. */
  get database(): string {
    return this.connection.session.database;
  }

  // Logging in and out

  /** Opens a session in place of the present login, and selects its database. */
  async openSession(credentials: Credentials, options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.door.deadline(options, []);
    const checked = resolveCredentials(credentials);
    await this.door.enter(deadline, 0, () => this.connection.login('session', checked, deadline));
  }

  /** Ends the session, and its transactions, on the server. Waits for no room: it makes some. */
  async closeSession(options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.door.deadline(options, []);
    await deadline.race(this.connection.logout(), 'the sessions to end');
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
    const deadline = this.door.deadline(rest, []);
    const credentials = resolveCredentials({ user, password, ...(name !== undefined && { database: name }) });
    await this.door.enter(deadline, 0, () => this.connection.login('token', credentials, deadline));
  }

  /** {@link closeSession}. */
  async logout(options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.closeSession(options);
  }

  // Databases

  /** Creates a database; true unless it existed already (with `ifNotExists`). Does not select it. */
  async createDatabase(name: BytesInput, options: CreateDatabaseOptions = NO_OPTIONS): Promise<boolean> {
    return this.call(options, CREATE_NAMES, (session, call) =>
      createDatabase(session, name, { ...options, ...call }),
    );
  }

  /** Selects the database of all later calls; calls in flight keep theirs. */
  async useDatabase(name: BytesInput, options: CallOptions = NO_OPTIONS): Promise<void> {
    const deadline = this.door.deadline(options, []);
    const database = databaseName(name);
    await this.door.enter(deadline, 0, () => this.connection.select(database, deadline));
  }

  async listDatabases(options: CallOptions = NO_OPTIONS): Promise<DatabaseInfo[]> {
    return this.call(options, [], listDatabases);
  }

  // Users

  /**
   * Creates a user with a permission on a database (default: the selected one). Needs ADMIN there. The password is held to the
   * policy first: 8 to 32 characters, an upper case letter, a digit and a symbol among them.
   *
   * @throws ArgumentError also where the database is given among the options: it stands before them
   */
  async createUser(
    user: string,
    password: string,
    permission: GrantablePermission,
    database?: BytesInput,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const granted = grantTo(database) ?? this.database;
    const wanted = { name: user, password, permission, database: granted };
    await this.call(options, [], (session, call) => createUser(session, wanted, call));
  }

  /**
   * Changes a password, **the new one before the old one**; ends the user's sessions. The new one is held to the policy, and
   * must not be the old one, before anything is sent. The server looks at `oldPassword` for the user `immudb` only: for others
   * it takes the word of whoever may administer them.
   */
  async changePassword(
    user: string,
    newPassword: string,
    oldPassword: string,
    options: CallOptions = NO_OPTIONS,
  ): Promise<void> {
    const change = { user, oldPassword, newPassword };
    await this.call(options, [], (session, call) => changePassword(session, change, call));
  }

  async listUsers(options: CallOptions = NO_OPTIONS): Promise<User[]> {
    return this.call(options, [], listUsers);
  }

  /**
   * Gives a user a permission on a database; `Permission.NONE` takes away the one it has. Also in the order of other immudb
   * clients, with `PermissionAction.GRANT` or `REVOKE` first.
   */
  async changePermission(
    user: string,
    database: BytesInput,
    permission: GrantablePermission | typeof Permission.NONE,
    options?: CallOptions,
  ): Promise<void>;
  async changePermission(
    action: PermissionAction,
    user: string,
    database: BytesInput,
    permission: GrantablePermission,
    options?: CallOptions,
  ): Promise<void>;
  async changePermission(...given: readonly unknown[]): Promise<void> {
    const { change, options = NO_OPTIONS } = permissionChange(given);
    await this.call(options, [], (session, call) => changePermission(session, change, call));
  }

  /** Lets a user log in, or not; ends its sessions. */
  async setActiveUser(user: string, active: boolean, options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.call(options, [], (session, call) => setActiveUser(session, user, active, call));
  }

  // The server

  async health(options: CallOptions = NO_OPTIONS): Promise<Health> {
    return this.call(options, [], health);
  }

  async serverInfo(options: CallOptions = NO_OPTIONS): Promise<ServerInfo> {
    return this.call(options, [], serverInfo);
  }

  /** The server's word about its newest transaction. Proves nothing and never changes trust. */
  async currentState(options: CallOptions = NO_OPTIONS): Promise<ClaimedState> {
    return this.call(options, [], claimedState);
  }

  // What goes on inside

  /** Resolves when a further call would be let in at once: see the options `maxQueuedCalls` and `overload`. */
  ready(): Promise<void> {
    this.door.assertOpen();
    return this.connection.admission.ready();
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
    this.door.close();
    return this.connection.close();
  }

  /** {@link close}. */
  shutdown(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Does `work` in the session of the database that is selected now: let in, and with what is then left of its time. `own`: the
   * names of the call's own options; `bytes`: of the keys and values that it holds.
   */
  protected call<T>(
    options: CallOptions,
    own: readonly string[],
    work: (session: Session, call: CallOptions) => Promise<T>,
    bytes = 0,
  ): Promise<T> {
    const deadline: Deadline = this.door.deadline(options, own);
    const { session } = this.connection;
    return this.door.enter(deadline, bytes, () => work(session, deadline.left));
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
