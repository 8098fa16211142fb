// Sessions on a real immudb: opened once, kept alive, opened again when lost; no write is done twice.
import { inspect } from 'node:util';
import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { health, serverInfo } from '#dist/client/calls/admin/server-info.js';
import { isNotDone } from '#dist/client/net/server-errors.js';
import { ServerError } from '#dist/errors.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { codeOf, connect, failure, get, setEntries } from './support.js';

const entry = (key: string, value: string) => ({ key: Buffer.from(key), value: Buffer.from(value) });

/** Sessions of a user end when its permission changes; the user is made for this test. */
async function makeUser(database: string): Promise<{ name: string; endSessions: () => Promise<unknown> }> {
  const admin = await WireClient.open(sharedImmudb(), database);
  const name = `u${database}`;
  const user = Buffer.from(name);
  await admin.call('CreateUser', { user, password: Buffer.from('Passw0rd!'), permission: 2, database });
  return {
    name,
    endSessions: () =>
      admin.call('ChangePermission', { action: 'GRANT', username: name, database, permission: 2 }),
  };
}

describeReal('sessions', () => {
  test('many calls at once open one session; the identity is known after the first', async () => {
    await using client = connect(sharedImmudb(), { database: await freshDatabase() });
    const reads = Array.from({ length: 50 }, () => get(client.session, 'nothing'));
    expect(new Set(await Promise.all(reads))).toEqual(new Set([null]));
    expect(client.channel.sent.filter((method) => method === 'OpenSession')).toHaveLength(1);
    expect(new Set(client.identities).size).toBe(1);
    expect(client.identities[0]).toMatch(/^[0-9a-v]{20}$/);
  });

  test('wrong user, wrong password, unknown database', async () => {
    for (const options of [{ user: 'nobody' }, { password: 'wrong' }]) {
      await using client = connect(sharedImmudb(), options);
      const error = await failure(client.session.unary('CurrentState', {}, {}));
      expect(error).toBeInstanceOf(ServerError);
      expect(error.code).toBe('WRONG_CREDENTIALS');
      expect(error.message).toContain('OpenSession');
    }
    await using client = connect(sharedImmudb(), { database: 'no_such_database' });
    expect(await codeOf(client.session.unary('CurrentState', {}, {}))).toBe('DATABASE_NOT_FOUND');
  });

  test('a login that fails is tried again by the next call, not before', async () => {
    await using client = connect(sharedImmudb(), { password: 'wrong' });
    await failure(client.session.unary('CurrentState', {}, {}));
    await failure(client.session.unary('CurrentState', {}, {}));
    expect(client.channel.sent).toEqual(['OpenSession', 'OpenSession']);
  });

  test('health and server info need no login', async () => {
    await using client = connect(sharedImmudb(), { password: 'wrong' });
    expect((await health(client.session, {})).healthy).toBe(true);
    expect((await serverInfo(client.session, {})).databases).toBeGreaterThan(0);
    expect(client.channel.sent).toEqual(['Health', 'ServerInfo']);
  });

  test('without login the server refuses: NOT_LOGGED_IN', async () => {
    await using client = connect(sharedImmudb(), { kind: 'anonymous' });
    for (const method of ['CurrentState', 'ListUsers'] as const) {
      expect(await codeOf(client.session.unary(method, {}, {}))).toBe('NOT_LOGGED_IN');
    }
  });

  test('a lost session is opened again once for all reads, and they are repeated', async () => {
    const database = await freshDatabase();
    const user = await makeUser(database);
    await using client = connect(sharedImmudb(), { database, user: user.name, password: 'Passw0rd!' });
    await setEntries(client.session, [entry('k', 'v')], {});
    await user.endSessions();
    client.channel.sent.length = 0;
    const found = await Promise.all(Array.from({ length: 40 }, () => get(client.session, 'k')));
    expect(found.every((one) => one && Buffer.from(one.value).toString() === 'v')).toBe(true);
    expect(client.channel.sent.filter((method) => method === 'OpenSession')).toHaveLength(1);
  });

  test('a write on a lost session goes out again over a new one, and is done once', async () => {
    const database = await freshDatabase();
    const user = await makeUser(database);
    await using client = connect(sharedImmudb(), { database, user: user.name, password: 'Passw0rd!' });
    const first = await setEntries(client.session, [entry('k', '1')], {});
    for (let i = 2; i < 5; i++) {
      await user.endSessions();
      client.channel.sent.length = 0;
      const next = await setEntries(client.session, [entry('k', String(i))], {});
      expect(next.tx).toBe(first.tx + BigInt(i) - 1n);
      expect(client.channel.sent).toEqual(['Set', 'OpenSession', 'Set']);
    }
  });

  test('whatever the call: a write by proof, one of an administrator', async () => {
    const database = await freshDatabase();
    const admin = await WireClient.open(sharedImmudb(), database);
    const { name } = await makeUser(database);
    const grant = (permission: number) =>
      admin.call('ChangePermission', { action: 'GRANT', username: name, database, permission });
    await grant(254);
    await using client = connect(sharedImmudb(), { database, user: name, password: 'Passw0rd!' });
    const request = { setRequest: { KVs: [entry('k', '1')] }, proveSinceTx: '0' };
    await client.session.raw('VerifiableSet', request, {});
    await grant(254);
    await client.session.raw('VerifiableSet', request, {});
    await grant(254);
    const user = Buffer.from(`${name}x`);
    const asked = { user, password: Buffer.from('Passw0rd!'), permission: 1, database };
    await client.session.unary('CreateUser', asked, {});
    expect(Number((await admin.call('CurrentState')).txId)).toBe(2);
    admin.close();
  });

  test('a write on a session that cannot be opened again says that too', async () => {
    const database = await freshDatabase();
    const user = await makeUser(database);
    await using client = connect(sharedImmudb(), { database, user: user.name, password: 'Passw0rd!' });
    await setEntries(client.session, [entry('k', '1')], {});
    const admin = await WireClient.open(sharedImmudb(), database);
    await admin.call('SetActiveUser', { active: false, username: user.name });
    const error = await failure(setEntries(client.session, [entry('k', '2')], {}));
    expect(error.code).toBe('SESSION_EXPIRED');
    expect(error.message).toContain('was not executed');
    expect(error.message).toContain('no new session could be opened');
    expect(isNotDone(error)).toBe(true);
    expect(await codeOf(get(client.session, 'k'))).toBe('WRONG_CREDENTIALS');
    admin.close();
  });

  test('closing gives the session back: the server knows it no more', async () => {
    const database = await freshDatabase();
    const client = connect(sharedImmudb(), { database });
    await client.session.unary('CurrentState', {}, {});
    await client.session.close();
    await client.session.close();
    expect(client.channel.sent).toEqual(['OpenSession', 'CurrentState', 'CloseSession']);
    expect(await codeOf(client.session.unary('CurrentState', {}, {}))).toBe('CLOSED');
    expect(await codeOf(client.session.unary('Set', {}, {}))).toBe('CLOSED');
    await client[Symbol.asyncDispose]();
  });

  test('closing while a session is being opened gives that one back', async () => {
    const client = connect(sharedImmudb());
    const call = failure(client.session.unary('CurrentState', {}, {})).catch(() => undefined);
    await client.session.close();
    await call;
    expect(client.channel.sent.filter((method) => method === 'CloseSession')).toHaveLength(1);
    await client[Symbol.asyncDispose]();
  });

  test('30 writes at once are too many for a server, 200 are not for a client', async () => {
    await using client = connect(sharedImmudb(), { database: await freshDatabase() });
    const writes = Array.from({ length: 200 }, (_, i) =>
      setEntries(client.session, [entry(`k${i}`, 'v')], {}),
    );
    const txs = new Set((await Promise.all(writes)).map(({ tx }) => tx));
    expect(txs.size).toBe(200);
  });
});

