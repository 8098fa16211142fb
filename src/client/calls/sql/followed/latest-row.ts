// sql.verifiedGet of what is proven to be latest: the table and the newest version of the row's key are what was followed; only its value,
// and the header of its transaction, are asked for.
import { ImmuError, NotProvableError } from '../../../../errors.js';
import type { Root } from '../../../../verify/verifier.js';
import { resultOf } from '../../../results/result.js';
import type { LatestVersion } from '../../../trust/latest/key-index.js';
import type { Latest } from '../../../trust/latest/latest.js';
import { askHeaderUnder } from '../../../trust/trust-wire.js';
import { isWhole } from '../../latest/proven.js';
import type { ProvenTable, SqlAsking } from '../catalog.js';
import { readable } from '../known-table.js';
import { hasKey, readRow, valuesOf } from '../read-row.js';
import { toRowKey } from '../row-key.js';
import type { PrimaryKey, RowKey } from '../row-key.js';
import type { VerifiedRow } from '../verified-get.js';
import { FollowedCatalog } from './catalog.js';
import { briefVersion, followedValues } from './values.js';

/** A row that is proven to be the latest of its key. */
export interface LatestRow extends VerifiedRow {
  readonly deleted: false;
  readonly absent?: undefined;
  /** Every transaction up to this root was followed: none of them has a newer version of the row, and the table is as of it. */
  readonly provenLatestAt: Root;
  /** How many versions of the row there are with this one, deletions counted. */
  readonly revision: bigint;
}

/** A row that is proven not to be there. */
export interface AbsentRow {
  readonly table: string;
  readonly tableId: number;
  readonly values: null;
  readonly absent: 'never-written' | 'deleted';
  /** What deleted it. */
  readonly tx?: bigint;
  /** Every transaction up to this root was followed, and the table is as of it. */
  readonly provenLatestAt: Root;
}

/** What is followed from genesis on, up to the head when it is called. */
export async function followedWhole({ trust, call }: Pick<SqlAsking, 'trust' | 'call'>): Promise<Latest> {
  await trust.ready(call);
  const { latest, headTx } = trust;
  if (!isWhole(latest))
    throw new NotProvableError(
      `${call.operation}: the database is followed from tx ${latest.from.tx.toString()} on: what is latest is proven by following from genesis only`,
    );
  const reached = latest.reach(call.deadline, headTx);
  if (reached) await reached;
  return latest;
}

/**
 * @throws NotProvableError where the database is not followed from genesis on
 * @throws VerificationError where another value is shown than was followed
 */
export async function latestRow(
  asking: SqlAsking,
  { table, pk }: { readonly table: string; readonly pk: PrimaryKey },
): Promise<LatestRow | AbsentRow> {
  const { trust, call } = asking;
  const latest = await followedWhole(asking);
  const found = await asOneRoot(asking, latest, table, pk);
  const { at, version } = found;
  const of = { table, tableId: found.schema.id, provenLatestAt: at };
  if (!version || version.deleted) {
    trust.countCalls(call.operation, call.startedAt, 1);
    const absent = version
      ? ({ absent: 'deleted', tx: version.tx } as const)
      : { absent: 'never-written' as const };
    return Object.freeze(resultOf({ ...of, values: null, ...absent }));
  }
  return shownRow(asking, found, version, of);
}

interface RowNow extends ProvenTable {
  readonly at: Root;
  readonly key: RowKey;
  readonly version: LatestVersion | undefined;
}

/** The table, and the newest version of the row, as of one root: the newest that both are known of. */
async function asOneRoot(asking: SqlAsking, latest: Latest, name: string, pk: PrimaryKey): Promise<RowNow> {
  const catalog = FollowedCatalog.of(latest);
  for (;;) {
    const entries = catalog.entriesAt(latest.at.tx);
    const table = await readable(name, async () => (await catalog.at(asking, latest.at.tx)).named(name));
    // From here on in one turn. What was followed meanwhile has left the table as it was, or it is looked for again.
    const { at } = latest;
    if (catalog.entriesAt(at.tx) !== entries) continue;
    if (table) {
      const key = toRowKey(table.schema, pk);
      return { ...table, at, key, version: latest.get(key.rawKey) };
    }
    const why = 'no transaction that was followed has made one';
    throw new ImmuError('NOT_FOUND', `there is no table ${name}: ${why}`);
  }
}

async function shownRow(
  asking: SqlAsking,
  { schema, tx: catalogTx, at, key }: RowNow,
  version: LatestVersion,
  of: Pick<LatestRow, 'table' | 'tableId' | 'provenLatestAt'>,
): Promise<LatestRow> {
  const { rpc, trust, call } = asking;
  const { tx, revision } = version;
  const head = await trust.head(call);
  const asked = trust.ask(call, head, () => askHeaderUnder(rpc, tx, head, call.deadline.left));
  asked.catch(() => undefined);
  const [value] = await followedValues(asking, [briefVersion({ ...version, key: key.rawKey })]);
  const { subject } = await trust.prove(call, { kind: 'tx', tx }, head, await asked);
  const row = readRow(schema, value as Uint8Array, `the row of table ${of.table} in tx ${tx.toString()}`);
  const read: LatestRow = {
    ...of,
    ...{ tx, timestamp: subject.ts, values: valuesOf(schema, row), deleted: false, revision },
    ...{ catalog: 'followed', catalogTx, catalogAt: at },
    ...(!hasKey(schema, row, key.inRow) && { anomaly: 'key' as const }),
    root: trust.root,
  };
  return Object.freeze(resultOf(read));
}
