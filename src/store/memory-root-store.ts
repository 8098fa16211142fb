// A root store that lives as long as the process: for tests and short-lived tools. Same behaviour, same chain.
import { randomBytes } from 'node:crypto';
import { ClosedError } from '../errors.js';
import { equalBytes } from '../proof/bytes.js';
import { checkedEntry, checkedExpected, checkedKey, checkedText, copyRoot, sameRoot } from './audit-entry.js';
import { checkedQuery, isHeadMove, matcher } from './audit-query.js';
import { chainStart, evidenceHash, rowHash } from './audit-row.js';
import type {
  AdvanceOutcome,
  AuditEntry,
  AuditLog,
  AuditRow,
  AuditVerdict,
  RootsQuery,
  RootStore,
  StoredRoot,
  TrustKey,
} from './root-store.js';

/**
 * Root store in memory: nothing survives the process. Same rules and same hash chain as the SQLite store.
 *
 * @example
 * const store = new MemoryRootStore();
 * await store.head({ server: 'cq3vsf', database: 'defaultdb' }); // null: never trusted
 */
export class MemoryRootStore implements RootStore {
  readonly audit = {
    roots: (query) => this.#roots(query),
    latest: (filter) => this.#when(() => this.#latest(filter)),
    verify: () => this.#when(() => this.#verify()),
  } as unknown as AuditLog;
  readonly #chainStart = chainStart(randomBytes(16));
  readonly #heads = new Map<string, StoredRoot>();
  readonly #identities = new Map<string, string>();
  readonly #rows: AuditRow[] = [];
  #closed = false;

  async head(key: TrustKey): Promise<StoredRoot | null> {
    const known = checkedKey(key);
    return this.#when(() => this.#head(known));
  }

  async advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    const row = checkedEntry(entry, 'advance');
    const from = checkedExpected(expected, row);
    return this.#when(() => {
      const current = this.#head(row);
      if (!sameRoot(current, from)) return { moved: false, current };
      this.#append(row);
      this.#heads.set(name(row), copyRoot(row));
      return { moved: true };
    });
  }

  async record(entry: AuditEntry): Promise<void> {
    const row = checkedEntry(entry, 'record');
    await this.#when(() => this.#append(row));
  }

  async forget(entry: AuditEntry): Promise<void> {
    const row = checkedEntry(entry, 'forget');
    await this.#when(() => {
      this.#append(row);
      this.#heads.delete(name(row));
    });
  }

  async identity(address: string): Promise<string | null> {
    const at = checkedText('address', address);
    return this.#when(() => this.#identities.get(at) ?? null);
  }

  async bindIdentity(address: string, server: string): Promise<string> {
    const [at, given] = [checkedText('address', address), checkedText('server', server)];
    return this.#when(() => {
      const bound = this.#identities.get(at);
      if (bound === undefined) this.#identities.set(at, given);
      return bound ?? given;
    });
  }

  async rebindIdentity(address: string, server: string): Promise<void> {
    const [at, given] = [checkedText('address', address), checkedText('server', server)];
    await this.#when(() => this.#identities.set(at, given));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #head(key: TrustKey): StoredRoot | null {
    const head = this.#heads.get(name(key));
    return head ? copyRoot(head) : null;
  }

  #append(entry: AuditEntry): void {
    const previous = this.#rows.at(-1);
    const seq = (previous?.seq ?? 0n) + 1n;
    this.#rows.push({ ...entry, seq, hash: this.#hash(previous, seq, entry) });
  }

  #hash(previous: AuditRow | undefined, seq: bigint, entry: AuditEntry): Uint8Array {
    const evidence = entry.evidence && evidenceHash(entry.evidence);
    return rowHash(previous?.hash ?? this.#chainStart, seq, entry, evidence);
  }

  async *#roots(given?: RootsQuery): AsyncIterableIterator<AuditRow> {
    const query = checkedQuery(given);
    const matches = matcher(query);
    const down = query.order === 'desc';
    // Rows are only ever added at the end, so a place in the list stays what it is between two steps.
    let at = down ? this.#rows.length - 1 : 0;
    for (let left = query.limit ?? Infinity; left > 0; left -= 1) {
      const row = await this.#when(() => {
        while (this.#rows[at] && !matches(this.#rows[at] as AuditRow)) at += down ? -1 : 1;
        return this.#rows[at];
      });
      if (!row) return;
      at += down ? -1 : 1;
      yield structuredClone(row);
    }
  }

  #latest(filter?: Partial<TrustKey>): AuditRow | null {
    const matches = matcher(checkedQuery(filter));
    const row = this.#rows.findLast((candidate) => isHeadMove(candidate.outcome) && matches(candidate));
    return row ? structuredClone(row) : null;
  }

  #verify(): AuditVerdict {
    let previous: AuditRow | undefined;
    const heads = new Map<string, AuditRow>();
    for (const row of this.#rows) {
      if (!equalBytes(this.#hash(previous, row.seq, row), row.hash)) {
        return { ok: false, seq: row.seq, finding: 'the row was changed' };
      }
      if (isHeadMove(row.outcome)) heads.set(name(row), row);
      if (row.outcome === 'forget') heads.delete(name(row));
      previous = row;
    }
    for (const key of new Set([...heads.keys(), ...this.#heads.keys()])) {
      const row = heads.get(key) ?? null;
      if (!sameRoot(row, this.#heads.get(key) ?? null)) {
        return { ok: false, seq: row?.seq ?? 0n, finding: `the head of ${key} is not what the log says` };
      }
    }
    const lastHash = new Uint8Array(previous?.hash ?? this.#chainStart);
    return { ok: true, rows: BigInt(this.#rows.length), lastHash };
  }

  async #when<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#closed) throw new ClosedError('the root store');
    return work();
  }
}

function name({ server, database }: TrustKey): string {
  return JSON.stringify([server, database]);
}
