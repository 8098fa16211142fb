// A root store as callers have it: arguments are checked here, once; how a request is answered is the store's matter.
import type { AuditLog } from '../audit-log.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../audit-types.js';
import type { HeaderStore } from '../header-store.js';
import type { AdvanceOutcome, RecordOutcome, RootStore } from '../root-store.js';
import { checkEntry, checkExpected, checkedKey, checkedText } from './audit-entry.js';
import { CheckedAudit } from './checked-audit.js';
import { CheckedHeaders } from './checked-headers.js';
import type { AnswerTo, AnsweringStore, RowRequest } from './requests.js';

export class CheckedStore implements RootStore {
  readonly audit: AuditLog;
  readonly headers: HeaderStore;
  readonly #store: AnsweringStore;

  constructor(store: AnsweringStore) {
    this.audit = new CheckedAudit(store);
    this.headers = new CheckedHeaders(store);
    this.#store = store;
  }

  async head(key: TrustKey): Promise<StoredRoot | null> {
    return this.#store.ask({ kind: 'head', key: checkedKey(key) });
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    return this.#write(() => {
      const row = checkEntry(entry, 'advance');
      return { kind: 'advance', expected: checkExpected(expected, row), entry: row };
    });
  }

  record(entry: AuditEntry): Promise<RecordOutcome> {
    return this.#write(() => ({ kind: 'record', entry: checkEntry(entry, 'record') }));
  }

  forget(entry: AuditEntry): Promise<void> {
    return this.#write(() => ({ kind: 'forget', entry: checkEntry(entry, 'forget') }));
  }

  async identity(address: string): Promise<string | null> {
    return this.#store.ask({ kind: 'identity', address: checkedText('address', address) });
  }

  async bindIdentity(address: string, server: string): Promise<string> {
    const [at, to] = [checkedText('address', address), checkedText('server', server)];
    return this.#store.ask({ kind: 'bind', address: at, server: to });
  }

  async rebindIdentity(address: string, server: string): Promise<void> {
    const [at, to] = [checkedText('address', address), checkedText('server', server)];
    await this.#store.ask({ kind: 'rebind', address: at, server: to });
  }

  /** Waits for what was asked before; what is asked later is refused with ClosedError. Always resolves. */
  close(): Promise<void> {
    return this.#store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // No async function: with many callers each promise that waits for a promise counts (measured).
  #write<R extends RowRequest>(checked: () => R): Promise<AnswerTo<R>> {
    let request: R;
    try {
      request = checked();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return Promise.reject(error);
    }
    return this.#store.write(request);
  }
}
