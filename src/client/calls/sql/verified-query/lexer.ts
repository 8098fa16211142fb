// A text of SQL as words, values and signs: as much of it as queries are made of that can be computed here.
import { NotProvableError } from '../../../../errors.js';
import { MAX_INTEGER } from '../../../../proof/sql/values.js';
import type { WireStatement } from '../statement.js';
import { fromWireValue } from '../values.js';
import type { SqlValue } from '../values.js';

export type QueryToken =
  /** `upper`: a keyword, perhaps; `name`: what it is as a name, which the server lower-cases. */
  | { readonly kind: 'word'; readonly upper: string; readonly name: string }
  | { readonly kind: 'value'; readonly value: SqlValue; readonly shown: string }
  | { readonly kind: 'sign'; readonly sign: string };

/** More than that is no query that people write. */
const MAX_TOKENS = 100_000;

const PASSED_OVER = /(?:[ \t\r\n]+|--[^\r\n]*|\/\*[\s\S]*?\*\/)*/y;
const WORD = /[A-Za-z_]\w*/y;
const QUOTED_NAME = /"([A-Za-z_]\w*)"/y;
const NUMBER = /\d+(?:\.\d+)?(?![\w.])/y;
const HEX = /[xX]'((?:[0-9a-fA-F]{2})*)'/y;
const TEXT = /'([^']*(?:''[^']*)*)'/y;
const PARAM = /\?|\$(\d+)|@([A-Za-z_]\w*)/y;
const SIGN = /<=|>=|<>|!=|[<>=(),.*;-]/y;

/** @throws NotProvableError for a text that holds other things */
export function queryTokens({ sql, params }: WireStatement): QueryToken[] {
  const values = new Map(
    params.map(({ name, value }) => [(name ?? '').toLowerCase(), value && fromWireValue(value)]),
  );
  const tokens: QueryToken[] = [];
  let at = 0;
  let asked = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(sql);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (take(PASSED_OVER); at < sql.length; take(PASSED_OVER)) {
    if (tokens.length >= MAX_TOKENS) throw notComputed('a statement of so many words');
    const hex = take(HEX);
    if (hex) {
      tokens.push(valueToken(Uint8Array.from(Buffer.from(hex[1] ?? '', 'hex')), hex[0]));
      continue;
    }
    const word = take(WORD);
    if (word) {
      tokens.push({ kind: 'word', upper: word[0].toUpperCase(), name: word[0].toLowerCase() });
      continue;
    }
    const quoted = take(QUOTED_NAME);
    if (quoted) {
      tokens.push({ kind: 'word', upper: '', name: (quoted[1] ?? '').toLowerCase() });
      continue;
    }
    const number = take(NUMBER);
    if (number) {
      tokens.push(valueToken(numberOf(number[0]), number[0]));
      continue;
    }
    const text = take(TEXT);
    if (text) {
      tokens.push(valueToken((text[1] ?? '').replaceAll("''", "'"), text[0]));
      continue;
    }
    const param = take(PARAM);
    if (param) {
      const name = param[2]?.toLowerCase() ?? `param${param[1] ?? ++asked}`;
      const value = values.get(name);
      if (value === undefined) throw notComputed(`parameter ${param[0]}`);
      tokens.push(valueToken(value, param[0]));
      continue;
    }
    const sign = take(SIGN);
    if (!sign) throw notComputed(JSON.stringify(sql.slice(at, at + 20)));
    tokens.push({ kind: 'sign', sign: sign[0] });
  }
  return tokens;
}

function valueToken(value: SqlValue, shown: string): QueryToken {
  return { kind: 'value', value, shown };
}

function numberOf(text: string): bigint | number {
  if (text.includes('.')) return Number(text);
  const value = BigInt(text);
  if (value > MAX_INTEGER) throw notComputed(`the number ${text}`);
  return value;
}

/** What is not computed over proven rows is not told at all. */
export function notComputed(what: string): NotProvableError {
  return new NotProvableError(
    `sql.verifiedQuery: ${what} is not computed over proven rows. It takes SELECT of columns, COUNT, SUM, MIN, MAX and AVG, of tables that ` +
      'are joined on equal columns, WHERE with comparisons, IN, BETWEEN, IS NULL, AND, OR and NOT, GROUP BY columns, ORDER BY, LIMIT and OFFSET. ' +
      'A mirror (`client.mirror`) answers any SQL',
  );
}
