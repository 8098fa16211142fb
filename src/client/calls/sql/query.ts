// Rows by the server's word: asked for as a stream, always: one message would hold the last of many rows only.
import { ImmuError } from '../../../errors.js';
import type { DownMethod } from '../../../wire/methods.js';
import type { RpcOptions, StreamRpc } from '../../net/rpc.js';
import { ValueStream } from '../streams/value-stream.js';
import { ResultReader } from './rows.js';
import type { ResultColumn } from './rows.js';
import type { WireStatement } from './statement.js';
import type { SqlRow } from './values.js';

/** On its own, or in a transaction. */
export type QueryMethod = Extract<DownMethod, 'SQLQuery' | 'TxSQLQuery'>;

/** Rows, one by one, with their columns. */
export interface RowSource {
  readonly columns: readonly ResultColumn[];
  readonly rows: ValueStream<SqlRow>;
}

const NOTHING = new Uint8Array(0);

/**
 * Answers once the columns are known; the call goes on until the rows have been taken, or their reader has left. Whether all were taken.
 */
export async function streamRows(
  rpc: StreamRpc,
  method: QueryMethod,
  { sql, params }: WireStatement,
  options: RpcOptions,
  answer: (source: RowSource) => void,
): Promise<boolean> {
  return rpc.downRaw(method, { sql, params, acceptStream: true }, options, async (messages) => {
    const reader = new ResultReader();
    const first = (await messages.next()) ?? NOTHING;
    let isWhole = false;
    async function* each(): AsyncGenerator<SqlRow, void, undefined> {
      for (let message: Uint8Array | undefined = first; message; message = await messages.next())
        yield* reader.rows(message);
      isWhole = true;
    }
    const rows = new ValueStream(each());
    answer({ columns: reader.begin(first), rows });
    await rows.ended;
    return isWhole;
  });
}

/** All rows, as long as they are no more than `maxRows`. */
export async function queryRows(
  rpc: StreamRpc,
  method: QueryMethod,
  { sql, params }: WireStatement,
  maxRows: number,
  options: RpcOptions,
): Promise<SqlRow[]> {
  return rpc.downRaw(method, { sql, params, acceptStream: true }, options, async (messages) => {
    const reader = new ResultReader();
    const rows: SqlRow[] = [];
    for (let message = await messages.next(); message; message = await messages.next()) {
      for (const row of reader.rows(message)) {
        if (rows.length >= maxRows) throw tooMany(maxRows);
        rows.push(row);
      }
    }
    return rows;
  });
}

function tooMany(maxRows: number): ImmuError {
  const message = `the result has more than ${maxRows} rows: take them by \`stream\`, or raise maxRows`;
  return new ImmuError('LIMIT_EXCEEDED', message);
}
