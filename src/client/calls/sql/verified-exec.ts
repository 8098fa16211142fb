// sql.verifiedExec, top to bottom: the server is found to stand where it is trusted → statements are sent, once → every transaction
// that they became is proven whole, and is no other write's → its rows and changes of the catalog are read.
import { ImmuError, TransportError, VerificationError } from '../../../errors.js';
import { ProofFailure } from '../../../proof/failure.js';
import { decodeCatalogEntry, isCatalogKey, isSqlDeletion } from '../../../proof/sql/catalog-entry.js';
import type { CatalogEntry } from '../../../proof/sql/catalog-entry.js';
import { decodeSqlKey, isSqlKey } from '../../../proof/sql/raw-key.js';
import { decodeRow } from '../../../proof/sql/row.js';
import { toHex } from '../../../proof/bytes.js';
import type { Root } from '../../../verify/verifier.js';
import { OtherConnection } from '../../net/rpc.js';
import type { RpcOptions } from '../../net/rpc.js';
import { isNotDone } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import { overThisConnection } from '../../trust/write.js';
import { verifiedTx } from '../txs/verified-tx.js';
import type { VerifiedTransaction } from '../txs/verified-tx.js';
import { ProvenCatalog } from './catalog.js';
import type { ProvenTable, SqlAsking } from './catalog.js';
import type { SqlWrite } from './exec.js';
import { isUnderItsKey } from './followed/rows.js';
import { valuesOf } from './read-row.js';
import type { SqlRow } from './values.js';

/** A row as a proven transaction wrote it. */
export interface WrittenRow {
  readonly tableId: number;
  /** By the proven catalog; undefined where no transaction of this table is shown. */
  readonly table: string | undefined;
  /** The last row, where it is deleted. Undefined: it cannot be read by the columns that are proven. */
  readonly values: SqlRow | undefined;
  readonly deleted: boolean;
  /** As they are stored. */
  readonly rawKey: Uint8Array;
  readonly rawValue: Uint8Array;
}

/** A proven transaction of SQL. */
export interface VerifiedSqlTx {
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Header time in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** All rows that it wrote or deleted. */
  readonly rows: readonly WrittenRow[];
  /** All changes of tables, columns, indexes, checks, sequences and views. */
  readonly catalog: readonly CatalogEntry[];
  /** All its entries, those of indexes too. */
  readonly entryCount: number;
}

/** Statements whose transactions are proven. */
export interface VerifiedSqlWrite extends Omit<SqlWrite, 'txs'> {
  readonly txs: readonly VerifiedSqlTx[];
  /** Trusted head under which they were proven. */
  readonly root: Root;
}

/**
 * Requires that `send` sends over the connection it is told, once.
 *
 * @throws VerificationError when the server does not stand where it is trusted, or a transaction is not proven
 * @throws TransportError OUTCOME_UNKNOWN when it may have been written, but that could not be proven
 */
export async function verifiedSqlWrite(
  asking: SqlAsking,
  send: (options: RpcOptions) => Promise<SqlWrite>,
): Promise<VerifiedSqlWrite> {
  const { rpc, trust, call } = asking;
  for (;;) {
    try {
      await trust.ready(call, true);
      const catalog = ProvenCatalog.of(asking);
      // What can go wrong with reading the tables does so before anything is written.
      if (!catalog.isReady) await catalog.refresh(asking);
      const options = overThisConnection(rpc, call.deadline);
      return await sendOnce(asking, catalog, () => send(options()));
    } catch (error) {
      // Not sent: over the next connection another server may answer, which has to show first that it is none.
      if (!(error instanceof OtherConnection)) throw error;
    }
  }
}

async function sendOnce(
  asking: SqlAsking,
  catalog: ProvenCatalog,
  send: () => Promise<SqlWrite>,
): Promise<VerifiedSqlWrite> {
  const { trust, call } = asking;
  const head = await trust.head(call);
  const end = trust.writes.reserve(head.tx, () => trust.headTx);
  let mayBeDone = true;
  try {
    const written = await send();
    const txs = await proveAll(asking, catalog, head, written).catch(unproven);
    mayBeDone = false;
    return Object.freeze(resultOf({ ...written, txs, root: trust.root }));
  } catch (error) {
    mayBeDone &&= !isNotDone(error);
    throw error;
  } finally {
    end(mayBeDone);
  }
}

