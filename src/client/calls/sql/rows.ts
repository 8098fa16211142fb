// Rows as a server streams them: read from the bytes as they are taken, and held to the columns that came before them.
import { TransportError } from '../../../errors.js';
import { ProofFailure } from '../../../proof/failure.js';
import { isSqlType } from '../../../proof/sql/types.js';
import type { SqlType } from '../../../proof/sql/types.js';
import { WireReader } from '../../../verify/wire/reader.js';
import { namedResult } from '../../results/result.js';
import { SqlTimestamp, notSql, toTimestamp } from './values.js';
import type { SqlRow, SqlValue } from './values.js';

/** A column of a result. */
export interface ResultColumn {
  /** As rows have it: the name alone, with its table where another column has the same. */
  readonly name: string;
  /** Undefined: a type that this release does not know. */
  readonly type: SqlType | undefined;
}

/** More columns than that are no result. */
const MAX_COLUMNS = 65_536;
/** `(table.column)`. */
const SELECTOR = /^\(([^.()]*)\.(.*)\)$/s;
/** As the server takes it: a day, with a time to the microsecond, in UTC. */
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)Z?)?$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The messages of one result, in their order. */
export class ResultReader {
  #columns: readonly ResultColumn[] | undefined;

  /** The columns, which the first message has. Throws TransportError for what can be none. */
  begin(first: Uint8Array): readonly ResultColumn[] {
    // They stand behind the rows in a message that has both.
    return (this.#columns ??= readable(() => columnsIn(first)));
  }

  /** The rows of the next message. Throws TransportError for what can be none. */
  *rows(message: Uint8Array): Generator<SqlRow, void, undefined> {
    const columns = this.begin(message);
    const reader = new WireReader(message);
    for (;;) {
      const field = readable(() => reader.next());
      if (field === 0) return;
      const row = readable(() => {
        if (field === 1) return rowIn(reader.message('SQLQueryResult.rows'), columns);
        reader.skip();
        return undefined;
      });
      if (row) yield row;
    }
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    // TypeError: text that is no UTF-8.
    if (!(cause instanceof ProofFailure) && !(cause instanceof TypeError)) throw cause;
    const what = `the server answered with something that is no rows (${cause.message})`;
    throw new TransportError('UNAVAILABLE', what, { cause });
  }
}

function columnsIn(message: Uint8Array): readonly ResultColumn[] {
  const reader = new WireReader(message);
  const shown: { readonly selector: string; readonly type: string }[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 2) reader.skip();
    else if (shown.length >= MAX_COLUMNS) throw notSql('too many columns');
    else shown.push(columnIn(reader.message('SQLQueryResult.columns')));
  }
  const names = namesOf(shown.map(({ selector }) => selector));
  return shown.map(({ type }, i) => ({
    name: names[i] as string,
    type: isSqlType(type) ? type : undefined,
  }));
}

function columnIn(reader: WireReader): { selector: string; type: string } {
  let [selector, type] = ['', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) selector = decoder.decode(reader.bytes('Column.name'));
    else if (field === 2) type = decoder.decode(reader.bytes('Column.type'));
    else reader.skip();
  }
  return { selector, type };
}

/** The shortest names that tell the columns apart: `id`, else `table.id`, else with a number behind. */
function namesOf(selectors: readonly string[]): string[] {
  const parts = selectors.map((selector) => SELECTOR.exec(selector));
  const short = selectors.map((selector, i) => parts[i]?.[2] ?? selector);
  const once = counts(short);
  const names = short.map((name, i) => {
    const table = parts[i]?.[1] ?? '';
    return once.get(name) === 1 || table === '' ? name : `${table}.${name}`;
  });
  const used = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 2; used.has(own); n++) own = `${name}:${n}`;
    used.add(own);
    return own;
  });
}

function counts(names: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1);
  return found;
}

function rowIn(reader: WireReader, columns: readonly ResultColumn[]): SqlRow {
  const row: [string, SqlValue][] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    // Each row repeats the names of its columns: they are passed over.
    if (field !== 2) {
      reader.skip();
      continue;
    }
    const column = columns[row.length];
    if (!column) throw notSql('a row of more values than columns');
    row.push([column.name, valueIn(reader.message('Row.values'), column.type)]);
  }
  if (row.length !== columns.length) throw notSql('a row of fewer values than columns');
  return namedResult(row);
}

/** The field of a value's type. JSON may be any of them: what it holds. */
const FIELDS: Readonly<Record<Exclude<SqlType, 'JSON'>, number>> = {
  INTEGER: 2,
  VARCHAR: 3,
  UUID: 3,
  BOOLEAN: 4,
  BLOB: 5,
  TIMESTAMP: 6,
  FLOAT: 7,
};
const NULL = 1;

function valueIn(reader: WireReader, type: SqlType | undefined): SqlValue {
  let value: SqlValue | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field > 7) {
      reader.skip();
      continue;
    }
    if (value !== undefined) throw notSql('two values in one');
    const isOther = type !== undefined && type !== 'JSON' && field !== NULL && field !== FIELDS[type];
    value = readField(reader, field);
    if (isOther) value = asStored(type, value);
  }
  // Of no kind: what the server makes of an aggregate over NULLs alone.
  if (value === undefined) return null;
  return type === 'UUID' && typeof value === 'string' ? value.toLowerCase() : value;
}

/** RETURNING is answered with values as they were given, of the kinds that are no further from the type: they are stored as this. */
function asStored(type: SqlType, given: SqlValue): SqlValue {
  if (type === 'FLOAT' && typeof given === 'bigint') return Number(given);
  const [, date, time = '00:00:00'] = (typeof given === 'string' && TIME.exec(given)) || [];
  const at = `${date ?? ''}T${time}Z`;
  if (type !== 'TIMESTAMP' || Number.isNaN(Date.parse(at))) throw notSql(`a ${type} that is none`);
  return toTimestamp(at, 'value');
}

function readField(reader: WireReader, field: number): SqlValue {
  switch (field) {
    case NULL:
      reader.skip();
      return null;
    case 2:
      return reader.int64('SQLValue.n');
    case 3:
      return decoder.decode(reader.bytes('SQLValue.s'));
    case 4:
      return reader.bool('SQLValue.b');
    case 5:
      return reader.bytes('SQLValue.bs').slice();
    case 6:
      return new SqlTimestamp(reader.int64('SQLValue.ts'));
    default:
      return reader.double('SQLValue.f');
  }
}
