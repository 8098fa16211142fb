// Tables and their columns, by the server's word.
import { isSqlType } from '../../../proof/sql/types.js';
import type { SqlType } from '../../../proof/sql/types.js';
import type { SQLQueryResult, SQLValue } from '../../../wire/messages.js';
import type { CallOptions } from '../../input/call-options.js';
import { text } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';
import { notSql } from './values.js';

/** A column as the server describes it. */
export interface TableColumn {
  readonly name: string;
  readonly type: SqlType;
  /** Most bytes of a VARCHAR or BLOB that has a limit. */
  readonly maxLength?: number;
  readonly nullable: boolean;
  readonly autoIncrement: boolean;
  readonly primaryKey: boolean;
  /** Is in an index, the primary key's among them. */
  readonly indexed: boolean;
  readonly unique: boolean;
}

/** Tables and columns that an answer can have. */
const MAX_NAMED = 1_000_000;

/** A name as the server has it: it lower-cases all of them, quoted or not. Throws ArgumentError. */
export function tableName(value: unknown): string {
  return text('table', value).toLowerCase();
}

export async function listTables(rpc: Rpc, options: CallOptions): Promise<string[]> {
  return rowsOf(await rpc.unary('ListTables', {}, options)).map(([name]) => textIn(name));
}

/** `VARCHAR`, or `VARCHAR[32]`. */
const TYPE = /^([A-Z]+)(?:[[(](\d{1,10})[\])])?$/;

export async function describeTable(rpc: Rpc, table: string, options: CallOptions): Promise<TableColumn[]> {
  const answer = await rpc.unary('DescribeTable', { tableName: table }, options);
  return rowsOf(answer).map(([name, type, nullable, index, autoIncrement, unique]) => {
    const [, typeName = '', length] = TYPE.exec(textIn(type)) ?? [];
    if (!isSqlType(typeName)) throw notSql('a column of no type');
    const indexed = textIn(index);
    const hasLength = length !== undefined && (typeName === 'VARCHAR' || typeName === 'BLOB');
    return resultOf({
      name: textIn(name),
      type: typeName,
      ...(hasLength && { maxLength: Number(length) }),
      nullable: flagIn(nullable),
      autoIncrement: flagIn(autoIncrement),
      primaryKey: indexed === 'PRIMARY KEY',
      indexed: indexed !== 'NO',
      unique: flagIn(unique),
    });
  });
}

function rowsOf({ rows = [] }: SQLQueryResult): (readonly SQLValue[])[] {
  if (rows.length > MAX_NAMED) throw notSql('too many rows');
  return rows.map(({ values = [] }) => values);
}

function textIn(value: SQLValue | undefined): string {
  if (value?.s === undefined) throw notSql('no text where there must be one');
  return value.s;
}

function flagIn(value: SQLValue | undefined): boolean {
  if (value?.b === undefined) throw notSql('neither true nor false where there must be one');
  return value.b;
}
