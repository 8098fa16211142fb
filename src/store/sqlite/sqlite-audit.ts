// The audit log in a file: the work is done by the store's thread.
import { CheckedAudit } from '../log/checked-audit.js';
import type { AuditRequest } from '../log/checked-audit.js';
import type { StoreAccess } from './thread/store-thread.js';

export class SqliteAudit extends CheckedAudit {
  readonly #thread: StoreAccess;

  constructor(thread: StoreAccess) {
    super();
    this.#thread = thread;
  }

  protected override ask<T>(request: AuditRequest): Promise<T> {
    return this.#thread.ask(request);
  }
}
