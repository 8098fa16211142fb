// sql.verifiedQuery, top to bottom: the query is read here → everything that the server has now is followed → which rows there are is
// known, their values are asked for and held against what was followed → joins, condition, groups, order and limit are computed over them.
import { ImmuError, NotProvableError } from '../../../../errors.js';
import type { Root } from '../../../../verify/verifier.js';
import { resultOf } from '../../../results/result.js';
import type { Latest } from '../../../trust/latest/latest.js';
import type { RangeView } from '../../../trust/latest/ranges.js';
import { followed } from '../../latest/as-of.js';
import type { SqlAsking } from '../catalog.js';
import { FollowedCatalog } from '../followed/catalog.js';
import { cellsOf, followedRows, isUnderItsKey } from '../followed/rows.js';
import type { FollowedRow } from '../followed/rows.js';
import { readable } from '../known-table.js';
import type { WireStatement } from '../statement.js';
import type { SqlRow } from '../values.js';
import { compiled } from './condition.js';
import type { Condition } from './condition-reader.js';
import { Join } from './join.js';
import type { Match, Single } from './join.js';
import { rangeOf } from './key-range.js';
import { outputOf } from './output.js';
import type { Output } from './output.js';
import { Scope } from './scope.js';
import type { JoinedRow, ScopeTable } from './scope.js';
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

/** A table that a query has read. */
export interface QueriedTable {
  readonly table: string;
  readonly tableId: number;
  /** The transaction that changed the table last. */
  readonly catalogTx: bigint;
}

/** Rows of a query that are proven, and proven to be all; or what is computed over all of them. */
export interface VerifiedRows<R extends object = SqlRow> extends QueriedTable {
  readonly rows: readonly R[];
  /**
   * The transactions that wrote them, in their order: of several rows that are joined, or in one group, the newest; 0 for a group of no
   * rows.
   */
  readonly txs: readonly bigint[];
  /** Those that were read, in their order. The first of them is {@link table} too. */
  readonly tables: readonly QueriedTable[];
  /** Every transaction up to this root was followed: the rows are the latest as of it, and none is left out. */
  readonly provenLatestAt: Root;
  /** The tables are as of the same root. */
  readonly catalog: 'followed';
  /** Rows that the server's index may have otherwise. Nearly always empty. */
  readonly anomalies: readonly RowAnomaly[];
}

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
    const tables: (ScopeTable & { readonly tx: bigint })[] = [];
    for (const { table, as } of select.sources)
      tables.push({ table, as, ...(await tableAt(asking, latest, view.at, table)) });
    const query = new Query(select, new Scope(tables), maxRows);
    await query.run(asking, view);
    if (trust.latestNow !== latest) throw trust.forgotten();
    if (call.counted !== true) trust.countCalls(call.operation, call.startedAt, 1);
    const told = tables.map(({ table, schema, tx }) => ({ table, tableId: schema.id, catalogTx: tx }));
    const of = {
      ...(told[0] as QueriedTable),
      tables: told,
      provenLatestAt: view.at,
      catalog: 'followed' as const,
    };
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

/** Takes rows in the order of their keys: first those of the tables that are joined, which are held. */
class Query {
  readonly #where: Condition | undefined;
  readonly #scope: Scope;
  readonly #joins: readonly Join[];
  readonly #meets: (row: JoinedRow) => boolean;
  readonly #output: Output;
  readonly #anomalies: RowAnomaly[] = [];
  #taken = 0;

  /** Throws NotProvableError for what is not computed. */
  constructor(select: Select, scope: Scope, maxRows: number) {
    const { sources, where } = select;
    this.#where = where;
    this.#scope = scope;
    this.#joins = sources.flatMap(({ on }, at) => (on ? [new Join(scope, at, on, maxRows)] : []));
    this.#meets = where ? compiled(scope, where) : () => true;
    this.#output = outputOf(select, scope, maxRows);
  }

  async run(asking: SqlAsking, view: RangeView): Promise<void> {
    for (const [i, join] of this.#joins.entries())
      await this.#each(asking, view, i + 1, (row) => {
        join.add(row);
        return [];
      });
    await this.#each(asking, view, 0, ({ cells, tx }) => this.#joined({ row: [cells], tx }, 0));
  }

  /** What comes of each row that a table can have in the result, until there is enough. `take` gives undefined for what is no match. */
  async #each(
    asking: SqlAsking,
    view: RangeView,
    at: number,
    take: (row: Single) => Iterable<Match | undefined>,
  ): Promise<void> {
    const { schema, table } = this.#scope.tables[at] as ScopeTable;
    let isOver = false;
    const takePage = async (page: readonly FollowedRow[]) => {
      for (const found of page) {
        const row = cellsOf(schema, found, table);
        if (!isUnderItsKey(schema, found, row))
          this.#anomalies.push({ rawKey: new Uint8Array(found.key), tx: found.tx, anomaly: 'key' });
        for (const match of take({ cells: row.cells, tx: found.tx })) {
          if (match && this.#meets(match.row)) this.#output.add(match);
          if (this.#output.isEnough) return;
          if (this.#isTurn()) await othersTurn();
          // Nobody waits for it any more.
          if (isOver) return;
        }
        if (this.#isTurn()) await othersTurn();
        if (isOver) return;
      }
    };
    try {
      for await (const page of followedRows(asking, view, rangeOf(this.#scope, at, this.#where))) {
        await asking.call.deadline.race(takePage(page), 'its rows to be computed');
        if (this.#output.isEnough) return;
      }
    } finally {
      isOver = true;
    }
  }

  #isTurn(): boolean {
    return ++this.#taken % ROWS_A_TURN === 0;
  }

  *#joined(match: Match, at: number): Generator<Match | undefined, void, undefined> {
    const join = this.#joins[at];
    if (!join) yield match;
    else
      for (const more of join.with(match))
        if (join.meets(more)) yield* this.#joined(more, at + 1);
        else yield undefined;
  }

  result(): Pick<VerifiedRows, 'rows' | 'txs' | 'anomalies'> {
    return { ...this.#output.result(), anomalies: this.#anomalies };
  }
}

function othersTurn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
