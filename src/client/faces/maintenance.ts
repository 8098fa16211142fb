// The upkeep of a database.
import {
  FLUSH_NAMES,
  compactIndex,
  databaseHealth,
  flushIndex,
  flushRequest,
} from '../calls/admin/maintenance.js';
import type { DatabaseHealth, FlushIndexOptions } from '../calls/admin/maintenance.js';
import { NO_OPTIONS } from '../input/call-options.js';
import type { CallOptions } from '../input/call-options.js';
import { ScanCalls } from './scans.js';

export abstract class MaintenanceCalls extends ScanCalls {
  /** Has the index of keys, as far as it is in memory, written to its files. Needs ADMIN. */
  async flushIndex(options: FlushIndexOptions = NO_OPTIONS): Promise<void> {
    const request = flushRequest(options);
    await this.room.enter(options, FLUSH_NAMES, (session, call) => flushIndex(session, request, call));
  }

  /**
   * Has the index of keys written anew without what it holds no more; may take long: give it a `timeoutMs`. Needs ADMIN.
   *
   * @throws ServerError PRECONDITION_FAILED when there is too little to be gained, or nothing since the last time
   */
  async compactIndex(options: CallOptions = NO_OPTIONS): Promise<void> {
    await this.room.enter(options, [], compactIndex);
  }

  /** How busy the server says it is with this database. Says nothing of whether it is loaded. */
  async databaseHealth(options: CallOptions = NO_OPTIONS): Promise<DatabaseHealth> {
    return this.room.enter(options, [], databaseHealth);
  }
}
