// A query, read from its text: what it selects, of which tables, which rows, in which groups and order, and how many.
import { ArgumentError } from '../../../../errors.js';
import type { WireStatement } from '../statement.js';
import { ConditionReader } from './condition-reader.js';
import type { ColumnName, Condition } from './condition-reader.js';
import { notComputed, queryTokens } from './lexer.js';

export interface Source {
  /** Lower case, like all names. */
  readonly table: string;
  /** What its columns may be qualified by: the server knows a table with an alias by that only. */
  readonly as: string;
  /** Of every table but the first. */
  readonly on: Condition | undefined;
}

const AGGREGATES = ['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'] as const;

export interface Aggregate {
  readonly by: (typeof AGGREGATES)[number];
  /** Undefined: of rows, COUNT(*). */
  readonly column: ColumnName | undefined;
}

export interface Selected {
  readonly what: ColumnName | Aggregate;
  readonly as: string | undefined;
}

export interface OrderTerm {
  readonly by: ColumnName | Aggregate;
  readonly desc: boolean;
}

export interface Select {
  readonly sources: readonly Source[];
  /** Undefined: all columns of all tables. */
  readonly selected: readonly Selected[] | undefined;
  readonly where: Condition | undefined;
  readonly groupBy: readonly ColumnName[];
  readonly orderBy: readonly OrderTerm[];
  readonly limit: number | undefined;
  readonly offset: number;
}

export function isAggregate(what: ColumnName | Aggregate): what is Aggregate {
  return 'by' in what;
}

/** Rows of it are groups of rows. */
export function isGrouped({ selected, groupBy }: Select): boolean {
  return groupBy.length > 0 || selected?.some(({ what }) => isAggregate(what)) === true;
}

/** Tables of one query. */
const MAX_SOURCES = 16;

/** @throws NotProvableError for one that is not computed over proven rows; ArgumentError for a LIMIT or OFFSET that is none */
export function readSelect(statement: WireStatement): Select {
  return new SelectReader(queryTokens(statement)).read();
}

class SelectReader extends ConditionReader {
  read(): Select {
    this.word('SELECT');
    const selected = this.#selected();
    this.word('FROM');
    const sources = this.#sources();
    const where = this.takes('WHERE') ? this.condition() : undefined;
    const groupBy = this.takes('GROUP') ? this.#grouped() : [];
    const orderBy = this.takes('ORDER') ? this.#ordered() : [];
    const limit = this.takes('LIMIT') ? this.#count('LIMIT', 1) : undefined;
    const offset = this.takes('OFFSET') ? this.#count('OFFSET', 0) : 0;
    this.end();
    return { sources, selected, where, groupBy, orderBy, limit, offset };
  }

  #selected(): Select['selected'] {
    if (this.sign('*')) return undefined;
    return this.#list(() => ({ what: this.#columnOrAggregate(), as: this.alias() }));
  }

  #sources(): Source[] {
    const sources = [this.#source(false)];
    while (this.takes('INNER') || this.#isNext('JOIN')) {
      this.word('JOIN');
      if (sources.length >= MAX_SOURCES) throw notComputed('a join of so many tables');
      const source = this.#source(true);
      if (sources.some(({ as }) => as === source.as))
        throw notComputed(`two tables of the name ${source.as}`);
      sources.push(source);
    }
    return sources;
  }

  #source(isJoined: boolean): Source {
    const table = this.name();
    const as = this.alias() ?? table;
    if (!isJoined) return { table, as, on: undefined };
    this.word('ON');
    return { table, as, on: this.condition() };
  }

  #grouped(): ColumnName[] {
    this.word('BY');
    return this.#list(() => this.column());
  }

  #ordered(): OrderTerm[] {
    this.word('BY');
    return this.#list(() => {
      const by = this.#columnOrAggregate();
      const desc = this.takes('DESC');
      if (!desc) this.takes('ASC');
      return { by, desc };
    });
  }

  #columnOrAggregate(): ColumnName | Aggregate {
    const [word, open] = [this.peek(), this.peek(1)];
    const isCall = open?.kind === 'sign' && open.sign === '(';
    const by = word?.kind === 'word' && isCall ? AGGREGATES.find((each) => each === word.upper) : undefined;
    if (!by) return this.column();
    this.next();
    this.next();
    const column = by === 'COUNT' && this.sign('*') ? undefined : this.column();
    this.closing();
    return { by, column };
  }

  #list<T>(read: () => T): T[] {
    const found = [read()];
    while (this.sign(',')) found.push(read());
    return found;
  }

  #isNext(upper: string): boolean {
    const token = this.peek();
    return token?.kind === 'word' && token.upper === upper;
  }

  #count(name: string, least: number): number {
    const token = this.next();
    if (token?.kind !== 'value') throw notComputed(`${name} that is no number`);
    const count = Number(token.value);
    // LIMIT 0 of a server is no limit.
    if (typeof token.value !== 'bigint' || count < least || count > Number.MAX_SAFE_INTEGER)
      throw new ArgumentError('sql', `${name} must be a whole number from ${least} on, not ${token.shown}`);
    return count;
  }
}
