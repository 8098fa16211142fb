// A statement of Kysely, by the server's word: what sort it is decides which call of ours it is, and how its rows are counted.
import type { CompiledQuery, InsertQueryNode, OperationNode, QueryResult, ReturningNode } from 'kysely';
import { ArgumentError } from '../errors.js';
import type {
  CallOptions,
  DatabaseHandle,
  SqlParam,
  SqlQueryOptions,
  SqlRow,
  SqlTransaction,
} from '../index.js';
import { columnsOf, namedBy } from './columns.js';

/** Rows are asked for; rows are written; rows are written, and answered. */
export type Sort = 'read' | 'write' | 'returning';

/** What has rows of a statement. */
interface Reads {
  stream(sql: string, params?: readonly SqlParam[], options?: CallOptions): AsyncIterable<SqlRow>;
}

const WRITES = ['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode'];
const IN_QUOTES = /'[^']*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\//g;
const READS = /^\W*(select|show)\b/i;

/** Of text that its caller has written, by its words. */
export function sortOf({ query, sql }: CompiledQuery): Sort {
  if (query.kind === 'SelectQueryNode') return 'read';
  if (WRITES.includes(query.kind)) return returningOf(query) ? 'returning' : 'write';
  if (query.kind !== 'RawNode') return 'write';
  const words = sql.replace(IN_QUOTES, ' ');
  if (READS.test(words)) return 'read';
  return /\breturning\b/i.test(words) ? 'returning' : 'write';
}

export function returningOf(query: OperationNode): ReturningNode | undefined {
  return (query as InsertQueryNode).returning;
}

/** Checked where they are sent. */
export function paramsOf({ parameters }: CompiledQuery): readonly SqlParam[] {
  return parameters as readonly SqlParam[];
}

/** On its own: committed when it is answered. */
export async function executeOn(
  database: DatabaseHandle,
  query: CompiledQuery,
  call: CallOptions,
): Promise<QueryResult<unknown>> {
  const params = paramsOf(query);
  switch (sortOf(query)) {
    case 'read':
      return { rows: await database.sql.query(query.sql, params, call) };
    case 'returning':
      // Answered in a transaction only.
      return returnedOf(query, await database.transaction((tx) => tx.query(query.sql, params), call));
    case 'write': {
      const { updatedRows, lastInserted } = await database.sql.exec(query.sql, params, call);
      return writtenOf(query, BigInt(updatedRows), lastInserted);
    }
  }
}

function returnedOf(query: CompiledQuery, rows: SqlRow[]): QueryResult<unknown> {
  return { rows: named(query, rows), numAffectedRows: BigInt(rows.length) };
}

export function writtenOf(query: CompiledQuery, rows: bigint, lastInserted: SqlRow): QueryResult<unknown> {
  const [insertId, other] = Object.values(lastInserted);
  const isKnown = query.query.kind === 'InsertQueryNode' && rows > 0n && other === undefined;
  return {
    rows: [],
    numAffectedRows: rows,
    ...(isKnown && typeof insertId === 'bigint' && { insertId }),
  };
}

/** In a transaction, which does not say how many rows it writes: a statement that writes some is asked for them. */
export async function executeIn(
  tx: SqlTransaction,
  query: CompiledQuery,
  call: CallOptions,
): Promise<QueryResult<unknown>> {
  const params = paramsOf(query);
  switch (sortOf(query)) {
    case 'read':
      return { rows: await tx.query(query.sql, params, call) };
    case 'returning':
      return returnedOf(query, await tx.query(query.sql, params, call));
    case 'write':
      if (!WRITES.includes(query.query.kind)) {
        await tx.exec(query.sql, params, call);
        return { rows: [] };
      }
      return { rows: [], numAffectedRows: await count(tx, query, call) };
  }
}

/** By a constant, which is answered with NULL: values are answered as they were given, which may be of no type of their column. */
async function count(tx: SqlTransaction, query: CompiledQuery, call: CallOptions): Promise<bigint> {
  const rows = tx.stream(`${query.sql} returning 1`, paramsOf(query), call);
  let counted = 0n;
  while ((await rows.next()).done !== true) counted += 1n;
  return counted;
}

/** Rows that RETURNING is answered with have the columns' own names. */
export function named(query: CompiledQuery, rows: SqlRow[]): SqlRow[] {
  const selected = columnsOf(returningOf(query.query)?.selections ?? []);
  if (!selected || selected.length === 0) return rows;
  return rows.map((row) => namedBy(selected, row));
}

/** Rows as they come, some at a time. */
export async function* streamFrom(
  source: Reads,
  query: CompiledQuery,
  chunkSize: number,
  call: SqlQueryOptions,
): AsyncGenerator<SqlRow[], void, undefined> {
  if (sortOf(query) !== 'read')
    throw new ArgumentError('stream', 'a stream is one of rows that are asked for');
  yield* chunksOf(source.stream(query.sql, paramsOf(query), call), chunkSize);
}

export async function* chunksOf<T>(
  rows: AsyncIterable<T>,
  chunkSize: number,
): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length < chunkSize) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
