// The tables of a database as proven transactions made them. Which transactions those are is found by the server's word: a change that
// it hides is not seen, so that names are proven to have been so, and not to be so still. Types and primary keys cannot change.
import { ServerError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import { decodeCatalogEntry, isCatalogKey } from '../../../proof/sql/catalog-entry.js';
import type { CatalogEntry } from '../../../proof/sql/catalog-entry.js';
import { decodeSqlKey, isOfCatalog, isSqlKey } from '../../../proof/sql/raw-key.js';
import { schemaOf } from '../../../proof/sql/schema.js';
import type { TableSchema } from '../../../proof/sql/schema.js';
import type { TransactionEntry } from '../../../verify/transaction-entry.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { NewestVersions } from '../../trust/known/newest-versions.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { CatalogWalk } from '../txs/catalog-walk.js';
import { askPage } from '../txs/transactions.js';
import { verifiedTx } from '../txs/verified-tx.js';

/** What a verified call of SQL works with. */
export interface SqlAsking {
  readonly rpc: Rpc;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}

/** A table as far as its entries are proven. */
export interface ProvenTable {
  readonly schema: TableSchema;
  /** The newest transaction that has an entry of it. */
  readonly tx: bigint;
}

/** An entry of the catalog, and the transaction that wrote it. */
export interface Kept {
  readonly tx: bigint;
  readonly entry: CatalogEntry;
}

/** Entries of the catalog that are kept: those of a hundred thousand columns. */
const MAX_ENTRIES = 200_000;

export class ProvenCatalog {
  /** The newest tx in which a row was proven, by its raw key in hex: reads must not fall behind it. */
  readonly seen = new NewestVersions();
  /** By table: the newest entry of each raw key. */
  readonly #tables = new Map<number, Map<string, Kept>>();
  readonly #schemas = new Map<number, ProvenTable | undefined>();
  #entries = 0;
  #lookedAt = 0n;
  #walk = new CatalogWalk();
  #isReady = false;

  /** What is proven of SQL under the history that is trusted now. Requires a head. */
  static of({ trust }: SqlAsking): ProvenCatalog {
    const { known } = trust;
    let catalog = catalogs.get(known);
    if (!catalog) catalogs.set(known, (catalog = new ProvenCatalog()));
    return catalog;
  }

  /** The table that bears this name, as far as is known. Throws ProofFailure for one that cannot be read. */
  named(name: string): ProvenTable | undefined {
    let found: { readonly id: number; readonly tx: bigint } | undefined;
    for (const [id, entries] of this.#tables) {
      // By its own entry: another one that cannot be read is no matter here.
      const isNamed = [...entries.values()].some(
        ({ entry: { value } }) => value?.kind === 'table' && value.name === name,
      );
      const tx = isNamed ? newestOf(entries.values()) : 0n;
      if (isNamed && (!found || tx > found.tx)) found = { id, tx };
    }
    return found && this.table(found.id);
  }

  /** Throws ProofFailure for one that cannot be read. */
  table(id: number): ProvenTable | undefined {
    if (this.#schemas.has(id)) return this.#schemas.get(id);
    const entries = this.#tables.get(id);
    const table = entries && tableOf(id, [...entries.values()]);
    this.#schemas.set(id, table);
    return table;
  }

  /** Takes the entries of a proven transaction, with their values. Throws ProofFailure for what no server writes. */
  learn(tx: bigint, entries: readonly TransactionEntry[]): void {
    for (const { rawKey, metadata, rawValue } of entries) {
      if (rawValue === undefined || !isSqlKey(rawKey)) continue;
      const of = decodeSqlKey(rawKey);
      if (!isCatalogKey(of) || of.prefix !== 'sql' || !('table' in of)) continue;
      const table = this.#tables.get(of.table) ?? new Map<string, Kept>();
      const name = toHex(rawKey);
      const before = table.get(name);
      if (before && before.tx > tx) continue;
      if (!before && ++this.#entries > MAX_ENTRIES) this.#forget();
      table.set(name, { tx, entry: decodeCatalogEntry(rawKey, metadata, rawValue) });
      this.#tables.set(of.table, table);
      this.#schemas.delete(of.table);
    }
  }

  #forget(): void {
    this.#tables.clear();
    this.#schemas.clear();
    [this.#entries, this.#lookedAt, this.#walk] = [1, 0n, new CatalogWalk()];
  }

  /** Names of the tables that are known. */
  get names(): string[] {
    const names = new Set<string>();
    for (const entries of this.#tables.values())
      for (const { entry } of entries.values())
        if (entry.value?.kind === 'table') names.add(entry.value.name);
    return [...names];
  }

  /** Whether all transactions were gone through once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Goes through the transactions that are new since the last time, and proves those that change the catalog. */
  async refresh(asking: SqlAsking): Promise<void> {
    const { rpc, trust, call } = asking;
    // Up to what the server has now, and proves.
    await call.deadline.race(trust.assureNow(call.operation), 'the tables of the database to be proven');
    const { tx: to } = await trust.head(call);
    const take = async (first: bigint, count: number): Promise<number> => {
      const { txs, bytes } = await askPage(
        rpc,
        { first, count, desc: false, wanted: DIGESTS },
        call.deadline.left,
      );
      for (const { tx, entries } of txs) {
        // Who comes after one whose time was over goes on from here.
        if (tx <= this.#lookedAt) continue;
        if (entries.some(({ rawKey }) => isOfCatalog(rawKey, 'sql'))) await this.#prove(asking, tx);
        this.#lookedAt = tx;
      }
      return bytes;
    };
    await this.#walk.upTo(call.deadline, to, take);
    this.#isReady = true;
  }

  async #prove({ rpc, trust, call }: SqlAsking, tx: bigint): Promise<void> {
    try {
      const proven = await verifiedTx(rpc, trust, call, tx, { entries: 'raw', kinds: ['sql'] });
      this.learn(tx, proven?.entries ?? []);
    } catch (error) {
      // A truncation repeats what lives: it is found there.
      if (!(error instanceof ServerError) || error.code !== 'TRUNCATED') throw error;
    }
  }
}

/** One per proven history: what is proven ends with it. */
const catalogs = new WeakMap<ProvenHistory, ProvenCatalog>();

/** A table by the newest entries of it; undefined: it does not live. Throws ProofFailure for one that cannot be read. */
export function tableOf(id: number, kept: readonly Kept[]): ProvenTable | undefined {
  const schema = schemaOf(
    'sql',
    id,
    kept.map(({ entry }) => entry),
  );
  return schema && { schema, tx: newestOf(kept) };
}

/** The newest transaction of these. */
function newestOf(entries: Iterable<{ readonly tx: bigint }>): bigint {
  let newest = 0n;
  for (const { tx } of entries) if (tx > newest) newest = tx;
  return newest;
}

const DIGESTS = { entries: 'digests', kinds: ['sql'] } as const;
