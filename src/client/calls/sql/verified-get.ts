// sql.verifiedGet, top to bottom: the table's catalog → the key that is proven → the answer under the head → the row, read by that
// catalog; and what the answer says of the table held against it.
import { ImmuError, ServerError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import { readClaimedTable } from '../../../verify/wire/rows.js';
import type { ClaimedTable } from '../../../verify/wire/rows.js';
import type { Job, Root } from '../../../verify/verifier.js';
import { isKeyNotFound } from '../../net/server-errors.js';
import type { StreamRpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';
import { ProvenCatalog } from './catalog.js';
import { knownTable } from './known-table.js';
import type { KnownTable } from './known-table.js';
import type { SqlAsking } from './catalog.js';
import { queryRows } from './query.js';
import { hasKey, readRow, valuesOf } from './read-row.js';
import { toRowKey, untypedKey } from './row-key.js';
import type { PrimaryKey, RowKey } from './row-key.js';
import { claimedSchema, differenceOf, pinnedDifference } from './schema.js';
import type { CatalogLevel, ReadingSchema } from './schema.js';
import type { SqlRow } from './values.js';
import { notSql } from './values.js';

/** A row that is proven to be in the one trusted history. */
export interface VerifiedRow {
  /** As it was asked for; the proof is of `tableId`. */
  readonly table: string;
  readonly tableId: number;
  /** Transaction that wrote it. */
  readonly tx: bigint;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
  /** By the names of the columns; JSON as the text that is stored. Of a deletion, the last row. */
  readonly values: SqlRow;
  /** True only where `atTx` is the transaction that deleted it. */
  readonly deleted: boolean;
  /** How far the names of the table and its columns, their types and the primary key are to be trusted. */
  readonly catalog: CatalogLevel;
  /** Of a proven or followed catalog: the transaction that changed the table last, as far as was shown. */
  readonly catalogTx?: bigint;
  /** Of a followed one: every transaction up to this root was looked at, so that the table is as of it. */
  readonly catalogAt?: Root;
  /** The row's columns say another key than it is stored under, as an honest server writes it for ON CONFLICT DO UPDATE SET of a key. */
  readonly anomaly?: 'key';
  /** Trusted head under which it was proven. */
  readonly root: Root;
}

export interface RowQuery {
  /** Lower case. */
  readonly table: string;
  readonly pk: PrimaryKey;
  readonly atTx: bigint | undefined;
  /** Absent: a proven one. */
  readonly schema: ReadingSchema | 'claimed' | undefined;
}

/** How often a row is asked for while its table changes, or the server's index is behind. */
const MAX_TRIES = 4;

/**
 * Null when the server says that there is no such row (or none in `atTx`).
 *
 * @throws VerificationError when the answer is not proven, says something else of the table than its catalog, or is older than what
 *   was proven before
 */
export async function verifiedRow(
  asking: SqlAsking & { readonly rpc: StreamRpc },
  query: RowQuery,
): Promise<VerifiedRow | null> {
  await asking.trust.ready(asking.call);
  const catalog = ProvenCatalog.of(asking);
  const progress = { triesLeft: MAX_TRIES, settled: false };
  for (;;) {
    progress.triesLeft -= 1;
    const found = await once(asking, catalog, query, progress);
    if (found !== 'again') return found;
  }
}

async function once(
  asking: SqlAsking & { readonly rpc: StreamRpc },
  catalog: ProvenCatalog,
  query: RowQuery,
  progress: { readonly triesLeft: number; settled: boolean },
): Promise<VerifiedRow | null | 'again'> {
  const { table, pk, atTx } = query;
  const isLast = progress.triesLeft === 0;
  const by = await schemaFor(asking, query);
  let key = by && toRowKey(by.schema, pk);
  const { trust, call } = asking;
  const head = await trust.head(call);
  const floor = key && atTx === undefined ? catalog.seen.floor(toHex(key.rawKey)) : 0n;
  const answer = await askRow(asking, { table, pkValues: key?.pkValues ?? untypedKey(pk), atTx }, head);
  if (answer === undefined) {
    // One that was written a moment ago may not be in the index yet: it is when a query has been answered.
    if (isLast || (progress.settled && floor === 0n)) return null;
    await settle(asking, table);
    progress.settled = true;
    return 'again';
  }
  const claimed = claimedIn(answer);
  let schema = by?.schema;
  if (!schema) {
    schema = claimedSchema(claimed);
    if (!schema) throw notSql('a row of a table that can be none');
    key = toRowKey(schema, pk);
  }
  const { rawKey, inRow } = key as RowKey;
  const question = { kind: 'row', key: rawKey, ...(atTx !== undefined && { atTx }) } as const;
  const job = () => trust.job(question, head, answer, call.askedAt);

  // The table first: where it has changed meanwhile, the key may be that of another one.
  if (by && by.level !== 'pinned') {
    const difference = differenceOf(claimed, by.table.schema);
    if (difference) {
      if (isLast) throw await trust.refuse(call.operation, difference, job());
      await knownTable(asking, table, true);
      return 'again';
    }
  } else if (by?.level === 'pinned') {
    const difference = pinnedDifference(claimed, schema);
    if (difference !== undefined)
      throw new ImmuError('PRECONDITION_FAILED', `table ${table} is not as it was pinned: ${difference}`);
  }

  const { subject, value, deleted } = await trust.prove(call, question, head, answer);
  // Every transaction up to the row's is to be followed, and to have left the table as it was.
  if (by?.level === 'followed' && subject.tx > by.table.at.tx) {
    const since = await knownTable(asking, table);
    if (!isLast && since.tx !== by.table.tx) return 'again';
  }
  const name = toHex(rawKey);
  if (subject.tx < floor) {
    if (isLast) throw await refuseStale(asking, name, subject.tx, floor, job());
    await settle(asking, table);
    return 'again';
  }
  const row = readRow(schema, value, `the row of table ${table} in tx ${subject.tx.toString()}`);
  const isOwn = hasKey(schema, row, inRow);
  // One of another key is not what the server's index has of this one.
  if (!deleted && isOwn) catalog.seen.note(name, subject.tx);
  const read: VerifiedRow = {
    table,
    tableId: schema.id,
    tx: subject.tx,
    timestamp: subject.ts,
    values: valuesOf(schema, row),
    deleted,
    catalog: by?.level ?? 'claimed',
    ...(by && by.level !== 'pinned' && { catalogTx: by.table.tx }),
    ...(by?.level === 'followed' && { catalogAt: by.table.at }),
    ...(!isOwn && { anomaly: 'key' as const }),
    root: trust.root,
  };
  return Object.freeze(resultOf(read));
}

type By =
  | { readonly level: 'pinned'; readonly schema: ReadingSchema }
  | { readonly level: 'proven'; readonly schema: ReadingSchema; readonly table: KnownTable }
  | {
      readonly level: 'followed';
      readonly schema: ReadingSchema;
      readonly table: KnownTable & { level: 'followed' };
    };

/** Undefined: the server's word is what is wanted. */
async function schemaFor(asking: SqlAsking, query: RowQuery): Promise<By | undefined> {
  const { table, schema } = query;
  if (schema === 'claimed') return undefined;
  if (schema) return { level: 'pinned', schema };
  const found = await knownTable(asking, table);
  const { level, schema: known } = found;
  return level === 'followed'
    ? { level, schema: known, table: found }
    : { level, schema: known, table: found };
}

async function askRow(
  { rpc, trust, call }: SqlAsking,
  { table, pkValues, atTx }: { table: string; pkValues: RowKey['pkValues']; atTx: bigint | undefined },
  head: Root,
): Promise<Uint8Array | undefined> {
  const sqlGetRequest = { table, pkValues, atTx: (atTx ?? 0n).toString() };
  const request = { sqlGetRequest, proveSinceTx: head.tx.toString() };
  try {
    return await trust.ask(call, head, () => rpc.raw('VerifiableSQLGet', request, call.deadline.left));
  } catch (error) {
    if (isKeyNotFound(error)) return undefined;
    throw error;
  }
}

function claimedIn(answer: Uint8Array): ClaimedTable {
  try {
    return readClaimedTable(answer);
  } catch {
    throw notSql('a row of a table that cannot be read');
  }
}

/** Has the server bring its index of the table up to date: any query of it does. */
async function settle({ rpc, call }: SqlAsking & { readonly rpc: StreamRpc }, table: string): Promise<void> {
  if (!/^[a-z_]\w*$/.test(table)) return;
  const statement = { sql: `SELECT * FROM ${table} LIMIT 1`, params: [] };
  try {
    await queryRows(rpc, 'SQLQuery', statement, 1, call.deadline.left);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
  }
}

async function refuseStale(
  { trust, call }: SqlAsking,
  name: string,
  tx: bigint,
  floor: bigint,
  job: Job,
): Promise<Error> {
  await trust.assertStanding(call.operation);
  const detail = `row ${name} was answered with its version of tx ${tx.toString()}, but a newer one, of tx ${floor.toString()}, was proven before`;
  const terms = { expected: floor.toString(), computed: tx.toString(), tx };
  return trust.refuse(call.operation, { check: 'sql.stale', detail, ...terms }, job);
}
