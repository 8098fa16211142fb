// sql.verifiedQuery, top to bottom: the query is read here → everything that the server has now is followed → which rows there are is
// known, their values are asked for and held against what was followed → condition, order and limit are computed over them.
import { ImmuError, NotProvableError } from '../../../../errors.js';
import type { Row } from '../../../../proof/sql/row.js';
import type { Root } from '../../../../verify/verifier.js';
import { namedResult, resultOf } from '../../../results/result.js';
import type { Latest } from '../../../trust/latest/latest.js';
import { followed } from '../../latest/as-of.js';
import type { SqlAsking } from '../catalog.js';
import { FollowedCatalog } from '../followed/catalog.js';
import { cellsOf, followedRows, isUnderItsKey } from '../followed/rows.js';
import type { FollowedRow } from '../followed/rows.js';
import { readable } from '../known-table.js';
import { sqlValue } from '../read-row.js';
import type { ReadingSchema } from '../schema.js';
import type { WireStatement } from '../statement.js';
import type { SqlRow } from '../values.js';
import { columnNamed, compiled, orderOf } from './condition.js';
import { rangeOf } from './key-range.js';
import { readSelect } from './select.js';
import type { Select } from './select.js';

/** What an honest server may have written, and what it would show otherwise. */
export interface RowAnomaly {
  /** Raw key of the row. */
  readonly rawKey: Uint8Array;
  readonly tx: bigint;
  /** `key`: its columns say another key than it is stored under, as ON CONFLICT DO UPDATE SET of a key makes it. */
  readonly anomaly: 'key';
}

/** Rows of a query that are proven, and proven to be all. */
export interface VerifiedRows<R extends object = SqlRow> {
  readonly rows: readonly R[];
  /** The transactions that wrote them, in their order. */
  readonly txs: readonly bigint[];
  readonly table: string;
  readonly tableId: number;
  /** Every transaction up to this root was followed: the rows are the latest as of it, and none is left out. */
  readonly provenLatestAt: Root;
  /** The table is as of the same root. */
  readonly catalog: 'followed';
  /** The transaction that changed the table last. */
  readonly catalogTx: bigint;
  /** Rows that the server's index may have otherwise. Nearly always empty. */
  readonly anomalies: readonly RowAnomaly[];
}

/** A row that meets the condition. */
interface Match {
  readonly found: FollowedRow;
  readonly row: Row;
}

/** Matches that are held beyond those that are wanted, before they are sorted and the rest let go. */
const SPARE = 4096;
/** Rows that are looked at before others have their turn. */
const ROWS_A_TURN = 2000;

/**
 * @throws NotProvableError for what is not computed over proven rows, and where the database is not followed so
 * @throws VerificationError where a row is not shown as it was written
 */
export async function verifiedQuery(
  asking: SqlAsking,
  statement: WireStatement,
  maxRows: number,
): Promise<VerifiedRows> {
  // Before anything is asked.
  const select = readSelect(statement);
  const { trust, rpc, call } = asking;
  await trust.ready(call);
  // Up to what the server has now: own writes of every kind, and those of others.
  const assured = trust.assureNow(call.operation);
  await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  const latest = await followed({ session: rpc, trust, call }, 0n);
  const view = latest.view();
  if (!view)
    throw new NotProvableError(
      `${call.operation}: keys are not kept in order: follow({ ordered: true }) keeps them`,
    );
  try {
    const { schema, tx } = await tableAt(asking, latest, view.at, select.table);
    const query = new Query(select, schema, maxRows);
    for await (const page of followedRows(asking, view, rangeOf(schema, select.where))) {
      await call.deadline.race(query.take(page), 'its rows to be computed');
      if (query.isEnough) break;
    }
    if (trust.latestNow !== latest) throw trust.forgotten();
    if (call.counted !== true) trust.countCalls(call.operation, call.startedAt, 1);
    const { table } = select;
    const of = {
      table,
      tableId: schema.id,
      provenLatestAt: view.at,
      catalog: 'followed',
      catalogTx: tx,
    } as const;
    return Object.freeze(resultOf({ ...query.result(), ...of }));
  } finally {
    view.close();
  }
}

