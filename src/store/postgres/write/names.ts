// Names of databases, operations and clients: kept once and known by a number. They are written before the rows that use them, and
// found again by what was remembered while the connection holds.
import { StoreError } from '../../../errors.js';
import type { AuditEntry } from '../../audit-types.js';
import { OUTCOME_CODES } from '../../log/outcome-codes.js';
import { RowRefused } from '../link/errors.js';
import type { Link, Value } from '../link/link.js';
import { asBytes } from '../link/values.js';
import { bigint } from '../read/rows.js';

/** A bound on what a store keeps: beyond it rows of new kinds are refused, and names of clients stand in their rows. */
const MAX_KINDS = 262_144;
const MAX_CLIENTS = 65_536;
const MAX_REMEMBERED = 16_384;

export interface Kind {
  readonly id: number;
  readonly ledger: number;
}

export class Names {
  #link: Link | undefined;
  readonly #kinds = new Map<string, Kind>();
  /** Null: the name stands in the row. */
  readonly #clients = new Map<string, number | null>();

  /** Sees to it that all names of these rows have numbers. `isLocked`: in a transaction that holds the log. */
  async ensure(link: Link, entries: readonly AuditEntry[], isLocked = false): Promise<void> {
    if (this.#link !== link || this.#kinds.size + this.#clients.size > MAX_REMEMBERED) this.#forget(link);
    const unknown = new Map<string, AuditEntry>();
    const clients = new Set<string>();
    for (const entry of entries) {
      if (!this.#kinds.has(kindName(entry))) unknown.set(kindName(entry), entry);
      if (!this.#clients.has(entry.clientId)) clients.add(entry.clientId);
    }
    await Promise.all([...clients].map((name) => this.#findClient(link, name)));
    if (unknown.size === 0) return;
    const missing = await this.#find(link, [...unknown.values()]);
    if (missing.length === 0) return;
    await addKinds(link, missing, isLocked);
    const [lost] = await this.#find(link, missing);
    if (lost)
      throw new StoreError('STORE_DAMAGED', `the root store ${link.label} gives a kind of rows no number`);
  }

  /** Requires that it was ensured. */
  kind(entry: AuditEntry): Kind {
    const kind = this.#kinds.get(kindName(entry));
    if (!kind) throw new Error('the kind of a row has no number');
    return kind;
  }

  client(name: string): number | null {
    return this.#clients.get(name) ?? null;
  }

  /** What a transaction that was undone has given does not exist. */
  forget(): void {
    this.#forget(undefined);
  }

  /** Those that have no number yet. */
  async #find(link: Link, entries: readonly AuditEntry[]): Promise<AuditEntry[]> {
    const found = await Promise.all(entries.map((entry) => link.query(FIND, kindValues(entry), 'immu_kind')));
    return entries.filter((entry, i) => {
      const { id, ledger } = found[i]?.[0] ?? {};
      if (typeof id !== 'number' || typeof ledger !== 'number') return true;
      this.#kinds.set(kindName(entry), { id, ledger });
      return false;
    });
  }

  async #findClient(link: Link, name: string): Promise<void> {
    const values = [asBytes(name)];
    const sql = 'SELECT id FROM client WHERE sha256(text) = sha256($1::bytea) AND text = $1';
    let [found] = await link.query(sql, values);
    if (!found) {
      await link.query(ADD_CLIENT, values);
      [found] = await link.query(sql, values);
    }
    this.#clients.set(name, (found?.['id'] as number | undefined) ?? null);
  }

  #forget(link: Link | undefined): void {
    this.#link = link;
    this.#kinds.clear();
    this.#clients.clear();
  }
}

const OF_LEDGER = `sha256(l.server) = sha256($1::bytea) AND sha256(l.database) = sha256($2::bytea)
  AND l.server = $1 AND l.database = $2`;
const FIND = `SELECT k.id, k.ledger FROM ledger l JOIN kind k ON k.ledger = l.id
  WHERE ${OF_LEDGER} AND k.outcome = $4 AND sha256(k.operation) = sha256($3::bytea) AND k.operation = $3`;
const ADD_LEDGER = `INSERT INTO ledger SELECT (SELECT coalesce(max(id), 0) + 1 FROM ledger), $1, $2, false
  WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE ${OF_LEDGER})`;
const ADD_KIND = `INSERT INTO kind SELECT (SELECT coalesce(max(id), 0) + 1 FROM kind), l.id, $3, $4 FROM ledger l
  WHERE ${OF_LEDGER} ON CONFLICT DO NOTHING`;
const ADD_CLIENT = `INSERT INTO client SELECT coalesce(max(id), 0) + 1, $1 FROM client
  HAVING coalesce(max(id), 0) < ${MAX_CLIENTS} ON CONFLICT DO NOTHING`;

/** One process at a time: numbers then are given in the order in which they are committed. */
async function addKinds(link: Link, entries: readonly AuditEntry[], isLocked: boolean): Promise<void> {
  const [count] = await link.query('SELECT count(*) AS kinds FROM kind');
  if (bigint(count?.['kinds']) + BigInt(entries.length) > BigInt(MAX_KINDS)) {
    const words = `it has rows of ${MAX_KINDS} servers, databases and operations, and takes no other`;
    throw new RowRefused('STORE_FAILED', `the audit log is full: ${words}`);
  }
  const added = entries.flatMap((entry) => {
    const values = kindValues(entry);
    return [() => link.query(ADD_LEDGER, values.slice(0, 2)), () => link.query(ADD_KIND, values)];
  });
  const lock = () => link.query('LOCK TABLE kind IN SHARE ROW EXCLUSIVE MODE');
  const all = isLocked
    ? [lock, ...added]
    : [() => link.query('BEGIN'), lock, ...added, () => link.query('COMMIT')];
  // They go out at once. After one that fails the others do, and the commit undoes all.
  const done = await Promise.allSettled(all.map((run) => run()));
  for (const each of done) if (each.status === 'rejected') throw each.reason;
}

function kindValues({ server, database, operation, outcome }: AuditEntry): Value[] {
  return [asBytes(server), asBytes(database), asBytes(operation), OUTCOME_CODES[outcome]];
}

/** No two kinds have one: with the lengths of names that may hold anything. A key in JSON takes as long as all else (measured). */
function kindName({ server, database, operation, outcome }: AuditEntry): string {
  return `${server.length} ${database.length} ${outcome} ${server}${database}${operation}`;
}