describeReal('tokens', () => {
  test('log in, are bound to the database, and log out', async () => {
    const database = await freshDatabase();
    await using client = connect(sharedImmudb(), { kind: 'token', database });
    await setEntries(client.session, [entry('k', 'v')], {});
    expect(await get(client.session, 'k')).not.toBeNull();
    await client.session.close();
    expect(client.channel.sent).toEqual(['Login', 'UseDatabase', 'Set', 'Get', 'Logout']);
    await using other = connect(sharedImmudb(), { database });
    expect(await get(other.session, 'k')).not.toBeNull();
  });

  test('wrong password, unknown database', async () => {
    await using client = connect(sharedImmudb(), { kind: 'token', password: 'wrong' });
    expect(await codeOf(client.session.unary('CurrentState', {}, {}))).toBe('WRONG_CREDENTIALS');
    await using lost = connect(sharedImmudb(), { kind: 'token', database: 'no_such_database' });
    expect(await codeOf(lost.session.unary('CurrentState', {}, {}))).toBe('DATABASE_NOT_FOUND');
  });
});

describePrivate('tokens', () => {
  test('a token that died is replaced, for reads and for writes', async () => {
    await using server = await startImmudb();
    await using client = connect(server.address, { kind: 'token' });
    await setEntries(client.session, [entry('k', 'v')], {});
    await server.restart();
    client.channel.sent.length = 0;
    expect(await get(client.session, 'k')).not.toBeNull();
    expect(client.channel.sent).toEqual(['Get', 'Login', 'UseDatabase', 'Get']);
    await server.restart();
    client.channel.sent.length = 0;
    expect((await setEntries(client.session, [entry('k', '2')], {})).tx).toBe(2n);
    expect(client.channel.sent).toEqual(['Set', 'Login', 'UseDatabase', 'Set']);
  });
});

