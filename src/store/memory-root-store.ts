// A root store that lives as long as the process: for tests and short-lived tools. Same behaviour, same chain.
import { ArgumentError, ClosedError } from '../errors.js';
import { equalBytes } from '../proof/bytes.js';
import { EMPTY_HASH } from '../proof/hash.js';
import { assertEntry, rowHash } from './audit-row.js';
import { isHeadMove, matcher } from './audit-query.js';
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

export class MemoryRootStore implements RootStore {
  readonly audit: AuditLog = {
    roots: (query) => this.#roots(query),
    latest: (filter) => this.#when(() => this.#latest(filter)),
    verify: () => this.#when(() => this.#verify()),
  };
  readonly #heads = new Map<string, StoredRoot>();
  readonly #identities = new Map<string, string>();
  readonly #rows: AuditRow[] = [];
  #closed = false;

  head(key: TrustKey): Promise<StoredRoot | null> {
    return this.#when(() => this.#heads.get(name(key)) ?? null);
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): Promise<AdvanceOutcome> {
    return this.#when(() => {
      assertEntry(entry);
      assertUpward(expected, entry);
      const current = this.#heads.get(name(entry)) ?? null;
      if (!sameRoot(current, expected)) return { moved: false, current };
      this.#append(entry);
      this.#heads.set(name(entry), { tx: entry.tx, alh: Uint8Array.from(entry.alh) });
      return { moved: true };
    });
  }

  record(entry: AuditEntry): Promise<void> {
    return this.#when(() => {
      assertEntry(entry);
      this.#append(entry);
    });
  }

  forget(entry: AuditEntry): Promise<void> {
    return this.#when(() => {
      assertEntry(entry);
      this.#append(entry);
      this.#heads.delete(name(entry));
    });
  }

  identity(address: string): Promise<string | null> {
    return this.#when(() => this.#identities.get(address) ?? null);
  }

  bindIdentity(address: string, server: string): Promise<string> {
    return this.#when(() => {
      const bound = this.#identities.get(address);
      if (bound === undefined) this.#identities.set(address, server);
      return bound ?? server;
    });
  }

  rebindIdentity(address: string, server: string): Promise<void> {
    return this.#when(() => void this.#identities.set(address, server));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #append(entry: AuditEntry): void {
    const previous = this.#rows.at(-1);
    const seq = (previous?.seq ?? 0n) + 1n;
    this.#rows.push({ ...entry, seq, hash: rowHash(previous?.hash ?? EMPTY_HASH, seq, entry) });
  }

  async *#roots(query: RootsQuery = {}): AsyncIterableIterator<AuditRow> {
    const matches = matcher(query);
    const rows = await this.#when(() =>
      query.order === 'desc' ? this.#rows.toReversed() : this.#rows.slice(),
    );
    let left = query.limit ?? Infinity;
    for (const row of rows) {
      if (left === 0) return;
      if (!matches(row)) continue;
      left -= 1;
      yield row;
    }
  }

  #latest(filter: Partial<TrustKey> = {}): AuditRow | null {
    const matches = matcher(filter);
    return this.#rows.findLast((row) => isHeadMove(row.outcome) && matches(row)) ?? null;
  }

  #verify(): AuditVerdict {
    let hash = EMPTY_HASH;
    for (const row of this.#rows) {
      hash = rowHash(hash, row.seq, row);
      if (!equalBytes(hash, row.hash)) return { ok: false, seq: row.seq, finding: 'the row was changed' };
    }
    return { ok: true, rows: BigInt(this.#rows.length), lastHash: hash };
  }

  async #when<T>(work: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#closed) throw new ClosedError('the root store');
    return work();
  }
}

/** Requires that a move goes up. */
export function assertUpward(expected: StoredRoot | null, entry: AuditEntry): void {
  if (expected && entry.tx <= expected.tx) {
    throw new ArgumentError(
      'entry',
      `a head moves up: tx ${entry.tx.toString()} is not above tx ${expected.tx.toString()}`,
    );
  }
}

function sameRoot(a: StoredRoot | null, b: StoredRoot | null): boolean {
  if (!a || !b) return a === b;
  return a.tx === b.tx && equalBytes(a.alh, b.alh);
}

function name({ server, database }: TrustKey): string {
  return JSON.stringify([server, database]);
}
