// The audit log of a store that is opened when it is first needed.
import type { Door } from '../flow/door.js';
import type { AuditLog, AuditRow, RootsQuery, RootStore } from '../../store/root-store.js';

export class LazyAudit implements AuditLog {
  readonly #store: () => Promise<RootStore>;
  readonly #door: Door;

  constructor(store: () => Promise<RootStore>, door: Door) {
    this.#store = store;
    this.#door = door;
  }

  /** Rows come as they are asked for, a page at a time: whoever walks through them holds no place meanwhile. */
  async *roots(query?: RootsQuery): AsyncIterableIterator<AuditRow> {
    const audit = await this.#ask((log) => Promise.resolve(log));
    yield* audit.roots(query);
  }

  async row(...args: Parameters<AuditLog['row']>): ReturnType<AuditLog['row']> {
    return this.#ask((audit) => audit.row(...args));
  }

  async latest(...args: Parameters<AuditLog['latest']>): ReturnType<AuditLog['latest']> {
    return this.#ask((audit) => audit.latest(...args));
  }

  async rootAt(...args: Parameters<AuditLog['rootAt']>): ReturnType<AuditLog['rootAt']> {
    return this.#ask((audit) => audit.rootAt(...args));
  }

  async conflict(...args: Parameters<AuditLog['conflict']>): ReturnType<AuditLog['conflict']> {
    return this.#ask((audit) => audit.conflict(...args));
  }

  async databases(): ReturnType<AuditLog['databases']> {
    return this.#ask((audit) => audit.databases());
  }

  async evidence(...args: Parameters<AuditLog['evidence']>): ReturnType<AuditLog['evidence']> {
    return this.#ask((audit) => audit.evidence(...args));
  }

  async stats(...args: Parameters<AuditLog['stats']>): ReturnType<AuditLog['stats']> {
    return this.#ask((audit) => audit.stats(...args));
  }

  async gaps(...args: Parameters<AuditLog['gaps']>): ReturnType<AuditLog['gaps']> {
    return this.#ask((audit) => audit.gaps(...args));
  }

  async verify(...args: Parameters<AuditLog['verify']>): ReturnType<AuditLog['verify']> {
    return this.#ask((audit) => audit.verify(...args));
  }

  async checkpoint(...args: Parameters<AuditLog['checkpoint']>): ReturnType<AuditLog['checkpoint']> {
    return this.#ask((audit) => audit.checkpoint(...args));
  }

  async checkpoints(...args: Parameters<AuditLog['checkpoints']>): ReturnType<AuditLog['checkpoints']> {
    return this.#ask((audit) => audit.checkpoints(...args));
  }

  async archive(...args: Parameters<AuditLog['archive']>): ReturnType<AuditLog['archive']> {
    return this.#ask((audit) => audit.archive(...args));
  }

  async archives(...args: Parameters<AuditLog['archives']>): ReturnType<AuditLog['archives']> {
    return this.#ask((audit) => audit.archives(...args));
  }

  /** Whatever is asked of the log comes in like any other call; how long it then takes is the store's matter. */
  #ask<T>(question: (audit: AuditLog) => Promise<T>): Promise<T> {
    return this.#door.enter(this.#door.waiting(), 0, async () => question((await this.#store()).audit));
  }
}
