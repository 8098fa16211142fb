// What an error says on the terminal: one line, of a bound length, in which nothing of what a server says does anything.
import { expect, test } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { errorLine, firstFailure } from '#dist/cli/error-line.js';
import { codeOf } from '#dist/cli/exit-code.js';
import { ArgumentError, ImmuError, StoreError, VerificationError } from '#dist/index.js';

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

test('an exit code for each meaning', () => {
  const refuted = new VerificationError('FORK_DETECTED', 'm', { server: 's', database: 'd', check: 'c' });
  const codes: [unknown, number][] = [
    [new UsageError('m'), 2],
    [new ArgumentError('key', 'm'), 2],
    [refuted, 3],
    [new StoreError('STORE_DAMAGED', 'm'), 3],
    [new StoreError('STORE_MISSING', 'm'), 1],
    [new ImmuError('UNAVAILABLE', 'm'), 1],
    [new Error('m'), 1],
    ['thrown', 1],
  ];
  for (const [error, code] of codes) expect([error, codeOf(error, undefined)]).toEqual([error, code]);
  // What was refuted is, whether somebody wanted to hear more of it or not.
  expect(codes.map(([error]) => codeOf(error, 'SIGINT'))).toEqual([130, 130, 3, 130, 130, 130, 130, 130]);
  expect(codeOf(new Error('m'), 'SIGTERM')).toBe(143);
});
