// Every step of immu-py's description, as a program ported from it would write it: the same names, the same order of
// arguments. On the embedded ledger and on a real immudb.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore, Permission, PermissionAction, VerificationError } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { codeOf, failure } from './support.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (entry: { value: Uint8Array } | null | undefined) =>
  entry ? Buffer.from(entry.value).toString() : entry;

interface Server extends AsyncDisposable {
  readonly address: string;
}

function stepByStep(start: () => Promise<Server>): void {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const connect = async () => {
    const client = new ImmuClient({
      address: server.address,
      store: new MemoryRootStore(),
      verifier: { threads: 0 },
    });
    await client.login('immudb', 'immudb');
    return client;
  };

  test('creating a client, user sessions', async () => {
    await using byText = new ImmuClient(server.address);
    expect(byText.databaseName).toBe('defaultdb');
    await using client = new ImmuClient({ address: server.address, store: new MemoryRootStore() });
    await client.login('immudb', 'immudb');
    await client.set(bytes('k'), bytes('v'));
    await client.logout();
    expect(await codeOf(client.get(bytes('k')))).toBe('NOT_LOGGED_IN');
    // The database third, as text or bytes.
    await client.login('immudb', 'immudb', bytes('defaultdb'));
    expect(text(await client.get(bytes('k')))).toBe('v');
    expect(await codeOf(client.login('immudb', 'immudb', 'nowhere'))).toBe('DATABASE_NOT_FOUND');
  });

  test('creating a database, setting the active one: named in bytes', async () => {
    await using client = await connect();
    expect(await client.createDatabase(bytes('db1'))).toBe(true);
    await client.useDatabase(bytes('db1'));
    expect(client.databaseName).toBe('db1');
    expect((await client.listDatabases()).map(({ name }) => name)).toContain('db1');
    const error = await failure(client.useDatabase(new Uint8Array([0xff, 0xfe])));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'database' });
  });

  test('traditional read and write', async () => {
    await using client = await connect();
    await client.set(bytes('k123'), bytes('value123'));
    expect(text(await client.get(bytes('k123')))).toBe('value123');
    expect(await client.get(bytes('no such key'))).toBeNull();
  });

  test('verified or safe read and write', async () => {
    await using client = await connect();
    try {
      await client.safeSet(bytes('k124'), new Uint8Array([1, 2, 3]));
      const result = await client.safeGet(bytes('k124'));
      expect(result?.value).toEqual(new Uint8Array([1, 2, 3]));
    } catch (error) {
      if (error instanceof VerificationError) throw new Error('would be handled here');
      throw error;
    }
  });

  test('multi-key read and write: a dictionary, and its keys', async () => {
    await using client = await connect();
    const dictionary = new Map([
      [bytes('key1'), bytes('value1')],
      [bytes('key2'), bytes('value2')],
    ]);
    await client.setAll(dictionary);
    const results = await client.getAll(dictionary.keys());
    expect(results.map(text)).toEqual(['value1', 'value2']);
    expect((await client.get([bytes('key1'), bytes('key2')])).map(text)).toEqual(['value1', 'value2']);
    // Any iterable of keys, verified too.
    expect((await client.getAll(new Set(['key2', 'none']))).map(text)).toEqual(['value2', null]);
    expect((await client.verifiedGetAll(dictionary.keys())).map(text)).toEqual(['value1', 'value2']);
    function* some(): Generator<string> {
      yield* ['key1', 'key1'];
    }
    expect((await client.verifiedGetAll(some())).map(text)).toEqual(['value1', 'value1']);
    expect([await client.getAll([]), await client.verifiedGetAll([])]).toEqual([[], []]);
    const misuse = [
      () => client.getAll('key1'),
      () => client.getAll(bytes('key1') as never),
      () => client.getAll(7 as never),
    ];
    for (const call of misuse)
      expect(await failure(call())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'keys' });
  });

  test('users: createUser(user, password, permission, database)', async () => {
    await using client = await connect();
    await client.createDatabase('ported', { ifNotExists: true });
    await client.createUser('newuser', 'Pw1:pasWoRd', Permission.RW, 'ported');
    const users = await client.listUsers();
    expect(users.find(({ name }) => name === 'newuser')?.permissions).toEqual([
      { database: 'ported', permission: Permission.RW },
    ]);
    await using own = new ImmuClient({ address: server.address, store: new MemoryRootStore() });
    await own.login('newuser', 'Pw1:pasWoRd', 'ported');
    await own.set('mine', 'v');
    // The database that was named, or none at all: never the one that happens to be selected.
    const lost = client.createUser('lost', 'Pw1:pasWoRd', Permission.RW, 'nowhere');
    expect((await failure(lost)).code).not.toBe('INVALID_ARGUMENT');
    expect((await client.listUsers()).map(({ name }) => name)).not.toContain('lost');
    // The order that this client had before.
    const before = client.createUser('lost', 'Pw1:pasWoRd', Permission.RW, { database: 'ported' } as never);
    const error = await failure(before);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'database' });
    expect(error.message).toContain('createUser(user, password, permission, database, options)');
  });

  test('changePassword(user, newPassword, oldPassword), under the same policy', async () => {
    await using client = await connect();
    await client.createUser('changing', 'Pw1:pasWoRd', Permission.R, 'defaultdb');
    await client.changePassword('changing', 'pW1:a0s98d7gfy', 'Pw1:pasWoRd');
    await using own = new ImmuClient({ address: server.address, store: new MemoryRootStore() });
    expect(await codeOf(own.login('changing', 'Pw1:pasWoRd'))).toBe('WRONG_CREDENTIALS');
    await own.login('changing', 'pW1:a0s98d7gfy');
    // Nothing is sent where that can do no good.
    expect(await failure(client.changePassword('changing', 'weak', 'pW1:a0s98d7gfy'))).toMatchObject({
      code: 'WEAK_PASSWORD',
      argument: 'newPassword',
    });
    const same = client.changePassword('changing', 'pW1:a0s98d7gfy', 'pW1:a0s98d7gfy');
    expect(await failure(same)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'newPassword' });
    // For whom the server looks at the old one, and for whom it does not.
    expect(await codeOf(client.changePassword('immudb', 'An0ther-one', 'wrong'))).toBe('WRONG_CREDENTIALS');
    await client.changePassword('changing', 'An0ther-one', 'not the old one');
  });

  test('changePermission in both orders', async () => {
    await using client = await connect();
    await client.createUser('promoted', 'Pw1:pasWoRd', Permission.R, 'defaultdb');
    const held = async () =>
      (await client.listUsers())
        .find(({ name }) => name === 'promoted')
        ?.permissions.map((one) => one.permission);
    await client.changePermission(PermissionAction.GRANT, 'promoted', bytes('defaultdb'), Permission.RW);
    expect(await held()).toEqual([Permission.RW]);
    await client.changePermission(PermissionAction.REVOKE, 'promoted', 'defaultdb', Permission.RW);
    expect(await held()).toEqual([]);
    await client.changePermission('promoted', 'defaultdb', Permission.R);
    expect(await held()).toEqual([Permission.R]);
    expect(await failure(client.changePermission(2 as never, 'x', 'defaultdb', Permission.R))).toMatchObject({
      argument: 'action',
    });
  });

  test('closing the client', async () => {
    const client = await connect();
    await client.shutdown();
    expect(await codeOf(client.get(bytes('k123')))).toBe('CLOSED');
  });
}

describe('on the embedded ledger', () => {
  stepByStep(() => EmbeddedLedger.start());
});

describePrivate('on an immudb', () => {
  stepByStep(() => startImmudb());
});
