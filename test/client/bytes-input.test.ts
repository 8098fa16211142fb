// Keys, values, pairs, versions and passwords as callers hand them in.
import { runInNewContext } from 'node:vm';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MAX_KEY_BYTES, MAX_SENT_VALUE_BYTES, toKey, toValue } from '#dist/client/input/bytes-input.js';
import type { BytesInput } from '#dist/client/input/bytes-input.js';
import { checkVersion } from '#dist/client/input/get-options.js';
import type { Pairs } from '#dist/client/calls/kv/contents.js';
import { checkPassword } from '#dist/client/calls/admin/password-policy.js';
import { ArgumentError } from '#dist/errors.js';
import { toEntries } from './support.js';

function refused(body: () => unknown): ArgumentError {
  try {
    body();
  } catch (error) {
    if (error instanceof ArgumentError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

const HOSTILE: [string, unknown, string][] = [
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a number', 5, 'number'],
  ['a bigint', 5n, 'bigint'],
  ['a boolean', true, 'boolean'],
  ['a symbol', Symbol('s'), 'symbol'],
  ['a function', () => 1, 'function'],
  ['an array of bytes', [1, 2], 'an array'],
  ['an object', {}, 'Object'],
  ['an object without prototype', Object.create(null), 'object'],
  ['a Date', new Date(), 'Date'],
  ['an ArrayBuffer', new ArrayBuffer(2), 'ArrayBuffer'],
  ['a DataView', new DataView(new ArrayBuffer(2)), 'DataView'],
  ['a Uint16Array', new Uint16Array(2), 'Uint16Array'],
  ['a String object', new String('x'), 'String'],
  ['something that claims to be bytes', { length: 1, 0: 1, __proto__: Uint8Array.prototype }, 'Uint8Array'],
];

describe('keys and values', () => {
  test.each(HOSTILE)('%s is refused', (_, input, kind) => {
    for (const [take, name] of [
      [toKey, 'key'],
      [toValue, 'value'],
    ] as const) {
      const error = refused(() => take(input as BytesInput, name));
      expect(error.argument).toBe(name);
      expect(error.message).toBe(`${name} must be a Uint8Array or a string, not ${kind}`);
    }
  });

  test('text is UTF-8; what has no UTF-8 form is refused', () => {
    expect(toKey('é€😀', 'key')).toEqual(new Uint8Array(Buffer.from('é€😀')));
    for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
      expect(refused(() => toKey(text, 'key')).message).toContain('lone surrogate');
      expect(refused(() => toValue(text, 'value')).message).toContain('lone surrogate');
    }
  });

  test('limits, to the byte', () => {
    expect(toKey('k'.repeat(MAX_KEY_BYTES), 'key')).toHaveLength(1023);
    expect(toKey(new Uint8Array(1), 'key')).toHaveLength(1);
    for (const key of ['', new Uint8Array(0)])
      expect(refused(() => toKey(key, 'key')).message).toContain('empty');
    for (const key of ['k'.repeat(1024), new Uint8Array(1024), 'é'.repeat(512)]) {
      expect(refused(() => toKey(key, 'key')).message).toBe('key has 1024 bytes; at most 1023 are allowed');
    }
    expect(toValue('', 'value')).toHaveLength(0);
    expect(toValue(new Uint8Array(MAX_SENT_VALUE_BYTES), 'value')).toHaveLength(MAX_SENT_VALUE_BYTES);
    expect(refused(() => toValue(new Uint8Array(MAX_SENT_VALUE_BYTES + 1), 'value')).argument).toBe('value');
  });

  test('bytes are copied: what is changed later is not what was asked', () => {
    const mine = Buffer.from('key');
    const taken = toKey(mine, 'key');
    mine.fill(0);
    expect(Buffer.from(taken).toString()).toBe('key');
    expect(Buffer.isBuffer(taken)).toBe(false);
  });

  test('bytes of another realm are bytes', () => {
    const foreign = runInNewContext('new Uint8Array([1, 2, 3])') as Uint8Array;
    expect(foreign instanceof Uint8Array).toBe(false);
    expect(toKey(foreign, 'key')).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('pairs', () => {
  const text = (entries: ReturnType<typeof toEntries>) =>
    entries.map(({ key, value }) => [Buffer.from(key).toString(), Buffer.from(value).toString()]);

  test('a Map, an object, an array and a generator, in their order', () => {
    const pairs: [string, string][] = [
      ['b', '1'],
      ['a', '2'],
      ['c', ''],
    ];
    const generator = function* () {
      yield* pairs;
    };
    for (const given of [new Map(pairs), Object.fromEntries(pairs), pairs, generator()]) {
      expect(text(toEntries(given as Pairs))).toEqual(pairs);
    }
  });

  test('none, too many, doubles and no pairs are refused', () => {
    for (const none of [[], {}, new Map()]) expect(refused(() => toEntries(none)).message).toContain('empty');
    const many = Array.from({ length: 1025 }, (_, i): [string, string] => [`k${i}`, '']);
    expect(toEntries(many.slice(1))).toHaveLength(1024);
    expect(refused(() => toEntries(many)).message).toContain('at most 1024');
    const twice = new Map<BytesInput, string>([
      ['a', '1'],
      [Buffer.from('a'), '2'],
    ]);
    expect(refused(() => toEntries(twice)).message).toBe('the key of entry 1 occurs twice');
    for (const wrong of [
      null,
      undefined,
      5,
      'ab',
      new Uint8Array(4),
      [['a']],
      [['a', 'b', 'c']],
      ['ab'],
      [null],
    ]) {
      expect(refused(() => toEntries(wrong as Pairs)).argument).toBe('entries');
    }
    expect(refused(() => toEntries([['k', 5]] as unknown as Pairs)).argument).toBe('value of entry 0');
    expect(refused(() => toEntries([['', 'v']])).argument).toBe('key of entry 0');
  });

  test('an endless source is not read to its end', () => {
    const endless = function* (): Generator<[string, string]> {
      for (let i = 0; ; i++) yield [`k${i}`, ''];
    };
    expect(refused(() => toEntries(endless())).message).toContain('at most 1024');
  });
});

describe('versions', () => {
  test('what is asked is kept; revision 0 is the latest', () => {
    expect(checkVersion({})).toEqual({});
    expect(checkVersion({ atRevision: 0n })).toEqual({});
    expect(checkVersion({ sinceTx: 3n, atRevision: -1n })).toEqual({ sinceTx: 3n, atRevision: -1n });
    expect(checkVersion({ atTx: 2n ** 63n - 1n })).toEqual({ atTx: 2n ** 63n - 1n });
  });

  test.each([
    [{ atTx: 0n }, 'atTx'],
    [{ atTx: -1n }, 'atTx'],
    [{ atTx: 1 }, 'atTx'],
    [{ atTx: '1' }, 'atTx'],
    [{ atTx: null }, 'atTx'],
    [{ atTx: 2n ** 63n }, 'atTx'],
    [{ sinceTx: 0n }, 'sinceTx'],
    [{ sinceTx: 2n ** 64n }, 'sinceTx'],
    [{ atRevision: 1.5 }, 'atRevision'],
    [{ atRevision: -(2n ** 63n) - 1n }, 'atRevision'],
    [{ atTx: 1n, sinceTx: 1n }, 'atTx'],
    [{ atTx: 1n, atRevision: 1n }, 'atTx'],
  ])('%o is refused', (options, argument) => {
    expect(refused(() => checkVersion(options as never)).argument).toBe(argument);
  });
});

describe('password policy', () => {
  test.each([
    'Aa1!aaaa',
    'A1!aaaaa',
    'A1!' + 'a'.repeat(29),
    'Ünicod3€',
    'ÄÖÜ1-abc',
    'Pass w0rd!',
    'A1😀😀😀😀😀😀',
  ])('%s is good enough', (password) => {
    expect(() => checkPassword(password)).not.toThrow();
  });

  test.each([
    ['', '8 to 32'],
    ['Aa1!aaa', '8 to 32'],
    ['A1!' + 'a'.repeat(30), '8 to 32'],
    ['A1😀😀😀😀😀', '8 to 32'],
    ['aa1!aaaa', 'upper case'],
    ['ß1!aaaaa', 'upper case'],
    ['Aaa!aaaa', 'digit'],
    ['Aa1aaaaa', 'symbol'],
    ['Aa1 aaaa', 'symbol'],
  ])('%j is not', (password, rule) => {
    const error = refused(() => checkPassword(password));
    expect(error.code).toBe('WEAK_PASSWORD');
    expect(error.argument).toBe('password');
    expect(error.message).toContain(rule);
    if (password) expect(inspect(error)).not.toContain(password);
  });

  test('other types are refused without being shown', () => {
    const others: unknown[] = [null, undefined, 12345678, ['Aa1!aaaa'], Buffer.from('Aa1!aaaa')];
    for (const password of others) {
      const error = refused(() => checkPassword(password as string));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(inspect(error)).not.toMatch(/12345678|Aa1!aaaa/);
    }
  });
});
