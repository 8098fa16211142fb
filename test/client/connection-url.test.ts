// Connection URLs: what they say of a server and a login, that they say it once, and that nothing of a password is shown.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import { resolveOptions } from '#dist/client/options/options.js';
import type { ImmuClientOptions } from '#dist/index.js';

const SECRET = 'pass-phrase-7';

function told(input: string | ImmuClientOptions) {
  const { addresses, credentials, tls, readFrom } = resolveOptions(input);
  const { user, password, database } = credentials ?? {};
  const replicas = readFrom.length > 0 && { readFrom: readFrom.map(({ text }) => text) };
  const address = addresses.map(({ text }) => text).join();
  return { address, ...replicas, user, password: password?.reveal(), database, tls };
}

function refused(input: string | ImmuClientOptions): ArgumentError {
  try {
    resolveOptions(input);
  } catch (error) {
    if (error instanceof ArgumentError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const NOBODY = { user: undefined, password: undefined, database: undefined, tls: undefined };

test.each<[string, object]>([
  ['immudb://localhost', { ...NOBODY, address: 'localhost:3322' }],
  ['IMMUDB://DB.example:1/', { ...NOBODY, address: 'db.example:1' }],
  ['immudb://[::1]', { ...NOBODY, address: '[::1]:3322' }],
  ['immudb://[2001:DB8::7]:443', { ...NOBODY, address: '[2001:db8::7]:443' }],
  ['immudb://host?tls=true', { ...NOBODY, address: 'host:3322', tls: {} }],
  ['immudb://host?tls=false', { ...NOBODY, address: 'host:3322' }],
  [
    'immudb://host?serverName=db.example',
    { ...NOBODY, address: 'host:3322', tls: { serverName: 'db.example' } },
  ],
  [
    'immudb://me:pw@host:99/Books?tls=true&serverName=db.example',
    { address: 'host:99', user: 'me', password: 'pw', database: 'books', tls: { serverName: 'db.example' } },
  ],
  [
    'immudb://m%40e%3A:p%25%2F%23%20%C3%B6@host',
    { address: 'host:3322', user: 'm@e:', password: 'p%/# ö', database: 'defaultdb', tls: undefined },
  ],
  ['immudb://a:1,B,[::1]:2', { ...NOBODY, address: 'a:1,b:3322,[::1]:2' }],
  [
    'immudb://me:p,w@a:1,b:2/books?tls=true&readFrom=c,D:3&serverName=db',
    {
      ...{ address: 'a:1,b:2', readFrom: ['c:3322', 'd:3'], user: 'me', password: 'p,w', database: 'books' },
      tls: { serverName: 'db' },
    },
  ],
  ['immudb://a?readFrom=[::1]:2', { ...NOBODY, address: 'a:3322', readFrom: ['[::1]:2'] }],
])('%s', (url, means) => {
  expect(told(url)).toEqual(means);
  expect(told({ address: url })).toEqual(means);
});

describe('with options beside it', () => {
  test('what it does not say they say', () => {
    expect(told({ address: 'immudb://me@host/books', credentials: { password: 'pw' } })).toMatchObject({
      ...{ user: 'me', password: 'pw', database: 'books' },
    });
    expect(told({ address: 'immudb://host', credentials: { user: 'me', password: 'pw' } })).toMatchObject({
      ...{ user: 'me', database: 'defaultdb' },
    });
    const same = { user: 'me', password: 'pw', database: 'BOOKS' };
    expect(told({ address: 'immudb://me@host/books', credentials: same })).toMatchObject({
      database: 'books',
    });
    const ca = new Uint8Array([1]);
    expect(told({ address: 'immudb://host?serverName=db', tls: { ca } }).tls).toEqual({
      ca,
      serverName: 'db',
    });
    expect(told({ address: 'immudb://host?tls=true', tls: { ca } }).tls).toEqual({ ca });
    expect(told({ address: 'immudb://host', tls: true }).tls).toEqual({});
    expect(told({ address: 'immudb://host', readFrom: ['a', 'b'] }).readFrom).toEqual(['a:3322', 'b:3322']);
    expect(told({ address: 'immudb://host?readFrom=a,b', readFrom: ['a', 'b'] }).readFrom).toHaveLength(2);
  });

  test.each<[string, Partial<ImmuClientOptions>, string]>([
    ['immudb://me@host', { credentials: { user: 'you', password: 'pw' } }, 'user'],
    [`immudb://me:${SECRET}@host`, { credentials: { password: SECRET } }, 'password'],
    ['immudb://me@host/a', { credentials: { password: 'pw', database: 'b' } }, 'database'],
    ['immudb://host?tls=true', { tls: false }, 'tls'],
    ['immudb://host?tls=false', { tls: true }, 'tls'],
    ['immudb://host?tls=false', { tls: { serverName: 'db' } }, 'tls'],
    ['immudb://host?serverName=a', { tls: { serverName: 'b' } }, 'tls'],
    ['immudb://me@host', {}, 'credentials'],
    ['immudb://host/books', {}, 'address'],
    [`immudb://:${SECRET}@host`, {}, 'address'],
    ['immudb://host', { credentials: { password: 'pw' } }, 'address'],
    ['immudb://me@host', { credentials: 5 as never }, 'credentials'],
    ['immudb://me@host', { credentials: { password: 'pw', usr: 'x' } as never }, 'credentials'],
    ['host:1', { credentials: { password: 'pw' } }, 'user'],
    ['immudb://host?readFrom=a', { readFrom: ['b'] }, 'readFrom'],
    ['immudb://host?readFrom=a', { readFrom: [] }, 'readFrom'],
    ['immudb://host?readFrom=a', { readFrom: 'a' as never }, 'readFrom'],
    ['immudb://host?readFrom=a,a', {}, 'readFrom'],
    ['immudb://host?readFrom=a:0', {}, 'readFrom'],
    ['immudb://host?readFrom=immudb://a', {}, 'readFrom'],
    ['immudb://a,a:3322', {}, 'address'],
    ['a,b', {}, 'address'],
  ])('%s and %j', (address, beside, argument) => {
    const error = refused({ address, ...beside });
    expect([error.argument, error.code]).toEqual([argument, 'INVALID_ARGUMENT']);
    expect(inspect(error)).not.toContain(SECRET);
  });
});

test.each([
  `immudb://me:${SECRET}@`,
  `immudb://me:${SECRET}@/books`,
  `immudb:///books`,
  `immudb://me:${SECRET}@host:0`,
  `immudb://me:${SECRET}@host:99999`,
  `immudb://me:${SECRET}@ho st`,
  ` immudb://me:${SECRET}@host`,
  `immudb://me:${SECRET}@host\n`,
  `immudb://me:${SECRET}@host\t/books`,
  `immudb://me:${SECRET}@host/a/b`,
  `immudb://me:${SECRET}@host/a%2Fb`,
  `immudb://me:${SECRET}@host/no-such-name`,
  `immudb://me:${SECRET}@host/%zz`,
  `immudb://me:${SECRET}%@host`,
  `immudb://me:%ff${SECRET}@host`,
  `immudb://me:${SECRET}#@host`,
  `immudb://me:${SECRET}@host#x`,
  `immudb://me:${SECRET}@host?tls`,
  `immudb://me:${SECRET}@host?tls=yes`,
  `immudb://me:${SECRET}@host?tls=true&tls=true`,
  `immudb://me:${SECRET}@host?tls=false&serverName=x`,
  `immudb://me:${SECRET}@host?serverName=`,
  `immudb://me:${SECRET}@host?sslmode=disable`,
  `immudb://me:${SECRET}@host?TLS=true`,
  `immudb://me:${SECRET}@a,`,
  `immudb://me:${SECRET}@,a`,
  `immudb://me:${SECRET}@a,,b`,
  `immudb://me:${SECRET}@a,me:${SECRET}@b`,
  `immudb://me:${SECRET}@a,b:99999`,
  `immudb://me:${SECRET}@a:0,b`,
  `immudb://me:${SECRET}@a,b c`,
  `immudb://me:${SECRET}@a?readFrom=`,
  `immudb://me:${SECRET}@a?readFrom=b,`,
  `immudb://me:${SECRET}@a?readFrom=,b`,
  `immudb://me:${SECRET}@a?readFrom=b&readFrom=c`,
  `immudb://me:${SECRET}@a?readfrom=b`,
  `immudb://me:${SECRET}@host/${'x'.repeat(5000)}`,
  `immudbs://me:${SECRET}@host`,
  `immudb:me:${SECRET}@host`,
  `me:${SECRET}@host`,
  `me:${SECRET}@host%`,
])('%s is refused, and shows no password', (address) => {
  const error = refused(address);
  expect(['address', 'database']).toContain(error.argument);
  expect(inspect(error)).not.toContain(SECRET);
});

test('a client made of one shows no password', async () => {
  await using client = new ImmuClient({
    address: `immudb://me:${SECRET}@127.0.0.1:1/books`,
    ...{ store: new MemoryRootStore(), retry: false, connectTimeoutMs: 500 },
  });
  expect(inspect(client, { depth: 9, showHidden: true })).not.toContain(SECRET);
  expect(client.databaseName).toBe('books');
  const error: unknown = await client.currentState().catch((thrown: unknown) => thrown);
  expect(inspect(error, { depth: 9 })).toContain('127.0.0.1:1');
  expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
});
