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

/** The row by which a store binds an address to an identity. */
export function identityEntry(address: string, server: string, again: boolean): AuditEntry {
  return ownEntry({
    outcome: 'identity',
    operation: again ? 'rebindIdentity' : 'bindIdentity',
    server,
    detail: address,
  });
}

/** The row that says that the rows up to a checkpoint were moved out of the log. `alh` is the checkpoint's hash. */
export function archiveEntry(at: { seq: bigint; before: bigint; hash: Uint8Array }): AuditEntry {
  const { seq, before, hash } = at;
  const detail = `rows ${(before + 1n).toString()} to ${seq.toString()}`;
  return {
    ...ownEntry({ outcome: 'archive', operation: 'archive', server: '', detail }),
    tx: seq,
    alh: hash,
    previousTx: before,
  };
}

function ownEntry(fields: Pick<AuditEntry, 'outcome' | 'operation' | 'server' | 'detail'>): AuditEntry {
  return {
    database: '',
    tx: 0n,
    alh: new Uint8Array(32),
    previousTx: null,
    calls: 0,
    headerTime: 0n,
    verifiedAt: Date.now(),
    durationMs: 0,
    clientId: '',
    ...fields,
  };
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
