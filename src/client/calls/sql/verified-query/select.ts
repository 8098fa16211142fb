// A query of one table, read from its text: what it selects, which rows, in which order, and how many.
import { ArgumentError } from '../../../../errors.js';
import type { WireStatement } from '../statement.js';
import type { SqlValue } from '../values.js';
import { notComputed, queryTokens } from './lexer.js';
import type { QueryToken } from './lexer.js';

export type Operand =
  { readonly kind: 'column'; readonly name: string } | { readonly kind: 'value'; readonly value: SqlValue };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'compare'; readonly by: Comparison; readonly left: Operand; readonly right: Operand };

export interface Select {
  /** Lower case, like all names. */
  readonly table: string;
  /** Undefined: all of them. */
  readonly columns: readonly { readonly name: string; readonly as: string }[] | undefined;
  readonly where: Condition | undefined;
  readonly orderBy: readonly { readonly column: string; readonly desc: boolean }[];
  readonly limit: number | undefined;
  readonly offset: number;
}

const COMPARISONS: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>='];
/** Parentheses within each other, and NOT before NOT. */
const MAX_DEPTH = 100;
/** Words that no name is, so that what is not understood is not taken for one. */
const RESERVED = new Set(
  (
    'SELECT DISTINCT FROM AS WHERE GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET AND OR NOT IN IS NULL BETWEEN LIKE EXISTS CASE WHEN THEN ' +
    'ELSE END CAST JOIN INNER LEFT ON UNION ALL USE INDEX SINCE UNTIL BEFORE AFTER HISTORY DIFF OF TX TRUE FALSE'
  ).split(' '),
);

/** @throws NotProvableError for one that is not computed over proven rows; ArgumentError for a LIMIT or OFFSET that is none */
export function readSelect(statement: WireStatement): Select {
  return new SelectReader(queryTokens(statement)).read();
}

class SelectReader {
  readonly #tokens: readonly QueryToken[];
  #at = 0;
  #depth = 0;
  /** What columns may be qualified by. */
  readonly #tables = new Set<string>();
  readonly #qualifiers = new Set<string>();

  constructor(tokens: readonly QueryToken[]) {
    this.#tokens = tokens;
  }

