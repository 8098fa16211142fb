// Databases of a server.
import { CREATE_NAMES, createDatabase, listDatabases } from '../calls/admin/databases.js';
import type { CreateDatabaseOptions, DatabaseInfo } from '../calls/admin/databases.js';
import type { BytesInput } from '../input/bytes-input.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { databaseName } from '../options/credentials.js';
import type { Connection } from '../room/connection.js';

export class Databases {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Creates a database; true unless it existed already (with `ifNotExists`). Does not select it. */
  async create(name: BytesInput, options: CreateDatabaseOptions = NO_OPTIONS): Promise<boolean> {
    return this.#connection.rooms.selected.enter(options, CREATE_NAMES, (session, call) =>
      createDatabase(session, name, { ...options, ...call }),
    );
  }

  async list(options: CallOptions = NO_OPTIONS): Promise<DatabaseInfo[]> {
    return this.#connection.rooms.selected.enter(options, [], listDatabases);
  }

  /** Selects the database of the client's later calls; calls in flight, and handles of databases, keep theirs. */
  async use(name: BytesInput, options: CallOptions = NO_OPTIONS): Promise<void> {
    const { door, rooms } = this.#connection;
    const deadline = door.deadline(options, []);
    const database = databaseName(name);
    await door.enter(deadline, 0, () => rooms.select(database, deadline));
  }
}
