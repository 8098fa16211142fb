// What the rows of a log add up to: the trusted heads and the bound identities. One rule for every store and for verify.
import { isHeadMove } from './audit-query.js';
import type { AuditEntry, StoredRoot, TrustKey } from '../audit-types.js';
import type { Checkpoint } from '../audit-log.js';

export type StateAt = Pick<Checkpoint, 'heads' | 'identities'>;

export class LogState {
  readonly #heads = new Map<string, TrustKey & StoredRoot>();
  readonly #identities = new Map<string, string>();

  constructor(from: StateAt = { heads: [], identities: [] }) {
    for (const head of from.heads) this.#heads.set(nameOf(head), head);
    for (const { address, server } of from.identities) this.#identities.set(address, server);
  }

  apply(row: Omit<AuditEntry, 'evidence'>): void {
    const { server, database, tx, alh } = row;
    if (isHeadMove(row.outcome)) this.#heads.set(nameOf(row), { server, database, tx, alh });
    else if (row.outcome === 'forget') this.#heads.delete(nameOf(row));
    else if (row.outcome === 'identity') this.#identities.set(row.detail ?? '', server);
  }

  head(key: TrustKey): StoredRoot | null {
    return this.#heads.get(nameOf(key)) ?? null;
  }

  identity(address: string): string | null {
    return this.#identities.get(address) ?? null;
  }

  /** In the order of the bytes of their names. */
  snapshot(): StateAt {
    return {
      heads: [...this.#heads.values()].sort(byName),
      identities: [...this.#identities]
        .map(([address, server]) => ({ address, server }))
        .sort((a, b) => order(a.address, b.address)),
    };
  }
}

export function nameOf({ server, database }: TrustKey): string {
  return JSON.stringify([server, database]);
}

/** In the order of the bytes of server and database. */
export function byName(a: TrustKey, b: TrustKey): number {
  return order(a.server, b.server) || order(a.database, b.database);
}

function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