  read(): Select {
    this.#word('SELECT');
    const columns = this.#selected();
    this.#word('FROM');
    const table = this.#name();
    this.#tables.add(table);
    if (this.#takes('AS') || this.#isName()) {
      // The server knows the table by its alias only.
      this.#tables.clear();
      this.#tables.add(this.#name());
    }
    const where = this.#takes('WHERE') ? this.#or() : undefined;
    const orderBy = this.#takes('ORDER') ? this.#ordered() : [];
    const limit = this.#takes('LIMIT') ? this.#count('LIMIT', 1) : undefined;
    const offset = this.#takes('OFFSET') ? this.#count('OFFSET', 0) : 0;
    while (this.#sign(';'));
    const rest = this.#tokens[this.#at];
    if (rest) throw notComputed(shown(rest));
    for (const qualifier of this.#qualifiers)
      if (!this.#tables.has(qualifier))
        throw notComputed(`${qualifier}, which is not the table that is read,`);
    return { table, columns, where, orderBy, limit, offset };
  }

  #selected(): Select['columns'] {
    if (this.#sign('*')) return undefined;
    const columns: { name: string; as: string }[] = [];
    do {
      const name = this.#column();
      const as = this.#takes('AS') || this.#isName() ? this.#name() : name;
      if (columns.some((each) => each.as === as)) throw notComputed(`two columns of the name ${as}`);
      columns.push({ name, as });
    } while (this.#sign(','));
    return columns;
  }

  #ordered(): Select['orderBy'] {
    this.#word('BY');
    const columns: { column: string; desc: boolean }[] = [];
    do {
      const column = this.#column();
      const desc = this.#takes('DESC');
      if (!desc) this.#takes('ASC');
      columns.push({ column, desc });
    } while (this.#sign(','));
    return columns;
  }

  #count(name: string, least: number): number {
    const token = this.#next();
    if (token?.kind !== 'value') throw notComputed(`${name} that is no number`);
    const count = Number(token.value);
    // LIMIT 0 of a server is no limit.
    if (typeof token.value !== 'bigint' || count < least || count > Number.MAX_SAFE_INTEGER)
      throw new ArgumentError('sql', `${name} must be a whole number from ${least} on, not ${token.shown}`);
    return count;
  }

  #or(): Condition {
    return this.#joined('or', 'OR', () => this.#and());
  }

  #and(): Condition {
    return this.#joined('and', 'AND', () => this.#not());
  }

  #joined(kind: 'and' | 'or', word: string, read: () => Condition): Condition {
    const parts = [read()];
    while (this.#takes(word)) parts.push(read());
    return parts.length === 1 ? (parts[0] as Condition) : { kind, parts };
  }

  #not(): Condition {
    if (!this.#takes('NOT')) return this.#single();
    return this.#deeper(() => ({ kind: 'not', part: this.#not() }));
  }

  #single(): Condition {
    if (this.#sign('(')) {
      const inner = this.#deeper(() => this.#or());
      this.#closing();
      return inner;
    }
    const left = this.#operand();
    if (this.#takes('IS')) {
      const by = this.#takes('NOT') ? '!=' : '=';
      this.#word('NULL');
      return { kind: 'compare', by, left, right: { kind: 'value', value: null } };
    }
    const isNot = this.#takes('NOT');
    if (this.#takes('IN')) return negated(isNot, this.#listed(left));
    if (this.#takes('BETWEEN')) return negated(isNot, this.#between(left));
    const sign = this.#next();
    if (isNot || sign?.kind !== 'sign' || !COMPARISONS.includes(sign.sign))
      throw notComputed(sign ? shown(sign) : 'a condition without a comparison (write `active = TRUE`)');
    const by = (sign.sign === '<>' ? '!=' : sign.sign) as Comparison;
    return { kind: 'compare', by, left, right: this.#operand() };
  }

  #listed(left: Operand): Condition {
    if (!this.#sign('(')) throw notComputed('IN without a list');
    const parts: Condition[] = [];
    do parts.push({ kind: 'compare', by: '=', left, right: this.#operand() });
    while (this.#sign(','));
    this.#closing();
    return { kind: 'or', parts };
  }

  #between(left: Operand): Condition {
    const low = this.#operand();
    this.#word('AND');
    const parts: Condition[] = [
      { kind: 'compare', by: '>=', left, right: low },
      { kind: 'compare', by: '<=', left, right: this.#operand() },
    ];
    return { kind: 'and', parts };
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at];
    const value = token && this.#valueOf(token);
    if (value !== undefined) return { kind: 'value', value };
    return { kind: 'column', name: this.#column() };
  }

  #valueOf(token: QueryToken): SqlValue | undefined {
    if (token.kind === 'value') {
      this.#at++;
      return token.value;
    }
    if (this.#takes('NULL')) return null;
    if (this.#takes('TRUE')) return true;
    if (this.#takes('FALSE')) return false;
    if (!this.#sign('-')) return undefined;
    const number = this.#next();
    const value = number?.kind === 'value' ? number.value : undefined;
    if (typeof value === 'bigint' || typeof value === 'number') return -value;
    throw notComputed('- before something else than a number');
  }

  /** `column`, or `table.column`. */
  #column(): string {
    const name = this.#name();
    if (!this.#sign('.')) return name;
    this.#qualifiers.add(name);
    return this.#name();
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw notComputed('a condition so deep');
    const found = read();
    this.#depth--;
    return found;
  }

  #isName(): boolean {
    const token = this.#tokens[this.#at];
    return token?.kind === 'word' && !RESERVED.has(token.upper);
  }

  #name(): string {
    const token = this.#next();
    if (token?.kind !== 'word' || RESERVED.has(token.upper)) throw notComputed(shown(token));
    return token.name;
  }

  #word(upper: string): void {
    if (!this.#takes(upper)) throw notComputed(shown(this.#tokens[this.#at]));
  }

  #takes(upper: string): boolean {
    const token = this.#tokens[this.#at];
    const isThere = token?.kind === 'word' && token.upper === upper;
    if (isThere) this.#at++;
    return isThere;
  }

  #sign(sign: string): boolean {
    const token = this.#tokens[this.#at];
    const isThere = token?.kind === 'sign' && token.sign === sign;
    if (isThere) this.#at++;
    return isThere;
  }

  #closing(): void {
    if (!this.#sign(')')) throw notComputed(shown(this.#tokens[this.#at]));
  }

  #next(): QueryToken | undefined {
    return this.#tokens[this.#at++];
  }
}

function negated(isNot: boolean, part: Condition): Condition {
  return isNot ? { kind: 'not', part } : part;
}

function shown(token: QueryToken | undefined): string {
  if (!token) return 'a statement that ends so early';
  if (token.kind === 'word') return token.upper === '' ? `"${token.name}"` : token.upper;
  return token.kind === 'value' ? token.shown : token.sign;
}
