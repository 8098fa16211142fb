// Unverified reads and writes, databases and the server's words about itself, on a real immudb.
import { beforeAll, expect, test } from 'vitest';
import { createDatabase, listDatabases } from '#dist/client/calls/admin/databases.js';
import { getEntry } from '#dist/client/calls/kv/kv.js';
import type { Version } from '#dist/client/input/get-options.js';
import type { Pairs } from '#dist/client/calls/kv/contents.js';
import type { CallOptions } from '#dist/client/input/call-options.js';
import { claimedState, health, serverInfo } from '#dist/client/calls/admin/server-info.js';
import { ServerError } from '#dist/errors.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { codeOf, connect, failure, getAll, setEntries, toEntries } from './support.js';
import type { Connected } from './support.js';

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

describeReal('KV', () => {
  let database: string;
  let client: Connected;
  let wire: WireClient;
  beforeAll(async () => {
    database = await freshDatabase();
    client = connect(sharedImmudb(), { database });
    wire = await WireClient.open(sharedImmudb(), database);
    return async () => {
      wire.close();
      await client[Symbol.asyncDispose]();
    };
  });
  const set = (pairs: Pairs) => setEntries(client.session, toEntries(pairs), {});
  const get = (key: string, version: Version = {}, options: CallOptions = {}) =>
    getEntry(client.session, Buffer.from(key), version, options);

  test('what is set is got, byte for byte, with its tx and revision', async () => {
    const key = new Uint8Array([0, 255, 128]);
    const value = new Uint8Array([1, 0, 2, 254]);
    const { tx, timestamp } = await setEntries(client.session, [{ key, value }], {});
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    const entry = await getEntry(client.session, key, {}, {});
    expect(entry).toEqual({ key, value, tx, revision: 1n });
    expect(Buffer.isBuffer(entry?.value)).toBe(false);
    // Its own memory: a small value does not hold on to a large answer.
    expect(entry?.value.buffer.byteLength).toBe(4);
  });

  test('a missing key is null; an empty value is a value', async () => {
    expect(await get('missing')).toBeNull();
    await set({ empty: '' });
    expect((await get('empty'))?.value).toEqual(new Uint8Array(0));
  });

  test('versions: atTx, sinceTx, atRevision', async () => {
    const one = await set({ v: '1' });
    const two = await set({ v: '2' });
    expect(text((await get('v', { atTx: one.tx }))?.value)).toBe('1');
    expect(text((await get('v', { sinceTx: two.tx }))?.value)).toBe('2');
    expect(text((await get('v', { atRevision: 1n }))?.value)).toBe('1');
    expect(text((await get('v', { atRevision: -1n }))?.value)).toBe('1');
    expect(text((await get('v', { atRevision: 0n }))?.value)).toBe('2');
    expect(await get('v', { atRevision: 3n })).toBeNull();
    expect(await get('v', { atRevision: -2n })).toBeNull();
    expect(await get('other', { atTx: one.tx })).toBeNull();
    const future = await failure(get('v', { atTx: two.tx + 1000n }));
    expect(future).toBeInstanceOf(ServerError);
    expect(future.message).toContain('no such transaction');
    expect(await codeOf(get('v', { sinceTx: two.tx + 1000n }))).toBe('SERVER_REFUSED');
  });

  test('setAll keeps all entries in one tx; getAll keeps the order, with null for what is missing', async () => {
    const { tx } = await set(
      new Map([
        ['m1', '1'],
        ['m2', '2'],
        ['m3', '3'],
      ]),
    );
    const found = await getAll(client.session, ['m3', 'none', 'm1', 'm3', Buffer.from('m2')]);
    expect(found.map((entry) => entry && text(entry.value))).toEqual(['3', null, '1', '3', '2']);
    expect(new Set(found.map((entry) => entry?.tx))).toEqual(new Set([tx, undefined]));
    expect(await codeOf(getAll(client.session, ['a', '']))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(getAll(client.session, 'ab' as never))).toBe('INVALID_ARGUMENT');
  });

  test('1024 entries in one tx', async () => {
    const pairs = Array.from({ length: 1024 }, (_, i): [string, string] => [`bulk${i}`, `${i}`]);
    const { tx } = await set(pairs);
    const found = await getAll(
      client.session,
      pairs.map(([key]) => key),
    );
    expect(found.every((entry, i) => entry?.tx === tx && text(entry.value) === `${i}`)).toBe(true);
  });

  test('the longest key and a value beyond 4 MiB', async () => {
    const key = 'k'.repeat(1023);
    const value = Buffer.alloc(6 * 1024 * 1024, 3);
    await set([[key, value]]);
    expect(Buffer.from((await get(key))?.value ?? []).equals(value)).toBe(true);
  });

  test('references, deletions, expiry and metadata are told apart', async () => {
    const { tx } = await set({ target: 'behind' });
    await wire.call('SetReference', { key: Buffer.from('ref'), referencedKey: Buffer.from('target') });
    await wire.call('SetReference', {
      key: Buffer.from('bound'),
      referencedKey: Buffer.from('target'),
      atTx: tx.toString(),
      boundRef: true,
    });
    const ref = await get('ref');
    expect([text(ref?.key), text(ref?.value), text(ref?.reference?.key), ref?.reference?.atTx]).toEqual([
      'target',
      'behind',
      'ref',
      0n,
    ]);
    expect((await get('bound'))?.reference).toMatchObject({ atTx: tx });
    const [byReference] = await getAll(client.session, ['ref']);
    expect(text(byReference?.value)).toBe('behind');

    const later = Math.floor(Date.now() / 1000) + 3600;
    const expiration = (expiresAt: number) => ({ expiration: { expiresAt: String(expiresAt) } });
    const kv = (key: string, metadata: object) => ({
      KVs: [{ key: Buffer.from(key), value: Buffer.from('x'), metadata }],
    });
    await wire.call('Set', kv('lives', expiration(later)));
    await wire.call('Set', kv('expired', expiration(1)));
    expect((await get('lives'))?.metadata).toEqual({ expiresAt: BigInt(later) });
    expect(await get('expired')).toBeNull();
    await wire.call('Delete', { keys: [Buffer.from('target')] });
    expect(await get('target')).toBeNull();
    expect(await getAll(client.session, ['target', 'lives'])).toMatchObject([null, { revision: 1n }]);
  });

  test('the state, health and server info', async () => {
    const { tx } = await set({ last: '1' });
    const state = await claimedState(client.session, {});
    expect(state).toMatchObject({ database, tx });
    expect(state.alh).toHaveLength(32);
    expect(state.signature).toBeUndefined();
    expect((await health(client.session, {})).healthy).toBe(true);
    const info = await serverInfo(client.session, {});
    expect(info.startedAt.getTime()).toBeLessThanOrEqual(Date.now());
    expect(info.transactions).toBeGreaterThan(0n);
    expect(typeof info.diskBytes).toBe('bigint');
  });

  test('deadlines and signals reach the server call', async () => {
    expect(await codeOf(get('v', {}, { signal: AbortSignal.abort() }))).toBe('ABORTED');
    expect(await codeOf(get('v', {}, { timeoutMs: 0 }))).toBe('INVALID_ARGUMENT');
  });
});

