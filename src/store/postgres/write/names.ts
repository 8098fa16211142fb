// Names of databases, operations and clients: kept once and known by a number. They are written before the rows that use them, and
// found again by what was remembered while the connection holds.
import { StoreError } from '../../../errors.js';
import type { AuditEntry } from '../../audit-types.js';
import { OUTCOME_CODES } from '../../log/outcome-codes.js';
import { RowRefused } from '../link/errors.js';
import type { Link, Value } from '../link/link.js';
import { byteaArray, numbersOf } from '../link/arrays.js';
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

/** The numbers of the names of rows, in the order of the rows. */
export interface Named {
  readonly kinds: readonly Kind[];
  /** Null: the name stands in the row. */
  readonly clients: readonly (number | null)[];
}

export class Names {
  #link: Link | undefined;
  readonly #kinds = new Map<string, Kind>();
  readonly #clients = new Map<string, number | null>();

  /** Sees to it that all names of these rows have numbers. `isLocked`: in a transaction that holds the log. */
  async ensure(link: Link, entries: readonly AuditEntry[], isLocked = false): Promise<Named> {
    if (this.#link !== link || this.#kinds.size + this.#clients.size > MAX_REMEMBERED) this.#forget(link);
    const known = this.#named(entries);
    if (known) return known;
    const clients = new Set(
      entries.map(({ clientId }) => clientId).filter((name) => !this.#clients.has(name)),
    );
    const unknown = new Map<string, AuditEntry>();
    for (const entry of entries) {
      const name = kindName(entry);
      if (!this.#kinds.has(name)) unknown.set(name, entry);
    }
    const [missing] = await Promise.all([
      this.#find(link, [...unknown.values()]),
      this.#findClients(link, [...clients]),
    ]);
    if (missing.length > 0) {
      await addKinds(link, missing, isLocked);
      await this.#find(link, missing);
    }
    const named = this.#named(entries);
    if (named) return named;
    throw new StoreError('STORE_DAMAGED', `the root store ${link.label} gives a kind of rows no number`);
  }

  /** What a transaction that was undone has given does not exist. */
  forget(): void {
    this.#forget(undefined);
  }

  /** Undefined: some name is not known here. */
  #named(entries: readonly AuditEntry[]): Named | undefined {
    const kinds: Kind[] = [];
    const clients: (number | null)[] = [];
    for (const entry of entries) {
      const kind = this.#kinds.get(kindName(entry));
      const client = this.#clients.get(entry.clientId);
      if (kind === undefined || client === undefined) return undefined;
      kinds.push(kind);
      clients.push(client);
    }
    return { kinds, clients };
  }

  /** Those that have no number yet. */
  async #find(link: Link, entries: readonly AuditEntry[]): Promise<AuditEntry[]> {
    if (entries.length === 0) return [];
    const found = await link.query(FIND, kindArrays(entries), 'immu_kinds');
    const left = new Set(entries);
    for (const { n, id, ledger } of found) {
      const entry = entries[Number(bigint(n)) - 1];
      if (!entry || typeof id !== 'number' || typeof ledger !== 'number') continue;
      this.#kinds.set(kindName(entry), { id, ledger });
      left.delete(entry);
    }
    return [...left];
  }

  async #findClients(link: Link, names: readonly string[]): Promise<void> {
    const left = new Set(names);
    const find = async () => {
      const asked = [...left];
      for (const { n, id } of await link.query(
        FIND_CLIENTS,
        [byteaArray(asked.map(asBytes))],
        'immu_clients',
      )) {
        const name = asked[Number(bigint(n)) - 1];
        if (name === undefined || typeof id !== 'number') continue;
        this.#clients.set(name, id);
        left.delete(name);
      }
    };
    if (left.size > 0) await find();
    if (left.size === 0) return;
    await link.query(ADD_CLIENTS, [byteaArray([...left].map(asBytes))]);
    await find();
    // There are too many.
    for (const name of left) this.#clients.set(name, null);
  }

  #forget(link: Link | undefined): void {
    this.#link = link;
    this.#kinds.clear();
    this.#clients.clear();
  }
}

const OF_KINDS = 'unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::int2[])';
const SAME_LEDGER = `sha256(l.server) = sha256(u.server) AND sha256(l.database) = sha256(u.database)
  AND l.server = u.server AND l.database = u.database`;
