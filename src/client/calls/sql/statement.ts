// A text of SQL before it is sent: what it may not hold, and which parameters it names.
import { ArgumentError } from '../../../errors.js';
import type { NamedParam } from '../../../wire/messages.js';
import { text } from '../../input/option-checks.js';
import { toWireParams } from './params.js';
import { tokensOf } from './tokens.js';
import type { SqlParam } from './values.js';

/** Longest text that is looked at, in characters: what a server takes in a message by default. */
const MAX_SQL = 32 * 1024 * 1024;

/** What a text is sent as. */
export interface WireStatement {
  readonly sql: string;
  readonly params: readonly NamedParam[];
}

/** What is done with it: executed or queried, each on its own or in a transaction. */
export type Use = 'exec' | 'query' | 'tx.exec' | 'tx.query';

const ENDS = 'a transaction is begun and ended by `transaction`';
const SAVEPOINTS = 'savepoints are not offered: going back to one does not undo the rows written since';

/** By the first word of a statement; in every use. */
const REFUSED: Readonly<Record<string, string>> = {
  BEGIN: ENDS,
  COMMIT: ENDS,
  END: ENDS,
  ROLLBACK: ENDS,
  SAVEPOINT: SAVEPOINTS,
  RELEASE: SAVEPOINTS,
  USE: 'a statement cannot leave its database: `client.database(name)` gives another one',
};
/** What the server would take in `exec`, and not do. */
const NOT_RUN: Readonly<Record<string, string>> = {
  SELECT: 'rows are asked for with `query` or `stream`',
  SHOW: 'rows are asked for with `query` or `stream`',
};
const RETURNING = {
  exec: 'RETURNING is answered in a transaction only, by `tx.query`: here the server would not even run it',
  query: 'RETURNING is answered in a transaction only, by `tx.query`',
  'tx.exec': 'RETURNING is answered by `tx.query`',
};

const RENAMED =
  'RETURNING cannot hold AS: the server answers NULL for a column under another name; rows have the names of their columns';

/** A text with the values of its parameters, as a template makes it. */
export class SqlStatement {
  readonly sql: string;
  readonly params: readonly SqlParam[];

  /** @internal Users make one with `sql.statement`. */
  constructor(sql: string, params: readonly SqlParam[]) {
    this.sql = sql;
    this.params = params;
  }
}

/** A template's text with `$1`, `$2`, … where its values stand. */
export function statementOf(strings: readonly string[], values: readonly SqlParam[]): SqlStatement {
  const parts = strings.map((part, i) => (i === 0 ? part : `$${i}${part}`));
  return new SqlStatement(parts.join(''), values);
}

/**
 * A text and its parameters as they are sent.
 *
 * @throws ArgumentError for what is refused, with the reason, and for a parameter that is missing, with its name
 */
export function toStatement(sql: unknown, params: unknown, use: Use): WireStatement {
  const given = text('sql', sql);
  if (given.length > MAX_SQL) {
    const what = `sql has ${given.length} characters; at most ${MAX_SQL} are allowed`;
    throw new ArgumentError('sql', what, 'LIMIT_EXCEEDED');
  }
  const names = new Set<string>();
  let [numbered, next] = [0, 0];
  let [isFirst, statements, isReturning] = [true, 0, false];
  for (const token of tokensOf(given)) {
    if (token.kind === 'end') {
      isFirst = true;
      continue;
    }
    if (isFirst) {
      statements += 1;
      if (statements > 1 && use.endsWith('query'))
        throw new ArgumentError('sql', 'sql holds more than one statement: rows are those of one');
    }
    if (token.kind === 'named') names.add(token.name);
    else if (token.kind === 'numbered') numbered = Math.max(numbered, token.number);
    else if (token.kind === 'next') next += 1;
    else if (token.kind === 'word') {
      refuse(token.word, isFirst, use);
      if (isReturning && token.word === 'AS') throw new ArgumentError('sql', RENAMED);
      isReturning ||= token.word === 'RETURNING';
    }
    isFirst = false;
  }
  if (statements === 0) throw new ArgumentError('sql', 'sql holds no statement');
  if (numbered > 0 && next > 0) throw new ArgumentError('sql', 'parameters are ? or $1, not both');
  return { sql: given, params: toWireParams({ names, positions: Math.max(numbered, next) }, params) };
}

function refuse(word: string, isFirst: boolean, use: Use): void {
  let why: string | undefined;
  if (word === 'RETURNING' && use !== 'tx.query') why = RETURNING[use];
  else if (isFirst && Object.hasOwn(REFUSED, word)) why = REFUSED[word];
  else if (isFirst && use.endsWith('exec') && Object.hasOwn(NOT_RUN, word)) why = NOT_RUN[word];
  if (why !== undefined) throw new ArgumentError('sql', `sql cannot hold ${word}: ${why}`);
}

/** Bytes that a statement holds, about. */
export function bytesOf({ sql, params }: WireStatement): number {
  const held = params.map(({ value }) => value?.s?.length ?? value?.bs?.length ?? 8);
  return held.reduce((sum, each) => sum + each, sql.length);
}