async function tableAt(asking: SqlAsking, latest: Latest, at: Root, name: string) {
  const table = await readable(name, async () =>
    (await FollowedCatalog.of(latest).at(asking, at.tx)).named(name),
  );
  if (table) return table;
  const why = 'no transaction that was followed has made one';
  throw new ImmuError('NOT_FOUND', `there is no table ${name}: ${why}`);
}

/** Takes rows in the order of their keys. */
class Query {
  readonly #select: Select;
  readonly #schema: ReadingSchema;
  readonly #maxRows: number;
  readonly #columns: readonly (ReadingSchema['columns'][number] & { readonly as: string })[];
  readonly #meets: (cells: Row['cells']) => boolean;
  readonly #order: readonly (ReturnType<typeof orderOf> & { readonly sign: 1 | -1 })[];
  #matches: Match[] = [];
  readonly #anomalies: RowAnomaly[] = [];

  /** Throws NotProvableError for what is not computed. */
  constructor(select: Select, schema: ReadingSchema, maxRows: number) {
    const { columns, where, orderBy } = select;
    this.#select = select;
    this.#schema = schema;
    this.#maxRows = maxRows;
    this.#columns = columns
      ? columns.map(({ name, as }) => ({
          ...columnNamed(schema, name),
          as,
        }))
      : schema.columns.map((column) => ({ ...column, as: column.name }));
    this.#meets = where ? compiled(schema, where) : () => true;
    this.#order = orderBy.map(({ column, desc }) => ({ ...orderOf(schema, column), sign: desc ? -1 : 1 }));
  }

  /** Nothing that is still to come is in the result. */
  get isEnough(): boolean {
    return this.#order.length === 0 && this.#matches.length >= this.#wanted;
  }

  /** How many of the first ones are wanted. */
  get #wanted(): number {
    const { limit = Infinity, offset } = this.#select;
    return offset + limit;
  }

  async take(page: readonly FollowedRow[]): Promise<void> {
    const { table } = this.#select;
    for (const [i, found] of page.entries()) {
      if (i % ROWS_A_TURN === ROWS_A_TURN - 1) await new Promise((resume) => setImmediate(resume));
      const row = cellsOf(this.#schema, found, table);
      if (!isUnderItsKey(this.#schema, found, row))
        this.#anomalies.push({ rawKey: new Uint8Array(found.key), tx: found.tx, anomaly: 'key' });
      if (!this.#meets(row.cells)) continue;
      this.#matches.push({ found, row });
      if (this.isEnough) return;
      this.#assertFew();
    }
  }

  result(): Pick<VerifiedRows, 'rows' | 'txs' | 'anomalies'> {
    this.#sort();
    const matches = this.#matches.slice(this.#select.offset, this.#wanted);
    const rows = matches.map(({ row: { cells } }) =>
      namedResult(
        this.#columns.map(({ id, type, as }) => {
          const cell = cells.get(id);
          return [as, cell ? sqlValue(type, cell.value) : null];
        }),
      ),
    );
    return { rows, txs: matches.map(({ found }) => found.tx), anomalies: this.#anomalies };
  }

  /** What is held is bounded. */
  #assertFew(): void {
    const wanted = this.#wanted;
    if (wanted <= this.#maxRows) {
      // The last of them in the order are not wanted.
      if (this.#matches.length < wanted + SPARE) return;
      this.#sort();
      this.#matches.length = wanted;
    } else if (this.#matches.length - this.#select.offset > this.#maxRows) {
      const message = `the result has more than ${this.#maxRows} rows: ask for fewer of them (LIMIT), or raise maxRows`;
      throw new ImmuError('LIMIT_EXCEEDED', message);
    }
  }

  /** Those that are equal stay in the order of their keys. */
  #sort(): void {
    if (this.#order.length === 0) return;
    this.#matches.sort((a, b) => {
      for (const { read, compare, sign } of this.#order) {
        const order = compare(read(a.row.cells), read(b.row.cells));
        if (order !== 0) return order * sign;
      }
      return 0;
    });
  }
}
