// Kinds of rows: server, database, operation and outcome, kept once and known by a number. There are few of them, so
// each connection has them all in memory.
import { StoreError } from '../../errors.js';
import { outcomesOf } from '../audit-query.js';
import type { AuditEntry, AuditOutcome, RootsFilter, TrustKey } from '../audit-types.js';
import { OUTCOME_CODES } from './schema.js';
import type { Statements } from './statements.js';

/** A bound on what a store keeps in memory: some 200 bytes each. Beyond it rows of new kinds are refused. */
export const MAX_KINDS = 262_144;

export interface Kind extends TrustKey {
  readonly id: bigint;
  readonly ledger: bigint;
  readonly operation: string;
  readonly outcome: AuditOutcome;
}

const OUTCOME_OF = new Map(
  Object.entries(OUTCOME_CODES).map(([outcome, code]) => [BigInt(code), outcome as AuditOutcome]),
);

export class Kinds {
  readonly #statements: Statements;
  readonly #byId = new Map<bigint, Kind>();
  readonly #byName = new Map<string, Kind>();
  readonly #byLedger = new Map<string, Kind[]>();
  #newest = 0n;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Takes up what other connections have added. Requires a transaction, as everything here. */
  refresh(): void {
    const newest = this.#statements.get('SELECT max(id) FROM kind').pluck().get() as bigint | null;
    if ((newest ?? 0n) < this.#newest) this.forget();
    if ((newest ?? 0n) === this.#newest) return;
    const added = this.#statements
      .get(
        `SELECT k.id, k.ledger, l.server, l.database, k.operation, k.outcome
         FROM kind k JOIN ledger l ON l.id = k.ledger WHERE k.id > ? ORDER BY k.id`,
      )
      .all(this.#newest) as (Omit<Kind, 'outcome'> & { outcome: bigint })[];
    for (const record of added) {
      const outcome = OUTCOME_OF.get(record.outcome);
      // A row of such a kind is then shown as damaged.
      if (outcome) this.#add({ ...record, outcome });
    }
    this.#newest = newest ?? 0n;
  }

  get(id: bigint): Kind | undefined {
    return this.#byId.get(id);
  }

  /** Every kind, in the order they came. */
  all(): IterableIterator<Kind> {
    return this.#byId.values();
  }

  /** Kinds of the rows that a filter asks for. */
  matching(filter: RootsFilter): Kind[] {
    const { server, database, operation } = filter;
    const outcomes = new Set(outcomesOf(filter));
    const among =
      server !== undefined && database !== undefined ? this.ofLedger({ server, database }) : this.all();
    return [...among].filter(
      (kind) =>
        outcomes.has(kind.outcome) &&
        (server === undefined || kind.server === server) &&
        (database === undefined || kind.database === database) &&
        (operation === undefined || kind.operation === operation),
    );
  }

  ofLedger(key: TrustKey): readonly Kind[] {
    return this.#byLedger.get(ledgerName(key)) ?? [];
  }

  /** The kind of an entry, which is written first when it is new. */
  of(entry: AuditEntry): Kind {
    const name = kindName(entry, entry.operation, entry.outcome);
    let kind = this.#byName.get(name);
    if (kind) return kind;
    this.refresh();
    kind = this.#byName.get(name);
    if (kind) return kind;
    if (this.#byId.size >= MAX_KINDS) {
      const words = `it has rows of ${MAX_KINDS} servers, databases and operations, and takes no other`;
      throw new StoreError('STORE_FAILED', `the audit log is full: ${words}`);
    }
    const { server, database, operation, outcome } = entry;
    const ledger = this.#ledger({ server, database });
    const insert = this.#statements.get('INSERT INTO kind (ledger, operation, outcome) VALUES (?, ?, ?)');
    const id = BigInt(insert.run(ledger, operation, OUTCOME_CODES[outcome]).lastInsertRowid);
    kind = { id, ledger, server, database, operation, outcome };
    this.#add(kind);
    this.#newest = id;
    return kind;
  }

  /** Ids given in a transaction that was rolled back do not exist. */
  forget(): void {
    this.#byId.clear();
    this.#byName.clear();
    this.#byLedger.clear();
    this.#newest = 0n;
  }

  #ledger({ server, database }: TrustKey): bigint {
    const [known] = this.ofLedger({ server, database });
    if (known) return known.ledger;
    this.#statements
      .get('INSERT INTO ledger (server, database) VALUES (?, ?) ON CONFLICT DO NOTHING')
      .run(server, database);
    const find = this.#statements.get('SELECT id FROM ledger WHERE server = ? AND database = ?').pluck();
    return find.get(server, database) as bigint;
  }

  #add(kind: Kind): void {
    this.#byId.set(kind.id, kind);
    this.#byName.set(kindName(kind, kind.operation, kind.outcome), kind);
    const name = ledgerName(kind);
    const siblings = this.#byLedger.get(name);
    if (siblings) siblings.push(kind);
    else this.#byLedger.set(name, [kind]);
  }
}

// A length ends each name: no two are joined alike.
function ledgerName({ server, database }: TrustKey): string {
  return `${server.length} ${server}${database}`;
}

function kindName(key: TrustKey, operation: string, outcome: AuditOutcome): string {
  return `${key.database.length} ${outcome} ${operation.length} ${operation}${ledgerName(key)}`;
}