async function proveAll(
  asking: SqlAsking,
  catalog: ProvenCatalog,
  head: Root,
  { txs }: SqlWrite,
): Promise<VerifiedSqlTx[]> {
  const { rpc, trust, call } = asking;
  const refuse = (tx: bigint, detail: string) =>
    trust.refuse(call.operation, { check: 'sql.written', detail, computed: tx.toString(), tx });
  const proven: VerifiedSqlTx[] = [];
  for (const { tx, timestamp } of txs) {
    const what = `the statement was answered with tx ${tx.toString()}`;
    if (tx <= head.tx) throw await refuse(tx, `${what}, which was there before`);
    const found = await verifiedTx(rpc, trust, call, tx, { entries: 'raw' });
    if (!found) throw await refuse(tx, `${what}, which the server does not have`);
    if (found.timestamp !== timestamp) throw await refuse(tx, `${what}, and another time of it`);
    const foreign = found.entries.find(({ kind }) => kind !== 'sql');
    if (foreign) throw await refuse(tx, `${what}, which holds other things than SQL`);
    // Only now: a tx that was named and never proven is still to be had by an honest write.
    if (!trust.writes.claim(tx)) throw await refuse(tx, `${what}, which is that of another write`);
    proven.push(await readTx(asking, catalog, found));
  }
  return proven;
}

async function readTx(
  asking: SqlAsking,
  catalog: ProvenCatalog,
  { tx, alh, timestamp, entries, entryCount }: VerifiedTransaction,
): Promise<VerifiedSqlTx> {
  catalog.learn(tx, entries);
  const rows: WrittenRow[] = [];
  const changes: CatalogEntry[] = [];
  const fresh = { isDue: true };
  for (const { rawKey, metadata, rawValue } of entries) {
    if (!isSqlKey(rawKey) || rawValue === undefined) continue;
    const of = decodeSqlKey(rawKey);
    if (isCatalogKey(of)) changes.push(decodeCatalogEntry(rawKey, metadata, rawValue));
    if (of.kind !== 'row') continue;
    const deleted = isSqlDeletion(metadata);
    const { isUnderItsKey: isOwn, ...read } = await readKnown(
      asking,
      catalog,
      of.table,
      { rawKey, rawValue, tx },
      fresh,
    );
    // Under another one it is not what the server's index has of this key.
    if (!deleted && isOwn) catalog.seen.note(toHex(rawKey), tx);
    rows.push({ tableId: of.table, ...read, deleted, rawKey, rawValue });
  }
  return resultOf({ tx, alh, timestamp, rows, catalog: changes, entryCount });
}

/** By the tables that are known; what they cannot read is read again when what is new of them is. */
async function readKnown(
  asking: SqlAsking,
  catalog: ProvenCatalog,
  id: number,
  { rawKey: key, rawValue: value, tx }: Pick<WrittenRow, 'rawKey' | 'rawValue'> & { readonly tx: bigint },
  fresh: { isDue: boolean },
): Promise<Pick<WrittenRow, 'table' | 'values'> & { readonly isUnderItsKey: boolean }> {
  for (;;) {
    let table: ProvenTable | undefined;
    try {
      table = catalog.table(id);
      if (table) {
        const { schema } = table;
        const row = decodeRow(value, schema.types, schema.maxColumnId);
        const isOwn = isUnderItsKey(schema, { key, value, tx }, row);
        return { table: schema.name, values: valuesOf(schema, row), isUnderItsKey: isOwn };
      }
    } catch (error) {
      if (!(error instanceof ProofFailure)) throw error;
    }
    if (!fresh.isDue) return { table: table?.schema.name, values: undefined, isUnderItsKey: false };
    fresh.isDue = false;
    await catalog.refresh(asking);
  }
}

/** The server has answered, so it has most likely written: a failure on our side must not look like "not done". */
function unproven(error: unknown): never {
  if (error instanceof VerificationError) throw error;
  const why = error instanceof Error ? error.message : 'unexpected failure';
  const code = error instanceof ImmuError ? `${error.code}: ` : '';
  throw new TransportError(
    'OUTCOME_UNKNOWN',
    `the server answered the statement, but its transaction could not be proven (${code}${why})`,
    { cause: error },
  );
}
