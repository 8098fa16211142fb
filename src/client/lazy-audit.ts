// The audit log of a store that is opened when it is first needed.
import type { AuditLog, AuditRow, RootsQuery, RootStore } from '../store/root-store.js';

export class LazyAudit implements AuditLog {
  readonly #store: () => Promise<RootStore>;

  constructor(store: () => Promise<RootStore>) {
    this.#store = store;
  }

  async *roots(query?: RootsQuery): AsyncIterableIterator<AuditRow> {
    yield* (await this.#audit()).roots(query);
  }

  async row(...args: Parameters<AuditLog['row']>): ReturnType<AuditLog['row']> {
    return (await this.#audit()).row(...args);
  }

  async latest(...args: Parameters<AuditLog['latest']>): ReturnType<AuditLog['latest']> {
    return (await this.#audit()).latest(...args);
  }

  async rootAt(...args: Parameters<AuditLog['rootAt']>): ReturnType<AuditLog['rootAt']> {
    return (await this.#audit()).rootAt(...args);
  }

  async conflict(...args: Parameters<AuditLog['conflict']>): ReturnType<AuditLog['conflict']> {
    return (await this.#audit()).conflict(...args);
  }

  async databases(): ReturnType<AuditLog['databases']> {
    return (await this.#audit()).databases();
  }

  async evidence(...args: Parameters<AuditLog['evidence']>): ReturnType<AuditLog['evidence']> {
    return (await this.#audit()).evidence(...args);
  }

  async stats(...args: Parameters<AuditLog['stats']>): ReturnType<AuditLog['stats']> {
    return (await this.#audit()).stats(...args);
  }

  async gaps(...args: Parameters<AuditLog['gaps']>): ReturnType<AuditLog['gaps']> {
    return (await this.#audit()).gaps(...args);
  }

  async verify(...args: Parameters<AuditLog['verify']>): ReturnType<AuditLog['verify']> {
    return (await this.#audit()).verify(...args);
  }

  async checkpoint(...args: Parameters<AuditLog['checkpoint']>): ReturnType<AuditLog['checkpoint']> {
    return (await this.#audit()).checkpoint(...args);
  }

  async checkpoints(...args: Parameters<AuditLog['checkpoints']>): ReturnType<AuditLog['checkpoints']> {
    return (await this.#audit()).checkpoints(...args);
  }

  async archive(...args: Parameters<AuditLog['archive']>): ReturnType<AuditLog['archive']> {
    return (await this.#audit()).archive(...args);
  }

  async archives(...args: Parameters<AuditLog['archives']>): ReturnType<AuditLog['archives']> {
    return (await this.#audit()).archives(...args);
  }

  async #audit(): Promise<AuditLog> {
    return (await this.#store()).audit;
  }
}
