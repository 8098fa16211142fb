// The audit log of a store that is opened when it is first needed.
import type {
  AuditLog,
  AuditRow,
  AuditVerdict,
  RootsQuery,
  RootStore,
  TrustKey,
} from '../store/root-store.js';

export class LazyAudit implements AuditLog {
  readonly #store: () => Promise<RootStore>;

  constructor(store: () => Promise<RootStore>) {
    this.#store = store;
  }

  async *roots(query?: RootsQuery): AsyncIterableIterator<AuditRow> {
    yield* (await this.#store()).audit.roots(query);
  }

  async latest(filter?: Partial<TrustKey>): Promise<AuditRow | null> {
    return (await this.#store()).audit.latest(filter);
  }

  async verify(): Promise<AuditVerdict> {
    return (await this.#store()).audit.verify();
  }
}
