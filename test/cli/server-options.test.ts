// The way to a server: command line before environment, URLs, passwords in files, TLS, and what does not go together.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import { UsageError } from '#dist/cli/command.js';
import { trustOf, wayTo } from '#dist/cli/server-options.js';
import { temporaryFolder } from './run.js';

type Words = Parameters<typeof wayTo>[0];
const NONE: Words = {
  ...{
    profile: undefined,
    address: undefined,
    user: undefined,
    password: undefined,
    'password-file': undefined,
  },
  ...{ database: undefined, tls: false, ca: undefined, cert: undefined, 'client-key': undefined },
  'server-name': undefined,
};

const way = (words: Partial<Words>, env: Record<string, string> = {}) =>
  wayTo({ ...NONE, ...words }, { env });
const flat = async (...given: Parameters<typeof way>) => {
  const { credentials, tls, ...servers } = await way(...given);
  return { ...servers, ...credentials, ...(tls !== undefined && { tls }) };
};
const DEFAULT = { address: 'localhost:3322', user: 'immudb', password: 'immudb', database: 'defaultdb' };

test('nothing is said', async () => {
  expect(await flat({})).toEqual(DEFAULT);
  const empty = [
    'URL',
    'ADDRESS',
    'USER',
    'PASSWORD',
    'PASSWORD_FILE',
    'DATABASE',
    'TLS',
    'CA',
    'SERVER_NAME',
  ];
  expect(await flat({}, Object.fromEntries(empty.map((name) => [`IMMUDB_${name}`, ''])))).toEqual(DEFAULT);
});

test('the environment, and the command line before it', async () => {
  const env = {
    ...{ IMMUDB_ADDRESS: 'db.example:1', IMMUDB_USER: 'me', IMMUDB_PASSWORD: 'pw', IMMUDB_DATABASE: 'books' },
    ...{ IMMUDB_TLS: 'true', IMMUDB_SERVER_NAME: 'db' },
  };
  const there = {
    address: 'db.example:1',
    user: 'me',
    password: 'pw',
    database: 'books',
    tls: { serverName: 'db' },
  };
  expect(await flat({}, env)).toEqual(there);
  const words = { address: 'other:2', user: 'you', password: 'qw', database: 'bills', 'server-name': 'o' };
  expect(await flat(words, env)).toEqual({
    ...{ address: 'other:2', user: 'you', password: 'qw', database: 'bills', tls: { serverName: 'o' } },
  });
  expect(await flat({ user: 'you' }, env)).toEqual({ ...there, user: 'you' });
  // Its older names.
  expect(await flat({}, { IMMU_TS_ADDRESS: 'old:1', IMMU_TS_PASSWORD: 'pw' })).toMatchObject({
    ...{ address: 'old:1', password: 'pw' },
  });
});