/** Each looked up by itself, through the index, however large the tables have become since the statement was planned. */
const FIND = `SELECT u.n, f.id, f.ledger FROM ${OF_KINDS} WITH ORDINALITY u (server, database, operation, outcome, n),
  LATERAL (SELECT k.id, k.ledger FROM ledger l JOIN kind k ON k.ledger = l.id
    WHERE ${SAME_LEDGER} AND k.outcome = u.outcome AND sha256(k.operation) = sha256(u.operation) AND k.operation = u.operation LIMIT 1) f`;
const FIND_CLIENTS = `SELECT u.n, f.id FROM unnest($1::bytea[]) WITH ORDINALITY u (text, n),
  LATERAL (SELECT c.id FROM client c WHERE sha256(c.text) = sha256(u.text) AND c.text = u.text LIMIT 1) f`;
const ADD_LEDGERS = `INSERT INTO ledger
  SELECT (SELECT coalesce(max(id), 0) FROM ledger) + row_number() OVER (ORDER BY u.n), u.server, u.database, false
  FROM (SELECT server, database, min(n) AS n
    FROM unnest($1::bytea[], $2::bytea[]) WITH ORDINALITY u (server, database, n) GROUP BY 1, 2) u
  WHERE NOT EXISTS (SELECT 1 FROM ledger l WHERE ${SAME_LEDGER})`;
const ADD_KINDS = `INSERT INTO kind
  SELECT (SELECT coalesce(max(id), 0) FROM kind) + row_number() OVER (ORDER BY u.n), l.id, u.operation, u.outcome
  FROM ${OF_KINDS} WITH ORDINALITY u (server, database, operation, outcome, n) JOIN ledger l ON ${SAME_LEDGER}
  WHERE NOT EXISTS (SELECT 1 FROM kind k
    WHERE k.ledger = l.id AND k.outcome = u.outcome AND sha256(k.operation) = sha256(u.operation))`;
/** As many as there is room for. */
const ADD_CLIENTS = `INSERT INTO client
  SELECT f.last + u.n, u.text FROM unnest($1::bytea[]) WITH ORDINALITY u (text, n),
    (SELECT coalesce(max(id), 0) AS last FROM client) f
  WHERE f.last + u.n <= ${MAX_CLIENTS} ON CONFLICT DO NOTHING`;

/** One process at a time: numbers then are given in the order in which they are committed. */
async function addKinds(link: Link, entries: readonly AuditEntry[], isLocked: boolean): Promise<void> {
  const [count] = await link.query('SELECT count(*) AS kinds FROM kind');
  if (bigint(count?.['kinds']) + BigInt(entries.length) > BigInt(MAX_KINDS)) {
    const words = `it has rows of ${MAX_KINDS} servers, databases and operations, and takes no other`;
    throw new RowRefused('STORE_FAILED', `the audit log is full: ${words}`);
  }
  const values = kindArrays(entries);
  const add = [
    () => link.query('LOCK TABLE kind IN SHARE ROW EXCLUSIVE MODE'),
    () => link.query(ADD_LEDGERS, values.slice(0, 2)),
    () => link.query(ADD_KINDS, values),
  ];
  const all = isLocked ? add : [() => link.query('BEGIN'), ...add, () => link.query('COMMIT')];
  // They go out at once. After one that fails the others do, and the commit undoes all.
  const done = await Promise.allSettled(all.map((run) => run()));
  for (const each of done) if (each.status === 'rejected') throw each.reason;
}

function kindArrays(entries: readonly AuditEntry[]): Value[] {
  const names = (of: (entry: AuditEntry) => string) => byteaArray(entries.map((entry) => asBytes(of(entry))));
  return [
    names(({ server }) => server),
    names(({ database }) => database),
    names(({ operation }) => operation),
    numbersOf(
      'int2',
      entries.map(({ outcome }) => OUTCOME_CODES[outcome]),
    ),
  ];
}

/** No two kinds have one: with the lengths of names that may hold anything. A key in JSON takes as long as all else (measured). */
function kindName({ server, database, operation, outcome }: AuditEntry): string {
  return `${server.length} ${database.length} ${outcome} ${server}${database}${operation}`;
}
