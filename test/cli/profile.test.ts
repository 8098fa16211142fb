// Profiles: servers in a file, behind the command line and the environment; whose passwords go to no other server.
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { trustOf, wayTo } from '#dist/cli/server-options.js';
import { temporaryFolder } from './run.js';

type Words = Parameters<typeof wayTo>[0];
const NONE: Words = {
  ...{ profile: undefined, address: undefined, user: undefined, password: undefined },
  ...{ 'password-file': undefined, database: undefined, tls: false, ca: undefined, cert: undefined },
  ...{ 'client-key': undefined, 'server-name': undefined },
};
const PROD = { address: 'prod:1', user: 'me', password: 'secret-7', database: 'books' };

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'config.json');
});

async function keep(content: unknown, mode = 0o600): Promise<void> {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(path, mode);
}

async function way(words: Partial<Words> = {}, env: Record<string, string> = {}) {
  const whole = await wayTo({ ...NONE, ...words }, { env: { IMMU_TS_CONFIG: path, ...env } });
  const { address, readFrom, credentials, tls } = whole;
  return { address, ...(readFrom && { readFrom }), ...credentials, ...(tls && { tls }) };
}

const refused = async (...given: Parameters<typeof way>) => {
  const error: unknown = await way(...given).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).not.toContain('secret-7');
  return (error as Error).message;
};

test('by name, by the environment, by what the file says, and the one named default', async () => {
  await keep({ profiles: { prod: PROD, default: { database: 'mine' } } });
  expect(await way({ profile: 'prod' })).toEqual(PROD);
  expect(await way({}, { IMMU_TS_PROFILE: 'prod' })).toEqual(PROD);
  expect(await way()).toMatchObject({ address: 'localhost:3322', database: 'mine' });
  await keep({ profile: 'prod', profiles: { prod: PROD, other: { address: 'other:2' } } });
  expect(await way()).toEqual(PROD);
  expect(await way({ profile: 'other' }, { IMMU_TS_PROFILE: 'prod' })).toMatchObject({ address: 'other:2' });
});

test('behind the command line and the environment', async () => {
  await keep({ profiles: { prod: { ...PROD, tls: false } } });
  const around = { IMMUDB_USER: 'around', IMMUDB_DATABASE: 'around' };
  expect(await way({ profile: 'prod', database: 'line' }, around)).toEqual({
    ...{ address: 'prod:1', user: 'around', password: 'secret-7', database: 'line' },
  });
  expect(await way({ profile: 'prod', tls: true })).toMatchObject({ tls: {} });
});

test('a profile is of its server: nothing of it goes to another one', async () => {
  await keep({ profiles: { default: PROD } });
  const other = { address: 'x:1', user: 'immudb', password: 'immudb', database: 'defaultdb' };
  expect(await way({ address: 'x:1' })).toEqual(other);
  expect(await way({}, { IMMUDB_ADDRESS: 'x:1' })).toEqual(other);
  expect(await way({}, { IMMUDB_URL: 'immudb://x:1' })).toEqual(other);
  expect(await way({ address: 'prod:1' })).toEqual(PROD);
  expect(await refused({ profile: 'default', address: 'x:1' })).toContain(
    'of another server than --address names',
  );
  expect(await refused({ profile: 'default' }, { IMMUDB_ADDRESS: 'x:1' })).toContain(
    'than the environment names',
  );
});

test('several servers, and replicas to read from: of them all, and of no other one', async () => {
  const login = { user: 'me', password: 'secret-7', database: 'books' };
  for (const places of [
    { address: 'a:1,b:2', 'read-from': 'c:3' },
    { address: ['a:1', 'b:2'], 'read-from': ['c:3'] },
    { address: 'immudb://a:1,b:2?readFrom=c:3' },
  ]) {
    await keep({ profiles: { default: { ...login, ...places } } });
    const all = { address: ['a:1', 'b:2'], readFrom: ['c:3'], ...login };
    expect(await way()).toEqual(all);
    expect(await way({ address: 'b:2' })).toEqual({ ...all, address: 'b:2' });
    expect(await way({ address: ['c:3,a:1'] })).toEqual({ ...all, address: ['c:3', 'a:1'] });
    expect(await way({ 'read-from': 'b:2' })).toEqual({ ...all, readFrom: ['b:2'] });
    expect(await way({ profile: 'default' }, { IMMUDB_ADDRESS: 'b:2' })).toEqual({ ...all, address: 'b:2' });
    // One that is another's is enough.
    expect(await way({ address: 'a:1,x:1' })).toMatchObject({ address: ['a:1', 'x:1'], password: 'immudb' });
    expect(await refused({ address: ['a:1', 'x:1'], profile: 'default' })).toContain('than --address names');
    expect(await refused({ 'read-from': ['x:1'] })).toContain('of another server than --read-from names');
    const around = { IMMUDB_ADDRESS: 'a:1', IMMUDB_READ_FROM: 'x:1' };
    expect(await refused({}, around)).toContain('of another server than IMMUDB_READ_FROM names');
  }
  for (const [places, says] of [
    [{ address: [] }, 'text, or an array of it, under "address"'],
    [{ address: ['a', ''] }, 'text, or an array of it, under "address"'],
    [{ address: 'a', 'read-from': [1] }, 'text, or an array of it, under "read-from"'],
    [{ 'read-from': 'a' }, 'has "read-from" without "address"'],
    [{ address: 'a,' }, 'the profile\'s "address" has an empty place'],
    [{ address: ['immudb://me:secret-7@a', 'b'] }, 'the profile\'s "address": a URL stands alone'],
  ] as const) {
    await keep({ profiles: { default: places } });
    expect(await refused()).toContain(says);
  }
});

