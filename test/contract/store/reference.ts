// The rules of a log once more, slowly: each question is answered by looking at every row. What a store answers and writes is held
// against it.
import type {
  AdvanceOutcome,
  AuditEntry,
  RootConflict,
  StoredRoot,
  TrustKey,
} from '#dist/store/root-store.js';
import { KEY } from '../../store/support.js';

export interface ReferenceRow extends TrustKey, StoredRoot {
  readonly outcome: string;
  /** What it was called by; of a fork row, the offered root's. */
  readonly clientId: string;
}

const MOVES = ['root', 'first-use', 'pinned'];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const isSame = (a: StoredRoot | null, b: StoredRoot | null) =>
  a === null || b === null ? a === b : a.tx === b.tx && hex(a.alh) === hex(b.alh);

export class ReferenceLog {
  readonly rows: ReferenceRow[] = [];

  head(key: TrustKey): StoredRoot | null {
    const last = this.#of(key).findLast(({ row }) => MOVES.includes(row.outcome) || row.outcome === 'forget');
    return last && last.row.outcome !== 'forget' ? { tx: last.row.tx, alh: last.row.alh } : null;
  }

  identity(address: string): string | null {
    const last = this.rows.findLast(
      ({ outcome, clientId }) => outcome === 'identity' && clientId === address,
    );
    return last?.server ?? null;
  }

  advance(expected: StoredRoot | null, entry: AuditEntry): AdvanceOutcome {
    const current = this.head(entry);
    const moved = isSame(current, expected);
    let conflict = this.#report(entry, entry);
    if (!moved && expected) conflict ??= this.#report(entry, expected);
    if (moved) this.#add(entry);
    const found = conflict && { conflict };
    if (moved) return { moved, ...found };
    const wasForgotten = this.#of(entry).some(({ row }) => row.outcome === 'forget');
    return { moved, current, ...found, ...(wasForgotten && { wasForgotten: true }) };
  }

  record(entry: AuditEntry): { conflict?: RootConflict } {
    const conflict = entry.outcome === 'calls' ? this.#report(entry, entry) : undefined;
    this.#add(entry);
    return conflict ? { conflict } : {};
  }

  forget(entry: AuditEntry): void {
    this.#add(entry);
  }

  bind(address: string, server: string): string {
    const bound = this.identity(address);
    if (bound === null) this.rebind(address, server);
    return bound ?? server;
  }

  /** The address stands where other rows have their client. */
  rebind(address: string, server: string): void {
    this.rows.push({
      server,
      database: '',
      tx: 0n,
      alh: new Uint8Array(32),
      outcome: 'identity',
      clientId: address,
    });
  }

  #add({ server, database, tx, alh, outcome, clientId }: AuditEntry | ReferenceRow): void {
    this.rows.push({ server, database, tx, alh, outcome, clientId });
  }

  /** Adds the fork row for a root that contradicts the log, once. Returns what the log has. */
  #report(entry: AuditEntry, offered: StoredRoot): RootConflict | undefined {
    const own = this.#of(entry);
    const found = own.findLast(
      ({ row }) => MOVES.includes(row.outcome) && row.tx === offered.tx && hex(row.alh) !== hex(offered.alh),
    );
    if (!found) return undefined;
    const lastForget = own.findLast(({ row }) => row.outcome === 'forget')?.seq ?? 0;
    const forgotten = lastForget > found.seq;
    const isSaid = own.some(
      ({ row, seq }) => row.outcome === 'fork' && (forgotten ? seq > lastForget : isSame(row, offered)),
    );
    const { server, database, clientId } = entry;
    if (!isSaid) this.#add({ server, database, ...rootOf(offered), outcome: 'fork', clientId });
    return {
      seq: BigInt(found.seq),
      ...rootOf(found.row),
      operation: 'verifiedSet',
      clientId: found.row.clientId,
      verifiedAt: verifiedAtOf(found.row.tx),
      forgotten,
    };
  }

  #of({ server, database }: TrustKey): { readonly row: ReferenceRow; readonly seq: number }[] {
    return this.rows
      .map((row, i) => ({ row, seq: i + 1 }))
      .filter(({ row }) => row.server === server && row.database === database);
  }
}

export const keyOf = (database: string): TrustKey => ({ ...KEY, database });

function rootOf({ tx, alh }: StoredRoot): StoredRoot {
  return { tx, alh };
}

/** As `entry` of the support has it. */
function verifiedAtOf(tx: bigint): number {
  return 1_700_000_000_000 + Number(tx);
}