describeReal('limits of a database', () => {
  test('keys, values and entries over its limits are LIMIT_EXCEEDED, and nothing is written', async () => {
    const settings = { maxKeyLen: 16, maxValueLen: 32, maxTxEntries: 4 };
    await using client = connect(sharedImmudb(), { database: await freshDatabase(sharedImmudb(), settings) });
    const set = (pairs: Pairs) => setEntries(client.session, toEntries(pairs), {});
    await set({ ['k'.repeat(15)]: 'v'.repeat(31), b: '', c: '', d: '' });
    expect((await failure(set({ ['k'.repeat(16)]: '' }))).message).toContain('a key is too long');
    expect(await codeOf(set({ k: 'v'.repeat(32) }))).toBe('LIMIT_EXCEEDED');
    expect((await failure(set({ a: '', b: '', c: '', d: '', e: '' }))).message).toContain('too many entries');
    expect((await claimedState(client.session, {})).tx).toBe(1n);
  });

  test('a request over the 32 MiB that a server takes', async () => {
    await using client = connect(sharedImmudb(), { database: await freshDatabase() });
    const value = Buffer.alloc(17 * 1024 * 1024);
    const error = await failure(setEntries(client.session, toEntries({ a: value, b: value }), {}));
    expect(error.code).toBe('LIMIT_EXCEEDED');
    expect(error.message).toContain('larger than the server takes');
  });

  test('preconditions that fail', async () => {
    await using client = connect(sharedImmudb(), { database: await freshDatabase() });
    const key = Buffer.from('k');
    const request = { KVs: [{ key, value: key }], preconditions: [{ keyMustExist: { key } }] };
    expect(await codeOf(client.session.unary('Set', request, {}))).toBe('PRECONDITION_FAILED');
  });
});

describeReal('databases', () => {
  test('are created once, listed, and can be used', async () => {
    await using client = connect(sharedImmudb());
    const name = `D${Date.now().toString(36)}`;
    const settings = { excludeCommitTime: true, maxTxEntries: 7, maxKeyBytes: 100, maxValueBytes: 200 };
    expect(await createDatabase(client.session, name, { settings })).toBe(true);
    expect(await createDatabase(client.session, name, { ifNotExists: true })).toBe(false);
    const twice = await failure(createDatabase(client.session, name, {}));
    expect(twice.code).toBe('SERVER_REFUSED');
    expect(twice.message).toContain('already exists');
    expect((await failure(createDatabase(client.session, 'systemdb', {}))).message).toContain('reserved');
    const listed = (await listDatabases(client.session, {})).find((one) => one.name === name.toLowerCase());
    expect(listed).toMatchObject({ loaded: true, transactions: 0n });

    const other = client.also('session', {
      user: 'immudb',
      password: 'immudb',
      database: name.toLowerCase(),
    });
    const written = await setEntries(other, toEntries({ k: 'v' }), {});
    expect(written).toEqual({ tx: 1n, timestamp: 0n });
    expect(await getEntry(client.session, Buffer.from(`${name}k`), {}, {})).toBeNull();
  });

  test('wrong names and settings are named before anything is sent', async () => {
    await using client = connect(sharedImmudb());
    const create = (name: unknown, options: object = {}) =>
      failure(createDatabase(client.session, name as string, options)).then((error) => error.message);
    expect(await create('a-b')).toContain('database');
    expect(await create(undefined)).toContain('database');
    expect(await create('x', { settings: { maxKeyLength: 5 } })).toContain('maxKeyLength');
    expect(await create('x', { settings: { maxKeyBytes: 0 } })).toContain('settings.maxKeyBytes');
    expect(await create('x', { settings: { excludeCommitTime: 1 } })).toContain('excludeCommitTime');
    expect(await create('x', { ifNotExists: 'yes' })).toContain('ifNotExists');
    expect(client.channel.sent).toEqual([]);
  });

  test('one that does not exist cannot be selected', async () => {
    await using client = connect(sharedImmudb());
    expect(await codeOf(client.session.unary('UseDatabase', { databaseName: 'nowhere' }, {}))).toBe(
      'DATABASE_NOT_FOUND',
    );
  });
});
