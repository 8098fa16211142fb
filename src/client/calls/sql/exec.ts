// Statements that write, by the server's word.
import { TransportError } from '../../../errors.js';
import type { CommittedSQLTx, SQLValue } from '../../../wire/messages.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { namedResult, resultOf } from '../../results/result.js';
import type { WireStatement } from './statement.js';
import { fromWireValue } from './values.js';
import type { SqlRow } from './values.js';

/** A transaction that statements became. */
export interface SqlTx {
  readonly tx: bigint;
  /** Header time in unix seconds; 0 when the database leaves it out. */
  readonly timestamp: bigint;
}

/** What statements have done. */
export interface SqlWrite {
  /** Empty where nothing was written: a DELETE of no row, a CREATE of what is there. One script is one transaction. */
  readonly txs: readonly SqlTx[];
  readonly updatedRows: number;
  /** First value that AUTO_INCREMENT gave, by table; of a transaction, the server does not say it. */
  readonly firstInserted: SqlRow;
  /** Last value that AUTO_INCREMENT gave, by table. */
  readonly lastInserted: SqlRow;
}

/** Committed transactions that a script can be answered with. */
const MAX_TXS = 1024;

export async function execSql(
  rpc: Rpc,
  { sql, params }: WireStatement,
  options: CallOptions,
): Promise<SqlWrite> {
  const { txs = [], ongoingTx } = await rpc.unary('SQLExec', { sql, params }, options);
  if (ongoingTx === true) throw unclear('a transaction that goes on');
  if (txs.length > MAX_TXS) throw unclear('too many transactions');
  return writeOf(txs);
}

/** The sum of what was committed. Throws TransportError OUTCOME_UNKNOWN where the answer can be none. */
export function writeOf(committed: readonly CommittedSQLTx[]): SqlWrite {
  const txs: SqlTx[] = [];
  let updatedRows = 0;
  const first: [string, SQLValue][] = [];
  const last: [string, SQLValue][] = [];
  for (const { header, updatedRows: rows, firstInsertedPKs, lastInsertedPKs } of committed) {
    updatedRows += rows ?? 0;
    for (const each of entriesOf(firstInsertedPKs)) first.push(each);
    for (const each of entriesOf(lastInsertedPKs)) last.push(each);
    if (!header) continue;
    const tx = BigInt(header.id ?? 0);
    const before = txs.at(-1)?.tx ?? 0n;
    if (tx <= before) throw unclear('a transaction that can be none');
    txs.push({ tx, timestamp: BigInt(header.ts ?? 0) });
  }
  return resultOf({
    txs,
    updatedRows,
    firstInserted: rowOf(first),
    lastInserted: rowOf(last),
  });
}

function entriesOf(values: Readonly<Record<string, SQLValue>> | undefined): [string, SQLValue][] {
  return Object.entries(values ?? {});
}

function rowOf(values: readonly [string, SQLValue][]): SqlRow {
  return namedResult(values.map(([table, value]) => [table, fromWireValue(value)] as const));
}

/** The server has answered, so it has most likely written. */
export function unclear(what: string): TransportError {
  return new TransportError(
    'OUTCOME_UNKNOWN',
    `the server answered the statement with ${what}; what it was to write may have been written: read it back`,
  );
}