test('files beside it, TLS, a URL, and what trust begins with', async () => {
  await mkdir(join(folder, 'keys'));
  await writeFile(join(folder, 'keys/ca.pem'), 'CA');
  await writeFile(join(folder, 'keys/state.pem'), 'KEY');
  await writeFile(join(folder, 'pw'), 'from a file\n');
  const pin = `7:${'ab'.repeat(32)}`;
  const more = {
    ca: 'keys/ca.pem',
    'server-name': 'db',
    'password-file': 'pw',
    'state-key': 'keys/state.pem',
    pin,
  };
  await keep({ profiles: { a: { address: 'immudb://me@h:1/books', ...more } } });
  expect(await way({ profile: 'a' })).toEqual({
    ...{ address: 'h:1', user: 'me', password: 'from a file', database: 'books' },
    tls: { ca: Buffer.from('CA'), serverName: 'db' },
  });
  const words = { ...NONE, 'state-key': undefined, pin: undefined, profile: 'a' };
  const trust = await trustOf(words, { env: { IMMU_TS_CONFIG: path } });
  expect(trust).toMatchObject({ serverPublicKey: Buffer.from('KEY'), trust: { policy: 'pinned', tx: 7n } });
  // Of another server it says nothing.
  await keep({ profiles: { default: { address: 'h:1', pin } } });
  const elsewhere = { ...words, profile: undefined, address: 'x:1' };
  expect(await trustOf(elsewhere, { env: { IMMU_TS_CONFIG: path } })).toEqual({});
});

test.skipIf(process.platform === 'win32')('a password that others may read is refused', async () => {
  for (const mode of [0o640, 0o604, 0o620]) {
    for (const profile of [PROD, { address: 'immudb://me:secret-7@h' }]) {
      await keep({ profiles: { prod: profile, other: {} } }, mode);
      expect(await refused({ profile: 'other' })).toContain(
        'others than their owner may read them: chmod 600',
      );
    }
  }
  await keep({ profiles: { prod: { address: 'prod:1' } } }, 0o644);
  expect(await way({ profile: 'prod' })).toMatchObject({ address: 'prod:1' });
});

test('where it is: in the folder of the user, and no file is no profile', async () => {
  const env = { HOME: folder };
  const plain = (more: object, words: Partial<Words> = {}) =>
    wayTo({ ...NONE, ...words }, { env: { ...env, ...more } });
  expect(await plain({})).toMatchObject({ address: 'localhost:3322' });
  await mkdir(join(folder, '.config/immu-ts'), { recursive: true });
  path = join(folder, '.config/immu-ts/config.json');
  await keep({ profiles: { default: { address: 'home:1' } } });
  expect(await plain({})).toMatchObject({ address: 'home:1' });
  expect(await plain({ XDG_CONFIG_HOME: join(folder, 'none') })).toMatchObject({ address: 'localhost:3322' });
  await expect(plain({ XDG_CONFIG_HOME: join(folder, 'none') }, { profile: 'a' })).rejects.toThrow(
    'no profile "a": there is no file',
  );
  expect(await wayTo(NONE, { env: {} })).toMatchObject({ address: 'localhost:3322' });
});

describe('what is wrong with it', () => {
  test.for<[unknown, string]>([
    ['{"profiles": {"a": {"password": "secret-7"', 'are not JSON'],
    [[], 'must be an object'],
    [{ profiles: [] }, 'must have an object under "profiles"'],
    [{ profile: 7 }, 'must have a name under "profile"'],
    [{ profils: {} }, 'must not have "profils" (did you mean profiles?)'],
    [{ profiles: { a: 'secret-7' } }, '"a" must be an object'],
    [{ profiles: { a: { pasword: 'secret-7' } } }, '"a" must not have "pasword" (did you mean password?)'],
    [{ profiles: { a: { user: 7 } } }, '"a" must have text under "user"'],
    [{ profiles: { a: { tls: 'yes' } } }, '"a" must have true or false under "tls"'],
    [
      { profiles: { a: { password: 'secret-7', 'password-file': 'b' } } },
      'both "password" and "password-file"',
    ],
    [{ profiles: { prod: {} } }, 'have no "a"'],
    [{ profile: 'b', profiles: { prod: {} } }, 'have no "a"'],
    ['x'.repeat(2_000_000), 'are too long'],
  ])('%j', async ([content, words]) => {
    await keep(content);
    expect(await refused({ profile: 'a' })).toContain(words);
  });

  test('a file that was named, and is not there', async () => {
    expect(await refused()).toContain('are not there');
  });
});
