// The server itself: its word on how it is, and who it is taken to be.
import { claimedState, health, serverInfo } from '../calls/admin/server-info.js';
import type { ClaimedState, Health, ServerInfo } from '../calls/admin/server-info.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import type { Connection } from '../room/connection.js';

export class Server {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async health(options: CallOptions = NO_OPTIONS): Promise<Health> {
    return this.#connection.rooms.selected.enter(options, [], health);
  }

  async info(options: CallOptions = NO_OPTIONS): Promise<ServerInfo> {
    return this.#connection.rooms.selected.enter(options, [], serverInfo);
  }

  /** The server's word about its newest transaction in the selected database. Proves nothing and never changes trust. */
  async state(options: CallOptions = NO_OPTIONS): Promise<ClaimedState> {
    return this.#connection.rooms.selected.enter(options, [], claimedState);
  }

  /**
   * Accepts a server, by its identity, at this client's address: after a move on purpose, or where a database that nothing is
   * known of is to be used at a second address of a server. From then on this client trusts what its store knows of that
   * server, and no other; calls under way that are not proven yet are refused.
   */
  async accept(identity: string, options: CallOptions = NO_OPTIONS): Promise<void> {
    const { door } = this.#connection;
    const deadline = door.deadline(options, []);
    const accept = () => deadline.race(this.#connection.acceptServer(identity), 'the store');
    await door.enter(deadline, 0, accept);
  }
}