describePrivate('a server that restarts', () => {
  test('reads go on over one new session for all; so do writes, that ask first', async () => {
    await using server = await startImmudb();
    await using client = connect(server.address);
    await setEntries(client.session, [entry('k', 'v')], {});

    await server.restart();
    client.channel.sent.length = 0;
    const found = await Promise.all(Array.from({ length: 30 }, () => get(client.session, 'k')));
    expect(found.every((one) => one !== null)).toBe(true);
    expect(client.channel.sent.filter((method) => method === 'OpenSession')).toHaveLength(1);

    // The connection is another one: the session is asked for before a write is risked on it.
    await server.restart();
    client.channel.sent.length = 0;
    const writes = ['a', 'b', 'c'].map((key) => setEntries(client.session, [entry(key, 'v2')], {}));
    const txs = (await Promise.all(writes)).map(({ tx }) => Number(tx));
    expect(txs.sort()).toEqual([2, 3, 4]);
    expect(client.channel.sent).toEqual(['KeepAlive', 'OpenSession', 'Set', 'Set', 'Set']);
  });

  test('what comes while it is away waits for it: reads, and writes, each done once', async () => {
    await using server = await startImmudb();
    await using client = connect(server.address);
    await setEntries(client.session, [entry('k', 'v')], {});
    await server.stop();
    const reads = Array.from({ length: 5 }, () => get(client.session, 'k'));
    const writes = ['a', 'b', 'c'].map((key) => setEntries(client.session, [entry(key, 'v2')], {}));
    await server.start();
    expect((await Promise.all(reads)).every((one) => one !== null)).toBe(true);
    expect((await Promise.all(writes)).map(({ tx }) => Number(tx)).sort()).toEqual([2, 3, 4]);
  });

  test('killed in the middle of calls: each ends typed, none twice', async () => {
    await using server = await startImmudb();
    await using client = connect(server.address, { timeoutMs: 3000 });
    await setEntries(client.session, [entry('k', 'v')], {});
    const big = Buffer.alloc(8 * 1024 * 1024);
    const writes = Array.from({ length: 6 }, (_, i) =>
      codeOf(setEntries(client.session, [{ key: Buffer.from(`big${i}`), value: big }], {})),
    );
    await server.kill();
    const codes = await Promise.all(writes);
    for (const code of codes) expect(['OUTCOME_UNKNOWN', 'UNAVAILABLE']).toContain(code);
    const error = await failure(get(client.session, 'k', { timeoutMs: 500 }));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toContain(server.address);
  });
});

describePrivate('a server that ends idle sessions after a second', () => {
  test('keep-alive keeps one; without it, reads and writes survive all the same', async () => {
    await using server = await startImmudb({ sessionTimeoutMs: 1000 });
    await using kept = connect(server.address, { keepAliveMs: 250 });
    await using idle = connect(server.address, { keepAliveMs: 800 });
    await using lazy = connect(server.address, { keepAliveMs: 0 });
    await Promise.all([kept, idle, lazy].map(({ session }) => session.unary('CurrentState', {}, {})));
    // As after a process was suspended: no heartbeat meanwhile.
    idle.session.rest();
    const witness = await WireClient.open(server.address);
    const seen = async () =>
      witness.call('CurrentState').then(
        () => true,
        () => false,
      );
    await expect.poll(seen, { timeout: 15_000, interval: 1600 }).toBe(false);
    for (const { channel } of [kept, idle, lazy]) channel.sent.length = 0;

    expect((await setEntries(idle.session, [entry('a', '1')], {})).tx).toBeGreaterThan(0n);
    expect(idle.channel.sent).toEqual(['KeepAlive', 'OpenSession', 'Set']);
    expect(await get(lazy.session, 'a')).not.toBeNull();
    expect(lazy.channel.sent).toEqual(['Get', 'OpenSession', 'Get']);
    await setEntries(kept.session, [entry('b', '1')], {});
    expect(kept.channel.sent).not.toContain('OpenSession');
    witness.close();
  });
});

