// What every family of a database's calls stands on: the connection, and the room of the database.
import type { Connection } from '../room/connection.js';
import type { Room } from '../room/room.js';

export abstract class Handle {
  /** @internal */
  protected readonly connection: Connection;
  /** @internal Undefined: the database that is selected at the time. */
  protected readonly ownName: string | undefined;

  /** @internal */
  constructor(connection: Connection, ownName: string | undefined) {
    this.connection = connection;
    this.ownName = ownName;
  }

  /** Name of the database that calls go to. */
  get databaseName(): string {
    return this.room.database;
  }

  /** @internal */
  protected get room(): Room {
    const { rooms } = this.connection;
    return this.ownName === undefined ? rooms.selected : rooms.of(this.ownName);
  }
}
