// Goes through the words, values and signs of a query.
import { notComputed } from './lexer.js';
import type { QueryToken } from './lexer.js';

/** Words that no name is, so that what is not understood is not taken for one. */
const RESERVED = new Set(
  (
    'SELECT DISTINCT FROM AS WHERE GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET AND OR NOT IN IS NULL BETWEEN LIKE EXISTS CASE WHEN THEN ' +
    'ELSE END CAST JOIN INNER LEFT ON UNION ALL USE INDEX SINCE UNTIL BEFORE AFTER HISTORY DIFF OF TX TRUE FALSE'
  ).split(' '),
);
/** No alias is one of these without AS: they may be of a join that is not computed. */
const NO_ALIAS = new Set('RIGHT FULL OUTER CROSS NATURAL USING'.split(' '));

export class TokenReader {
  readonly #tokens: readonly QueryToken[];
  #at = 0;

  constructor(tokens: readonly QueryToken[]) {
    this.#tokens = tokens;
  }

  protected peek(ahead = 0): QueryToken | undefined {
    return this.#tokens[this.#at + ahead];
  }

  protected next(): QueryToken | undefined {
    return this.#tokens[this.#at++];
  }

  /** Throws NotProvableError for what is left. */
  protected end(): void {
    while (this.sign(';'));
    const rest = this.peek();
    if (rest) throw notComputed(shown(rest));
  }

  protected name(): string {
    const token = this.next();
    if (token?.kind !== 'word' || RESERVED.has(token.upper)) throw notComputed(shown(token));
    return token.name;
  }

  /** `AS name`, or a name alone. */
  protected alias(): string | undefined {
    if (this.takes('AS')) return this.name();
    const token = this.peek();
    const isName = token?.kind === 'word' && !RESERVED.has(token.upper) && !NO_ALIAS.has(token.upper);
    return isName ? this.name() : undefined;
  }

  protected word(upper: string): void {
    if (!this.takes(upper)) throw notComputed(shown(this.peek()));
  }

  protected takes(upper: string): boolean {
    const token = this.peek();
    const isThere = token?.kind === 'word' && token.upper === upper;
    if (isThere) this.#at++;
    return isThere;
  }

  protected sign(sign: string): boolean {
    const token = this.peek();
    const isThere = token?.kind === 'sign' && token.sign === sign;
    if (isThere) this.#at++;
    return isThere;
  }

  protected closing(): void {
    if (!this.sign(')')) throw notComputed(shown(this.peek()));
  }
}

export function shown(token: QueryToken | undefined): string {
  if (!token) return 'a statement that ends so early';
  if (token.kind === 'word') return token.upper === '' ? `"${token.name}"` : token.upper;
  return token.kind === 'value' ? token.shown : token.sign;
}