describePrivate('a server without logins', () => {
  test('takes calls without headers; logging in is refused, typed', async () => {
    await using server = await startImmudb({ auth: false });
    await using client = connect(server.address, { kind: 'anonymous' });
    await setEntries(client.session, [entry('k', 'v')], {});
    expect((await get(client.session, 'k'))?.tx).toBe(1n);
    for (const kind of ['session', 'token'] as const) {
      await using login = connect(server.address, { kind });
      expect(await failure(login.session.unary('CurrentState', {}, {}))).toBeInstanceOf(ServerError);
    }
  });
});

describePrivate('a server with room for two sessions', () => {
  test('the third is OVERLOADED', async () => {
    await using server = await startImmudb({ maxSessions: 2 });
    await using one = connect(server.address);
    await using two = connect(server.address);
    await using three = connect(server.address);
    await one.session.unary('CurrentState', {}, {});
    await two.session.unary('CurrentState', {}, {});
    expect(await codeOf(three.session.unary('CurrentState', {}, {}))).toBe('OVERLOADED');
    await one.session.close();
    await three.session.unary('CurrentState', {}, {});
  });
});

describePrivate('secrets', () => {
  test('neither password, token nor session id is in any error, its cause, or what inspect shows of the client', async () => {
    const password = 'S3cret-Words!';
    await using server = await startImmudb({ adminPassword: password });
    const errors: unknown[] = [];
    const shown: string[] = [];
    const ids: string[] = [];
    const wrong = 'Wr0ng-Words!!';
    for (const kind of ['session', 'token'] as const) {
      await using client = connect(server.address, { kind, password, timeoutMs: 2000 });
      await using stranger = connect(server.address, { kind, password: wrong });
      errors.push(await failure(stranger.session.unary('CurrentState', {}, {})));
      const call = client.channel.unary.bind(client.channel);
      client.channel.unary = async (method, request, options) => {
        ids.push(...Object.values(options.metadata.getMap()).map(String));
        return call(method, request, options);
      };
      await client.session.unary('CurrentState', {}, {});
      errors.push(await failure(client.session.unary('Get', {}, {})));
      errors.push(await failure(client.session.unary('UseDatabase', { databaseName: 'x' }, {})));
      errors.push(await failure(client.session.unary('Get', {}, { signal: AbortSignal.abort() })));
      errors.push(await failure(client.session.unary('Get', { key: Buffer.from('k') }, { timeoutMs: 1 })));
      await server.restart();
      errors.push(await failure(client.channel.unary('Get', {}, { timeoutMs: 2000, metadata: meta(ids) })));
      errors.push(await failure(client.session.unary('Set', { KVs: [] }, {})));
      await server.kill();
      errors.push(await failure(client.session.unary('Get', {}, { timeoutMs: 200 })));
      shown.push(inspect(client, { depth: 20, showHidden: true }), inspect(stranger, { depth: 20 }));
      await server.start();
    }
    expect(ids.length).toBeGreaterThan(1);
    const all = [...shown, ...errors.flatMap((error) => everything(error))].join('\n');
    for (const secret of [password, wrong, ...ids]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString('hex'));
      expect(all).not.toContain(inspect(Buffer.from(secret)).slice(8, 40));
    }
  });
});

function meta(ids: string[]) {
  const metadata = new Metadata();
  metadata.set('sessionid', ids[0] ?? '');
  return metadata;
}

/** All ways in which an error may end up in a log. */
function everything(error: unknown): string[] {
  const { message, stack, cause } = error as Error;
  const own = [message, stack ?? '', JSON.stringify(error), inspect(error, { depth: 20, showHidden: true })];
  return cause === undefined ? own : [...own, ...everything(cause)];
}
