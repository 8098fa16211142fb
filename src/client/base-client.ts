// The part of a client that has to do with the connection: logging in, databases, users, the server, the end.
import { ClosedError } from '../errors.js';
import { LazyClientAudit } from './audit/client-audit.js';
import type { ClientAudit } from './audit/client-audit.js';
import { Connection } from './connection.js';
import type { ClientDiagnostics } from './connection.js';
import { createDatabase, listDatabases } from './databases.js';
import type { CreateDatabaseOptions, DatabaseInfo } from './databases.js';
import { Deadline } from './deadline.js';
import { checkCallOptions, databaseName, resolveCredentials, resolveOptions } from './options.js';
import type { CallOptions, Credentials, ImmuClientOptions } from './options.js';
import { claimedState, health, serverInfo } from './server-info.js';
import type { ClaimedState, Health, ServerInfo } from './server-info.js';
import type { Session } from './session.js';
import { changePassword, changePermission, createUser, listUsers, setActiveUser } from './users.js';
import type { GrantablePermission, Permission, User } from './users.js';

/** What {@link ImmuClient} can do beside reading and writing. */
export class BaseClient {
  /** Every root this client's store has verified, and what happened to trust; and audits of the server against it. */
  readonly audit: ClientAudit;
  protected readonly connection: Connection;
  #closed = false;

  /** @throws ArgumentError naming the option that is wrong */
  constructor(options: string | ImmuClientOptions = {}) {
    this.connection = new Connection(resolveOptions(options));
    this.audit = new LazyClientAudit(
      () => this.connection.store(),
      async () => this.connection.auditAccess(this.connection.session.database),
    );
  }

  /** Name of the database that calls go to. */
  get database(): string {
    return this.connection.session.database;
  }

  // Logging in and out

  /** Opens a session in place of the present login, and selects its database. */
  async openSession(credentials: Credentials, options: CallOptions = {}): Promise<void> {
    const deadline = this.deadline(options);
    await this.connection.login('session', resolveCredentials(credentials), deadline);
  }

  /** Ends the session, and its transactions, on the server. */
  async closeSession(): Promise<void> {
    this.assertOpen();
    await this.connection.logout();
  }

  /** Logs in with a token instead of a session: for servers and users that need it. */
  async login(
    user: string,
    password: string,
    options: CallOptions & { readonly database?: string } = {},
  ): Promise<void> {
    const { database, ...call } = options;
    const credentials = resolveCredentials({ user, password, ...(database !== undefined && { database }) });
    await this.connection.login('token', credentials, this.deadline(call));
  }

  async logout(): Promise<void> {
    await this.closeSession();
  }

  // Databases

  /** Creates a database; true unless it existed already (with `ifNotExists`). Does not select it. */
  async createDatabase(name: string, options: CreateDatabaseOptions = {}): Promise<boolean> {
    return createDatabase(this.session(options), name, options);
  }

  /** Selects the database of all later calls; calls in flight keep theirs. */
  async useDatabase(name: string, options: CallOptions = {}): Promise<void> {
    await this.connection.select(databaseName(name), this.deadline(options));
  }

  async listDatabases(options: CallOptions = {}): Promise<DatabaseInfo[]> {
    return listDatabases(this.session(options), options);
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
    await createUser(this.session(call), { name, password, permission, database }, call);
  }

  /** Changes a password; ends the user's sessions. `oldPassword` counts for the user `immudb` only. */
  async changePassword(
    user: string,
    oldPassword: string,
    newPassword: string,
    options: CallOptions = {},
  ): Promise<void> {
    await changePassword(this.session(options), { user, oldPassword, newPassword }, options);
  }

  async listUsers(options: CallOptions = {}): Promise<User[]> {
    return listUsers(this.session(options), options);
  }

  /** Gives a user a permission on a database; `Permission.NONE` takes away the one it has. */
  async changePermission(
    user: string,
    database: string,
    permission: GrantablePermission | typeof Permission.NONE,
    options: CallOptions = {},
  ): Promise<void> {
    await changePermission(this.session(options), { user, database, permission }, options);
  }

  /** Lets a user log in, or not; ends its sessions. */
  async setActiveUser(user: string, active: boolean, options: CallOptions = {}): Promise<void> {
    await setActiveUser(this.session(options), user, active, options);
  }

  // The server

  async health(options: CallOptions = {}): Promise<Health> {
    return health(this.session(options), options);
  }

  async serverInfo(options: CallOptions = {}): Promise<ServerInfo> {
    return serverInfo(this.session(options), options);
  }

  /** The server's word about its newest transaction. Proves nothing and never changes trust. */
  async currentState(options: CallOptions = {}): Promise<ClaimedState> {
    return claimedState(this.session(options), options);
  }

  // What goes on inside

  /** Resolves when a further call would be let in at once: see the options `maxQueuedCalls` and `overload`. */
  ready(): Promise<void> {
    this.assertOpen();
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
    this.#closed = true;
    return this.connection.close();
  }

  /** {@link close}. */
  shutdown(): Promise<void> {
    return this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected assertOpen(): void {
    if (this.#closed) throw new ClosedError('the client');
  }

  protected session(options: CallOptions): Session {
    checkCallOptions(options);
    return this.connection.session;
  }

  protected deadline(options: CallOptions): Deadline {
    this.assertOpen();
    checkCallOptions(options);
    return new Deadline(options, this.connection.options.timeoutMs);
  }
}
