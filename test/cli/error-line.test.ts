// What an error says on the terminal: one line, of a bound length, in which nothing of what a server says does anything.
import { expect, test } from 'vitest';
import { errorLine, firstFailure } from '#dist/cli/error-line.js';
import { StoreError } from '#dist/index.js';

test('is one line, with the code of the error', () => {
  expect(errorLine(new StoreError('STORE_DAMAGED', 'a\n   b\r\n\n c'))).toBe('STORE_DAMAGED: a b  c');
  expect(errorLine('thrown')).toBe('thrown');
});

test('shows what would move a cursor, forge a line or turn its direction', () => {
  const line = errorLine(new Error('no\u001b[2K\rimmu-ts: all is well\u2028\u202egnorw\u0007'));
  expect(line).toBe('no\\u{1b}[2K\\u{d}immu-ts: all is well\\u{2028}\\u{202e}gnorw\\u{7}');
});

test.for([' ', '\n', ' \n', 'x', '\u001b'])(
  'of any length: 40 MB of %j are looked at as far as they are shown',
  (text) => {
    // Quadratic in this, it would not end.
    const line = errorLine(new Error(text.repeat(40_000_000 / text.length)));
    expect(line.length).toBeLessThan(20_000);
  },
);

test('tells what failed first', () => {
  const first = new Error('first');
  expect(firstFailure(Object.assign(new Error('cleaning up'), { suppressed: first }))).toBe(first);
});
