// The forms in which calls of SQL are made: a template; a statement with options; a text with parameters and options.
import { ArgumentError } from '../../../errors.js';
import { NO_OPTIONS } from '../../input/call-options.js';
import type { CallOptions } from '../../input/call-options.js';
import { optionsObject, whole } from '../../input/option-checks.js';
import { SqlStatement, statementOf, toStatement } from './statement.js';
import type { Use, WireStatement } from './statement.js';
import type { SqlParam } from './values.js';

export interface SqlQueryOptions extends CallOptions {
  /** More rows than that are an error: they are held in memory together. @default 100 000 */
  readonly maxRows?: number;
}

const MAX_ROWS = 100_000;
const MOST_ROWS = 100_000_000;

export interface SqlCall {
  readonly statement: WireStatement;
  readonly options: SqlQueryOptions;
  readonly maxRows: number;
}

/** Throws ArgumentError. */
export function sqlCall(given: readonly unknown[], use: Use): SqlCall {
  const { sql, params, options } = formOf(given);
  const statement = toStatement(sql, params, use);
  optionsObject('options', options);
  const { maxRows = MAX_ROWS } = options as SqlQueryOptions;
  whole('maxRows', maxRows, 1, MOST_ROWS);
  return { statement, options: options, maxRows };
}

function formOf(given: readonly unknown[]): { sql: unknown; params: unknown; options: unknown } {
  const [first, second, third] = given;
  if (isTemplate(first)) {
    const { sql, params } = statementOf(first, given.slice(1) as SqlParam[]);
    return { sql, params: params.length > 0 ? params : undefined, options: NO_OPTIONS };
  }
  if (first instanceof SqlStatement) {
    if (given.length > 2)
      throw new ArgumentError('options', 'a statement has its parameters: options follow it');
    return { sql: first.sql, params: first.params, options: second ?? NO_OPTIONS };
  }
  return { sql: first, params: second, options: third ?? NO_OPTIONS };
}

function isTemplate(value: unknown): value is TemplateStringsArray {
  return Array.isArray(value) && 'raw' in value && Array.isArray(value.raw);
}
