// Databases of a server.
import {
  CREATE_NAMES,
  DELETE_NAMES,
  TRUNCATE_NAMES,
  confirmed,
  createDatabase,
  databaseSettings,
  deleteDatabase,
  listDatabases,
  loadDatabase,
  retention,
  truncateDatabase,
  unloadDatabase,
  updateDatabase,
} from '../calls/admin/databases.js';
import type {
  CreateDatabaseOptions,
  DatabaseInfo,
  DeleteDatabaseOptions,
  TruncateDatabaseOptions,
} from '../calls/admin/databases.js';
import type { ChangedSettings, DatabaseSettings } from '../calls/admin/database-settings.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { databaseName } from '../options/credentials.js';
import type { Session } from '../net/session.js';
import type { Connection } from '../room/connection.js';

export class Databases {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a database; true unless it existed already (with `ifNotExists`). Does not select it. Needs SYS_ADMIN.
   *
   * @example
   * await client.databases.create('invoices', { settings: { maxTxEntries: 4096, index: { cacheBytes: 1 << 28 } } });
   * @throws ArgumentError naming the setting that is wrong
   */
  async create(name: BytesInput, options: CreateDatabaseOptions = NO_OPTIONS): Promise<boolean> {
    return this.#connection.rooms.selected.enter(options, CREATE_NAMES, (session, call) =>
      createDatabase(session, name, { ...options, ...call }),
    );
  }

  /**
   * Changes settings of a database, those that are given, and returns all as they are from now on. Most act when the database
   * is loaded the next time. Needs ADMIN there.
   *
   * @example
   * await client.databases.update('invoices', { truncation: { retentionMs: 30n * 86_400_000n } });
   * @throws ArgumentError naming the setting that is wrong, or fixed when a database is made: nothing is sent
   */
  async update(
    name: BytesInput,
    settings: ChangedSettings,
    options: CallOptions = NO_OPTIONS,
  ): Promise<DatabaseSettings> {
    return this.#on(name, options, [], (session, database, call) =>
      updateDatabase(session, database, settings, call),
    );
  }

  /** The settings of a database (default: the selected one), without the password of its primary. The server's word. */
  async settings(name?: BytesInput, options: CallOptions = NO_OPTIONS): Promise<DatabaseSettings> {
    const asked = name === undefined ? this.#connection.rooms.selectedName : name;
    return this.#on(asked, options, [], (session, _, call) => databaseSettings(session, call));
  }

  /** The databases that this user may see. The server's word. */
  async list(options: CallOptions = NO_OPTIONS): Promise<DatabaseInfo[]> {
    return this.#connection.rooms.selected.enter(options, [], listDatabases);
  }

  /** Selects the database of the client's later calls; calls in flight, and handles of databases, keep theirs. */
  async use(name: BytesInput, options: CallOptions = NO_OPTIONS): Promise<void> {
    const { door, rooms } = this.#connection;
    const deadline = door.deadline(options, [], 'useDatabase');
    const database = databaseName(name);
    await door.enter(deadline, 0, () => rooms.select(database, deadline));
  }

  /**
   * Loads a database that was unloaded, or not loaded when the server started. Needs ADMIN there.
   *
   * @throws ServerError PRECONDITION_FAILED when it is loaded
   */
  async load(name: BytesInput, options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.#on(name, options, [], loadDatabase);
  }

  /**
   * Unloads a database: calls to it end with DATABASE_CLOSED until it is loaded again; handles, sessions and trust stay as they
   * are. Needs ADMIN there.
   *
   * @throws ServerError DATABASE_CLOSED when it is not loaded
   */
  async unload(name: BytesInput, options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.#on(name, options, [], unloadDatabase);
  }

  /**
   * Deletes a database for good, which has to be unloaded first. `confirm` has to be its name once more. Trust in it ends too,
   * recorded in the audit log with `reason`, so that a database of the same name is a first contact (1.11.1 lets one be made
   * after the server was started anew). Needs ADMIN there.
   *
   * @example
   * await client.databases.unload('drafts');
   * await client.databases.delete('drafts', { confirm: 'drafts' });
   * @throws ArgumentError when `confirm` is not its name: nothing is sent
   * @throws ServerError PRECONDITION_FAILED when it is loaded
   * @throws TransportError OUTCOME_UNKNOWN when it may have been deleted: trust is kept then, see `forgetTrust`
   * @throws StoreError when it was deleted, and the store did not take the end of trust
   */
  async delete(name: BytesInput, options: DeleteDatabaseOptions): Promise<void> {
    const deletion = confirmed(name, options);
    const room = this.#connection.rooms.of(deletion.database);
    await room.enterVerified('deleteDatabase', options, DELETE_NAMES, async ({ session, trust, call }) => {
      await deleteDatabase(session, trust, call, deletion);
      // Nothing is kept alive for it any more.
      session.rest();
    });
  }

  /**
   * Has the server give up the values of transactions that are older than `retentionMs`, counted back to the beginning of that
   * day; `0n`: all of before today. Keys, headers and hashes stay, and so does every proof of them; reads of such values are
   * refused from then on. Needs ADMIN there.
   *
   * @example
   * await client.databases.truncate('metrics', { retentionMs: 90n * 86_400_000n });
   * @throws ServerError PRECONDITION_FAILED when there is nothing that old
   */
  async truncate(name: BytesInput, options: TruncateDatabaseOptions): Promise<void> {
    const retentionMs = retention(options);
    await this.#on(name, options, TRUNCATE_NAMES, (session, database, call) =>
      truncateDatabase(session, database, retentionMs, call),
    );
  }

  /** Under a session of the database that it is about: what the server says of "the database" is of this one then. */
  #on<T>(
    name: BytesInput,
    options: CallOptions,
    own: readonly string[],
    work: (session: Session, database: string, call: CallOptions) => Promise<T>,
  ): Promise<T> {
    const database = databaseName(name);
    const room = this.#connection.rooms.of(database);
    return room.enter(options, own, (session, call) => work(session, database, call));
  }
}