describe('several addresses, and replicas to read from', () => {
  const SEVERAL = { address: ['a:1', 'b:2'], readFrom: ['c', 'd'] };

  test('with commas, given again, in a URL, in the environment', async () => {
    for (const [words, env] of [
      [{ address: 'a:1,b:2', 'read-from': 'c,d' }, {}],
      [{ address: ['a:1', 'b:2'], 'read-from': ['c', 'd'] }, {}],
      [{ address: ['immudb://a:1,b:2?readFrom=c,d'] }, {}],
      [{ address: 'immudb://a:1,b:2?readFrom=x', 'read-from': ['c,d'] }, {}],
      [{}, { IMMUDB_ADDRESS: 'a:1,b:2', IMMUDB_READ_FROM: 'c,d' }],
      [{}, { IMMUDB_ADDRESS: 'immudb://a:1,b:2?readFrom=c,d' }],
      [{}, { IMMUDB_URL: 'immudb://a:1,b:2', IMMUDB_READ_FROM: 'c,d' }],
      [{ 'read-from': ['c', 'd'] }, { IMMUDB_ADDRESS: 'a:1,b:2', IMMUDB_READ_FROM: 'x' }],
    ] as const)
      expect(await flat(words, env), JSON.stringify([words, env])).toEqual({ ...DEFAULT, ...SEVERAL });
    expect(await flat({ address: ['a:1,b:2', 'e'] })).toEqual({ ...DEFAULT, address: ['a:1', 'b:2', 'e'] });
    expect(await flat({ 'read-from': ['c'] })).toEqual({ ...DEFAULT, readFrom: ['c'] });
  });

  test('the replicas of the environment are those of its server', async () => {
    for (const env of [
      { IMMUDB_ADDRESS: 'a:1', IMMUDB_READ_FROM: 'c' },
      { IMMUDB_READ_FROM: 'c' },
      { IMMUDB_URL: 'immudb://a?readFrom=c' },
    ])
      expect(await flat({ address: 'x:1' }, env as never)).toEqual({ ...DEFAULT, address: 'x:1' });
  });

  test.for<[Partial<Words>, Record<string, string>, string]>([
    [{ address: 'a,' }, {}, '--address has an empty place'],
    [{ address: '' }, {}, '--address has an empty place'],
    [{ address: ['a', ''] }, {}, '--address has an empty place'],
    [{ 'read-from': 'a,,b' }, {}, '--read-from has an empty place'],
    [{}, { IMMUDB_ADDRESS: ',a' }, 'IMMUDB_ADDRESS has an empty place'],
    [{}, { IMMUDB_ADDRESS: 'a', IMMUDB_READ_FROM: 'a,' }, 'IMMUDB_READ_FROM has an empty place'],
    [{}, { IMMUDB_READ_FROM: 'a' }, 'IMMUDB_READ_FROM goes with IMMUDB_ADDRESS'],
    [{ address: ['immudb://a', 'b'] }, {}, '--address: a URL stands alone'],
    [{ address: ['b', 'immudb://a'] }, {}, '--address: a URL stands alone'],
  ])('%j, %j: %s', async ([words, env, message]) => {
    const error: unknown = await way(words, env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });
});

describe('a URL', () => {
  const URL = 'immudb://me:pw@db.example:99/books?tls=true&serverName=db';
  const there = {
    address: 'db.example:99',
    user: 'me',
    password: 'pw',
    database: 'books',
    tls: { serverName: 'db' },
  };

  test('on the command line or around; what is told beside it goes before it', async () => {
    expect(await flat({ address: URL })).toEqual(there);
    for (const name of ['IMMUDB_URL', 'IMMUDB_ADDRESS'])
      expect(await flat({}, { [name]: URL })).toEqual(there);
    expect(await flat({ address: URL, database: 'bills', user: 'you' })).toEqual({
      ...there,
      ...{ user: 'you', database: 'bills' },
    });
    expect(
      await flat({ address: 'immudb://me@db' }, { IMMUDB_PASSWORD: 'pw', IMMUDB_DATABASE: 'x' }),
    ).toEqual({
      ...{ address: 'db', user: 'me', password: 'pw', database: 'x' },
    });
    expect(await flat({ address: 'immudb://db?tls=false' }, { IMMUDB_TLS: '1' })).toEqual({
      ...DEFAULT,
      address: 'db',
    });
    expect(await flat({ tls: true }, { IMMUDB_URL: 'immudb://db?tls=false' })).toMatchObject({ tls: {} });
  });

  test('of another server than the one that is named: nothing of it is used, above all no password', async () => {
    expect(await flat({ address: 'localhost:1' }, { IMMUDB_URL: URL })).toEqual({
      ...DEFAULT,
      address: 'localhost:1',
    });
  });

  test('that is none', async () => {
    await expect(way({ address: 'immudb://me:secret-7@h/a/b' })).rejects.toThrow(ArgumentError);
    await expect(way({}, { IMMUDB_URL: 'immudb://me:secret-7@h?x=1' })).rejects.toThrow(/^(?!.*secret-7)/);
  });
});

describe('files', () => {
  let folder: string;
  const file = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  test('a password: its one line', async () => {
    for (const content of ['p w ö', 'p w ö\n', 'p w ö\r\n']) {
      const path = await file('password', content);
      expect((await flat({ 'password-file': path })).password).toBe('p w ö');
      expect((await flat({}, { IMMUDB_PASSWORD_FILE: path })).password).toBe('p w ö');
    }
    const path = await file('password', 'pw');
    expect((await flat({ password: 'line' }, { IMMUDB_PASSWORD_FILE: path })).password).toBe('line');
    expect((await flat({ 'password-file': path }, { IMMUDB_PASSWORD: 'around' })).password).toBe('pw');
    expect((await flat({ 'password-file': path, address: 'immudb://me:url@h' })).password).toBe('pw');
    for (const [content, words] of [
      ['', 'is empty'],
      ['\n', 'is empty'],
      ['secret-7\nsecret-8', 'has more than one line'],
      [Buffer.from([0xff, 0xfe]), 'is not UTF-8'],
      [Buffer.from([0x61, 0xff, 0x0a]), 'is not UTF-8'],
      ['x'.repeat(70_000), 'is too long'],
    ] as const) {
      const error = await way({ 'password-file': await file('wrong', content) }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).not.toBeInstanceOf(UsageError);
      expect((error as Error).message).toMatch(new RegExp(`^the password file .*wrong ${words}$`));
    }
    await expect(way({ 'password-file': join(folder, 'gone') })).rejects.toThrow('ENOENT');
  });

  test('TLS: each of them wants it', async () => {
    const [ca, cert, key] = [await file('ca', 'CA'), await file('cert', 'CERT'), await file('key', 'KEY')];
    const bytes = (text: string) => Buffer.from(text);
    expect((await way({ tls: true })).tls).toEqual({});
    expect((await way({ ca })).tls).toEqual({ ca: bytes('CA') });
    expect((await way({ 'server-name': 'db' })).tls).toEqual({ serverName: 'db' });
    expect((await way({ cert, 'client-key': key })).tls).toEqual({ cert: bytes('CERT'), key: bytes('KEY') });
    const env = { IMMUDB_CA: ca, IMMUDB_CERT: cert, IMMUDB_CLIENT_KEY: key };
    expect((await way({}, env)).tls).toEqual({ ca: bytes('CA'), cert: bytes('CERT'), key: bytes('KEY') });
    expect((await way({ address: 'immudb://h?tls=false' }, env)).tls).toBeUndefined();
    await expect(way({ ca: join(folder, 'gone') })).rejects.toThrow('ENOENT');
  });
});

describe('what does not go together', () => {
  test.for<[Partial<Words>, Record<string, string>, string]>([
    [{ password: 'a', 'password-file': 'b' }, {}, '--password goes without --password-file'],
    [{}, { IMMUDB_PASSWORD: 'a', IMMUDB_PASSWORD_FILE: 'b' }, 'IMMUDB_PASSWORD goes without'],
    [{}, { IMMUDB_TLS: 'yes' }, 'IMMUDB_TLS is true or false'],
    [{ address: 'immudb://h?tls=false', ca: 'x' }, {}, 'tls=false goes without --ca'],
    [{ address: 'immudb://h?tls=false', tls: true }, {}, 'tls=false goes without --tls'],
    [{}, { IMMUDB_TLS: 'false', IMMUDB_CA: 'x' }, 'IMMUDB_TLS=false goes without IMMUDB_CA'],
    [{ cert: 'x' }, {}, '--cert and --client-key go together'],
    [{}, { IMMUDB_CLIENT_KEY: 'x' }, '--cert and --client-key go together'],
  ])('%j, %j', async ([words, env, message]) => {
    const error: unknown = await way(words, env).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });
});

test('what trust begins with', async () => {
  const none = { ...{ profile: undefined, address: undefined }, 'state-key': undefined, pin: undefined };
  const alh = 'ab'.repeat(32);
  const trust = { policy: 'pinned', tx: 42n, alh: new Uint8Array(32).fill(0xab) };
  expect(await trustOf(none, { env: {} })).toEqual({});
  expect(await trustOf({ ...none, pin: `42:${alh.toUpperCase()}` }, { env: {} })).toEqual({ trust });
  expect(await trustOf(none, { env: { IMMUDB_PIN: `42:${alh}` } })).toEqual({ trust });
  for (const pin of [
    '',
    '42',
    alh,
    `42:${alh}0`,
    `-1:${alh}`,
    `4 2:${alh}`,
    `42:${alh.slice(1)}g`,
    `${'9'.repeat(20)}:${alh}`,
  ])
    await expect(trustOf({ ...none, pin }, { env: {} })).rejects.toThrow(UsageError);
  const key = join(await temporaryFolder(), 'key.pem');
  await writeFile(key, 'PEM');
  for (const given of [
    trustOf({ ...none, 'state-key': key }, { env: {} }),
    trustOf(none, { env: { IMMUDB_STATE_KEY: key } }),
  ])
    expect(await given).toEqual({ serverPublicKey: Buffer.from('PEM') });
});
