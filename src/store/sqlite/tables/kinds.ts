// Kinds of rows: server, database, operation and outcome, kept once and known by a number. There are few of them, so
// each connection has them all in memory.
import { StoreError } from '../../../errors.js';
import { outcomesOf } from '../../log/audit-query.js';
import { OUTCOME_CODES, outcomeOf } from '../../log/outcome-codes.js';
import type { AuditEntry, AuditOutcome, RootsFilter, TrustKey } from '../../audit-types.js';
import { within } from './nested.js';
import type { Statements } from './statements.js';

/** A bound on what a store keeps in memory: some 200 bytes each. Beyond it rows of new kinds are refused. */
export const MAX_KINDS = 262_144;

export interface Kind extends TrustKey {
  readonly id: bigint;
  readonly ledger: bigint;
  readonly operation: string;
  readonly outcome: AuditOutcome;
}

interface Ledger {
  readonly kinds: Kind[];
  /** By operation and outcome. */
  readonly byOperation: Map<string, Map<string, Kind>>;
}

export class Kinds {
  readonly #statements: Statements;
  readonly #byId = new Map<bigint, Kind>();
  /** By server and database. */
  readonly #ledgers = new Map<string, Map<string, Ledger>>();
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
      const outcome = outcomeOf(Number(record.outcome));
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

  /** Every database that is on record. */
  ledgers(): TrustKey[] {
    return this.#statements.get('SELECT server, database FROM ledger').all() as TrustKey[];
  }

  ofLedger(key: TrustKey): readonly Kind[] {
    return this.#known(key)?.kinds ?? [];
  }

  /** The kind of an entry, which is written first when it is new. */
  of(entry: AuditEntry): Kind {
    let kind = this.#find(entry);
    if (kind) return kind;
    this.refresh();
    kind = this.#find(entry);
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
    this.#ledgers.clear();
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

  #find(entry: AuditEntry): Kind | undefined {
    return this.#known(entry)?.byOperation.get(entry.operation)?.get(entry.outcome);
  }

  #known({ server, database }: TrustKey): Ledger | undefined {
    return this.#ledgers.get(server)?.get(database);
  }

  #add(kind: Kind): void {
    this.#byId.set(kind.id, kind);
    const databases = within(this.#ledgers, kind.server);
    let ledger = databases.get(kind.database);
    if (!ledger) {
      ledger = { kinds: [], byOperation: new Map() };
      databases.set(kind.database, ledger);
    }
    ledger.kinds.push(kind);
    within(ledger.byOperation, kind.operation).set(kind.outcome, kind);
  }
}
