// What of a text of SQL is looked at before it is sent: its words, its parameters, and where a statement ends. Everything in quotes
// and comments is passed over, as the server does.

export type Token =
  | { readonly kind: 'word'; /** Upper case. */ readonly word: string }
  /** `@name`; lower case. */
  | { readonly kind: 'named'; readonly name: string }
  /** `$n`. */
  | { readonly kind: 'numbered'; readonly number: number }
  /** `?`. */
  | { readonly kind: 'next' }
  /** `;`. */
  | { readonly kind: 'end' }
  /** Anything else. */
  | { readonly kind: 'other' };

const WORD = /[A-Za-z_]\w*/y;
const NUMBER = /\d+/y;
const SPACE = /[ \t\r\n]/;
const OTHER: Token = { kind: 'other' };

/** In the time that reading the text once takes, whatever it is. */
export function* tokensOf(sql: string): Generator<Token, void, undefined> {
  for (let at = 0; at < sql.length;) {
    const char = sql.charAt(at);
    const two = sql.slice(at, at + 2);
    if (SPACE.test(char)) at += 1;
    else if (two === '--') at = lineEnd(sql, at + 2);
    else if (two === '/*') at = after(sql, '*/', at + 2);
    else if (char === "'" || char === '"') {
      yield OTHER;
      // A quote that is written twice is in the text: it begins another one here, which ends where the whole does.
      at = after(sql, char, at + 1);
    } else if (char === ';') {
      yield { kind: 'end' };
      at += 1;
    } else if (char === '?') {
      yield { kind: 'next' };
      at += 1;
    } else if (char === '@' || char === '$') {
      const rest = match(char === '@' ? WORD : NUMBER, sql, at + 1);
      if (rest === '') yield OTHER;
      else if (char === '@') yield { kind: 'named', name: rest.toLowerCase() };
      else yield { kind: 'numbered', number: Number(rest) };
      at += 1 + rest.length;
    } else {
      const word = match(WORD, sql, at);
      if (word !== '') {
        yield { kind: 'word', word: word.toUpperCase() };
        at += word.length;
      } else {
        yield OTHER;
        // Digits at a time, so that `1e` is no word of its own.
        at += Math.max(1, match(NUMBER, sql, at).length);
      }
    }
  }
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

/** Behind the next `mark`, or at the end. */
function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (text[at] === '\n' || text[at] === '\r') return at;
  return text.length;
}
