// The conditions of a query, read from its text.
import type { SqlValue } from '../values.js';
import { notComputed } from './lexer.js';
import type { QueryToken } from './lexer.js';
import { TokenReader, shown } from './token-reader.js';

/** A column as it is written. Lower case, like all names. */
export interface ColumnName {
  /** The table, or its alias; undefined: whichever has such a column. */
  readonly of: string | undefined;
  readonly name: string;
}

export type Operand =
  ({ readonly kind: 'column' } & ColumnName) | { readonly kind: 'value'; readonly value: SqlValue };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export interface Compared {
  readonly kind: 'compare';
  readonly by: Comparison;
  readonly left: Operand;
  readonly right: Operand;
}

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | Compared;

const COMPARISONS: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>='];
/** Parentheses within each other, and NOT before NOT. */
const MAX_DEPTH = 100;

export class ConditionReader extends TokenReader {
  #depth = 0;

  protected condition(): Condition {
    return this.#joined('or', 'OR', () => this.#and());
  }

  #and(): Condition {
    return this.#joined('and', 'AND', () => this.#not());
  }

  #joined(kind: 'and' | 'or', word: string, read: () => Condition): Condition {
    const parts = [read()];
    while (this.takes(word)) parts.push(read());
    return parts.length === 1 ? (parts[0] as Condition) : { kind, parts };
  }

  #not(): Condition {
    if (!this.takes('NOT')) return this.#single();
    return this.#deeper(() => ({ kind: 'not', part: this.#not() }));
  }

  #single(): Condition {
    if (this.sign('(')) {
      const inner = this.#deeper(() => this.condition());
      this.closing();
      return inner;
    }
    const left = this.#operand();
    if (this.takes('IS')) {
      const by = this.takes('NOT') ? '!=' : '=';
      this.word('NULL');
      return { kind: 'compare', by, left, right: { kind: 'value', value: null } };
    }
    const isNot = this.takes('NOT');
    if (this.takes('IN')) return negated(isNot, this.#listed(left));
    if (this.takes('BETWEEN')) return negated(isNot, this.#between(left));
    const sign = this.next();
    if (isNot || sign?.kind !== 'sign' || !COMPARISONS.includes(sign.sign))
      throw notComputed(sign ? shown(sign) : 'a condition without a comparison (write `active = TRUE`)');
    const by = (sign.sign === '<>' ? '!=' : sign.sign) as Comparison;
    return { kind: 'compare', by, left, right: this.#operand() };
  }

  #listed(left: Operand): Condition {
    if (!this.sign('(')) throw notComputed('IN without a list');
    const parts: Condition[] = [];
    do parts.push({ kind: 'compare', by: '=', left, right: this.#operand() });
    while (this.sign(','));
    this.closing();
    return { kind: 'or', parts };
  }

  #between(left: Operand): Condition {
    const low = this.#operand();
    this.word('AND');
    const parts: Condition[] = [
      { kind: 'compare', by: '>=', left, right: low },
      { kind: 'compare', by: '<=', left, right: this.#operand() },
    ];
    return { kind: 'and', parts };
  }

  #operand(): Operand {
    const token = this.peek();
    const value = token && this.#valueOf(token);
    if (value !== undefined) return { kind: 'value', value };
    return { kind: 'column', ...this.column() };
  }

  #valueOf(token: QueryToken): SqlValue | undefined {
    if (token.kind === 'value') {
      this.next();
      return token.value;
    }
    if (this.takes('NULL')) return null;
    if (this.takes('TRUE')) return true;
    if (this.takes('FALSE')) return false;
    if (!this.sign('-')) return undefined;
    const number = this.next();
    const value = number?.kind === 'value' ? number.value : undefined;
    if (typeof value === 'bigint' || typeof value === 'number') return -value;
    throw notComputed('- before something else than a number');
  }

  /** `column`, or `table.column`. */
  protected column(): ColumnName {
    const name = this.name();
    return this.sign('.') ? { of: name, name: this.name() } : { of: undefined, name };
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw notComputed('a condition so deep');
    const found = read();
    this.#depth--;
    return found;
  }
}

function negated(isNot: boolean, part: Condition): Condition {
  return isNot ? { kind: 'not', part } : part;
}

/** Comparisons that all must hold, for the condition to. */
export function conjuncts(condition: Condition | undefined): Compared[] {
  if (condition?.kind === 'compare') return [condition];
  if (condition?.kind === 'and') return condition.parts.flatMap(conjuncts);
  return condition?.kind === 'or' && condition.parts.length === 1 ? conjuncts(condition.parts[0]) : [];
}
