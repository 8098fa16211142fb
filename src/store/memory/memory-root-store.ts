// A root store that lives as long as the process: for tests and short-lived tools. Same behaviour, same chain.
import { randomBytes } from 'node:crypto';
import { ClosedError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import {
  checkedEntry,
  checkedExpected,
  checkedKey,
  checkedText,
  copyRoot,
  sameRoot,
} from '../log/audit-entry.js';
import type { AuditLog } from '../audit-log.js';
import { chainStart } from '../log/audit-row.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../audit-types.js';
import { STORE_ID_SIZE } from '../log/checkpoint.js';
import { reportFork } from '../log/conflict.js';
import type { HeaderStore } from '../header-store.js';
import { identityEntry } from '../log/log-state.js';
import { MemoryAudit } from './memory-audit.js';
import { MemoryHeaders } from './memory-headers.js';
import type { AdvanceOutcome, RecordOutcome, RootStore } from '../root-store.js';

/**
 * Root store in memory: nothing survives the process. Same rules and same hash chain as the SQLite store, no archives.
 *
 * @example
 * const store = new MemoryRootStore();
 * await store.head({ server: 'cq3vsf', database: 'defaultdb' }); // null: never trusted
 */
export class MemoryRootStore implements RootStore {
  readonly audit: AuditLog;
  readonly headers: HeaderStore;
  readonly #log: MemoryAudit;
  readonly #headers: MemoryHeaders;
  #closed = false;

  /** Takes no options, and says so to whoever gives some. */
  constructor(options: Readonly<Record<string, never>> = {}) {
    knownNames('options', options, []);
    const storeId = new Uint8Array(randomBytes(STORE_ID_SIZE));
    this.#log = new MemoryAudit(storeId, chainStart(storeId), () => this.#assertOpen());
    this.audit = this.#log;
    this.#headers = new MemoryHeaders((key) => {
      this.#assertOpen();
      return this.#head(key);
    });
    this.headers = this.#headers;
  }

  async head(key: TrustKey): Promise<StoredRoot | null> {
    const known = checkedKey(key);
    return this.#when(() => this.#head(known));
  }

  async advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    const row = checkedEntry(entry, 'advance');
    const from = checkedExpected(expected, row);
    return this.#when(() => {
      const current = this.#head(row);
      const moved = sameRoot(current, from);
      let conflict = reportFork(this.#log, row, row);
      if (!moved && from) conflict ??= reportFork(this.#log, row, from);
      if (moved) this.#log.append(row);
      const found = conflict && { conflict };
      return moved ? { moved, ...found } : { moved, current, ...found };
    });
  }

  async record(entry: AuditEntry): Promise<RecordOutcome> {
    const row = checkedEntry(entry, 'record');
    return this.#when(() => {
      const conflict = row.outcome === 'calls' ? reportFork(this.#log, row, row) : undefined;
      this.#log.append(row);
      return conflict ? { conflict } : {};
    });
  }

  async forget(entry: AuditEntry): Promise<void> {
    const row = checkedEntry(entry, 'forget');
    await this.#when(() => {
      this.#log.append(row);
      this.#headers.forget(row);
    });
  }

  async identity(address: string): Promise<string | null> {
    const at = checkedText('address', address);
    return this.#when(() => this.#log.state.identity(at));
  }

  async bindIdentity(address: string, server: string): Promise<string> {
    const [at, given] = [checkedText('address', address), checkedText('server', server)];
    return this.#when(() => {
      const bound = this.#log.state.identity(at);
      if (bound === null) this.#log.append(identityEntry(at, given, false));
      return bound ?? given;
    });
  }

  async rebindIdentity(address: string, server: string): Promise<void> {
    const [at, given] = [checkedText('address', address), checkedText('server', server)];
    await this.#when(() => this.#log.append(identityEntry(at, given, true)));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #head(key: TrustKey): StoredRoot | null {
    const head = this.#log.state.head(key);
    return head && copyRoot(head);
  }

  async #when<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    this.#assertOpen();
    return work();
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('the root store');
  }
}
