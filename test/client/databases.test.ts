// Databases of a server: all their settings, loaded, unloaded, truncated and deleted, and what trust has to do with it.
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { ChangedSettings, DatabaseSettings } from '#dist/index.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate, describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { USER, openClient, openWire, rejection, rowsOf, text } from '../trust/support.js';

const DAY_MS = 86_400_000n;

/** One of each, none of them a default but the one that goes with embedded values. */
const SETTINGS: DatabaseSettings = {
  fileBytes: 1 << 20,
  maxKeyBytes: 100,
  maxValueBytes: 2000,
  maxTxEntries: 50,
  embeddedValues: true,
  preallocFiles: true,
  excludeCommitTime: true,
  writeTxHeaderVersion: 0,
  autoload: false,
  maxConcurrency: 7,
  maxIOConcurrency: 1,
  maxActiveTransactions: 71,
  mvccReadSetLimit: 72,
  readTxPoolSize: 73,
  syncFrequencyMs: 21n,
  writeBufferBytes: 1 << 21,
  txLogCacheSize: 74,
  vLogCacheSize: 75,
  vLogMaxOpenedFiles: 11,
  txLogMaxOpenedFiles: 12,
  commitLogMaxOpenedFiles: 13,
  index: {
    maxNodeBytes: 8192,
    flushThreshold: 1001,
    syncThreshold: 10_002,
    cacheBytes: 1 << 22,
    flushBufferBytes: 8193,
    cleanupPercentage: 12.5,
    compactionThreshold: 3,
    delayDuringCompactionMs: 11,
    maxActiveSnapshots: 14,
    renewSnapshotAfterMs: 1003n,
    maxBulkSize: 2,
    bulkPreparationTimeoutMs: 22n,
    nodesLogMaxOpenedFiles: 15,
    historyLogMaxOpenedFiles: 16,
    commitLogMaxOpenedFiles: 17,
  },
  historyTree: { syncThreshold: 1004, writeBufferBytes: 1 << 20 },
  truncation: { retentionMs: 2n * DAY_MS, frequencyMs: 3_600_000n },
  replication: {
    replica: false,
    syncReplication: true,
    syncAcks: 1,
  },
};

describePrivate('settings of a database', () => {
  test('are given and read back, every one', async () => {
    await using server = await startImmudb();
    await using client = new ImmuClient({
      address: server.address,
      credentials: USER,
      store: new MemoryRootStore(),
    });
    await client.createDatabase('all', { settings: SETTINGS });
    const read = await client.databaseSettings('all');
    expect(read).toMatchObject(SETTINGS);
    const { replication, ...rest } = read;
    expect(Object.keys(rest).sort()).toEqual(
      Object.keys(SETTINGS)
        .filter((name) => name !== 'replication')
        .sort(),
    );
    expect(Object.keys(read.index ?? {}).sort()).toEqual(Object.keys(SETTINGS.index ?? {}).sort());
    expect(Object.keys(replication ?? {})).toHaveLength(12);
    const listed = (await client.listDatabases()).find(({ name }) => name === 'all');
    expect(listed?.settings).toEqual(read);

    const primary = {
      replica: true,
      primaryDatabase: 'p',
      primaryHost: 'localhost',
      primaryPort: 1,
      allowTxDiscarding: true,
      skipIntegrityCheck: true,
      waitForIndexing: true,
      prefetchTxBufferSize: 101,
      replicationCommitConcurrency: 11,
    };
    const secret = { primaryUsername: 'u', primaryPassword: 'not to be shown' };
    await client.createDatabase('copy', {
      settings: { maxIOConcurrency: 2, replication: { ...primary, ...secret } },
    });
    const copy = await client.databaseSettings('copy');
    expect(copy.maxIOConcurrency).toBe(2);
    expect(copy.replication).toMatchObject({ ...primary, primaryUsername: 'u' });
    const all = await client.databases.list();
    expect(inspect([copy, all], { depth: 9 })).not.toContain('shown');
  });

  test('a database made anew under the name of a deleted one is a first contact', async () => {
    await using server = await startImmudb();
    const store = new MemoryRootStore();
    const options = { address: server.address, credentials: USER, store };
    await using client = new ImmuClient(options);
    await client.createDatabase('again');
    const handle = client.database('again');
    await handle.verifiedSetAll([
      ['a', '1'],
      ['b', '2'],
    ]);
    const before = await handle.verifiedSet('c', '3');
    await client.unloadDatabase('again');
    await client.deleteDatabase('again', { confirm: 'AGAIN', reason: 'a rehearsal' });
    const [end] = await rowsOf(store, { outcome: 'forget' });
    expect(end).toMatchObject({
      database: 'again',
      operation: 'deleteDatabase',
      detail: 'a rehearsal',
      tx: before.tx,
      alh: new Uint8Array(before.alh),
    });
    expect((await rejection(handle.verifiedGet('c'))).code).toBe('DATABASE_NOT_FOUND');
    // As 1.11.1 wants it: the name is free when the server was started anew.
    await server.restart();
    await client.createDatabase('again');
    expect((await handle.verifiedSet('c', 'new')).tx).toBe(1n);
    expect(text((await handle.verifiedGet('c'))?.value)).toBe('new');
    await using later = new ImmuClient(options);
    expect(text((await later.database('again').verifiedGet('c'))?.value)).toBe('new');
  });
});

describeServer('a database', () => {
  test('is listed with its settings, its age and who made it', async () => {
    const { client, database } = await openClient();
    const [own] = (await client.listDatabases()).filter(({ name }) => name === database);
    expect(own).toMatchObject({
      loaded: true,
      createdBy: 'immudb',
      settings: { maxKeyBytes: 1024, autoload: true },
    });
    expect(Math.abs((own?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
  });

  test('is changed, and what is not named stays', async () => {
    const { client, database } = await openClient({
      database: await freshDatabase(undefined, { maxConcurrency: 9, maxTxEntries: 77 }),
    });
    const change: ChangedSettings = {
      autoload: false,
      syncFrequencyMs: 33n,
      truncation: { retentionMs: 3n * DAY_MS },
    };
    const changed = await client.updateDatabase(database, change);
    expect(changed).toMatchObject({ ...change, maxConcurrency: 9, maxTxEntries: 77 });
    // Of the database that is selected.
    expect(await client.databaseSettings()).toEqual(changed);
    expect(await client.updateDatabase(database, {})).toEqual(changed);
    const handle = client.database(database);
    expect((await handle.verifiedSet('still', 'there')).tx).toBe(1n);
  });

  test('is unloaded and loaded again: handles, sessions and trust go on', async () => {
    const { client, database } = await openClient();
    const other = client.database(await freshDatabase());
    const handle = client.database(database);
    const { tx } = await handle.verifiedSet('k', 'v');
    expect(await rejection(client.loadDatabase(database))).toMatchObject({ code: 'PRECONDITION_FAILED' });
    await client.unloadDatabase(database);
    expect((await client.listDatabases()).find(({ name }) => name === database)?.loaded).toBe(false);
    const calls = [
      handle.get('k'),
      handle.verifiedGet('k'),
      handle.set('k', 'w'),
      handle.verifiedSet('k', 'w'),
    ];
    for (const { code } of await Promise.all(calls.map(rejection))) expect(code).toBe('DATABASE_CLOSED');
    expect(await rejection(client.unloadDatabase(database))).toMatchObject({ code: 'DATABASE_CLOSED' });
    expect(await rejection(client.truncateDatabase(database, { retentionMs: DAY_MS }))).toMatchObject({
      code: 'DATABASE_CLOSED',
    });
    await other.verifiedSet('k', 'elsewhere');
    await client.loadDatabase(database);
    expect((await handle.verifiedGet('k'))?.tx).toBe(tx);
    expect((await handle.verifiedSet('k', 'w')).tx).toBe(tx + 1n);
  });

  test('is deleted when it is unloaded and named twice, and its trust ends', async () => {
    const { client, store, database } = await openClient();
    const doomed = await freshDatabase();
    const handle = client.database(doomed);
    await handle.verifiedSet('k', 'v');
    expect(await rejection(client.deleteDatabase(doomed, { confirm: doomed }))).toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await client.unloadDatabase(doomed);
    for (const confirm of [database, '', undefined, 7, 'no name'])
      expect(await rejection(client.deleteDatabase(doomed, { confirm: confirm as string }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'confirm',
      });
    expect(await rowsOf(store, { outcome: 'forget' })).toEqual([]);
    await client.deleteDatabase(doomed, { confirm: Buffer.from(doomed) });
    expect(await rowsOf(store, { outcome: 'forget' })).toMatchObject([
      { database: doomed, operation: 'deleteDatabase', detail: 'the database was deleted' },
    ]);
    expect((await client.listDatabases()).map(({ name }) => name)).not.toContain(doomed);
    expect((await rejection(handle.get('k'))).code).toBe('DATABASE_NOT_FOUND');
    expect(await rejection(client.deleteDatabase(doomed, { confirm: doomed }))).toMatchObject({
      code: 'DATABASE_NOT_FOUND',
    });
    expect(await rejection(client.loadDatabase(doomed))).toMatchObject({ code: 'DATABASE_NOT_FOUND' });
    // The one that is selected knows nothing of it.
    await client.verifiedSet('k', 'v');
  });

  test('that is deleted is recorded, whether it was trusted or not', async () => {
    const { client, store } = await openClient();
    const doomed = await freshDatabase();
    await client.unloadDatabase(doomed);
    await client.deleteDatabase(doomed, { confirm: doomed, reason: 'never used' });
    expect(await rowsOf(store, { outcome: 'forget' })).toMatchObject([
      { database: doomed, detail: 'never used' },
    ]);
  });

  test('is deleted, and says so, where the store does not take the end of trust', async () => {
    const store = new MemoryRootStore();
    store.forget = () => Promise.reject(new Error('disk full'));
    const { client } = await openClient({ store });
    const doomed = await freshDatabase();
    await client.unloadDatabase(doomed);
    const error = await rejection(client.deleteDatabase(doomed, { confirm: doomed }));
    expect(error).toMatchObject({ code: 'STORE_FAILED' });
    expect(error.message).toContain(`${doomed} was deleted`);
  });

  test('is truncated: what is old enough, in a transaction of its own', async () => {
    // Header times are 0, so everything is old.
    const old = await freshDatabase(undefined, { excludeCommitTime: true });
    const { client } = await openClient({ database: old });
    await client.verifiedSetAll([['a', '1']]);
    const { tx } = await client.verifiedSet('a', '2');
    const wire = await openWire(old);
    await client.truncateDatabase(old, { retentionMs: DAY_MS });
    expect((await wire.call('CurrentState')).txId).toBe(String(tx + 1n));
    expect(text((await client.verifiedGet('a'))?.value)).toBe('2');
    const young = await freshDatabase();
    const handle = client.database(young);
    await handle.set('k', 'v');
    for (const retentionMs of [0n, DAY_MS, 9_223_372_036_854n])
      expect(await rejection(client.truncateDatabase(young, { retentionMs }))).toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
  });

  test('of the old format is truncated, and proven on: its transaction of that says nothing', async () => {
    const old = await freshDatabase(undefined, { excludeCommitTime: true, writeTxHeaderVersion: 0 });
    const { client } = await openClient({ database: old });
    const { tx } = await client.verifiedSet('a', '1');
    await client.truncateDatabase(old, { retentionMs: DAY_MS });
    expect((await client.verifiedSet('b', '2')).tx).toBe(tx + 2n);
    expect(text((await client.verifiedGet('a'))?.value)).toBe('1');
    expect((await client.audit.database()).ok).toBe(true);
  });

  test('has its index flushed and compacted, and says how busy it is', async () => {
    const busy = await freshDatabase(undefined, { indexSettings: { compactionThld: { value: 1 } } });
    const { client } = await openClient({ database: busy });
    const handle = client.database(busy);
    expect(await client.databaseHealth()).toEqual({ pendingRequests: 0n, lastRequestCompletedAt: null });
    await handle.set('k', 'v');
    const { lastRequestCompletedAt } = await handle.databaseHealth();
    expect(Math.abs((lastRequestCompletedAt?.getTime() ?? 0) - Date.now())).toBeLessThan(600_000);
    await handle.flushIndex();
    await handle.set('k', 'w');
    await client.flushIndex({ cleanupPercentage: 50, synced: true });
    await handle.compactIndex();
    expect(text((await handle.verifiedGet('k'))?.value)).toBe('w');
  });

  test.each([
    ['load', (client: ImmuClient) => client.loadDatabase('never_made')],
    ['unload', (client: ImmuClient) => client.unloadDatabase('never_made')],
    ['update', (client: ImmuClient) => client.updateDatabase('never_made', {})],
    ['truncate', (client: ImmuClient) => client.truncateDatabase('never_made', { retentionMs: 0n })],
    ['delete', (client: ImmuClient) => client.deleteDatabase('never_made', { confirm: 'never_made' })],
    ['settings', (client: ImmuClient) => client.databaseSettings('never_made')],
  ])('that is not there: %s', async (_, call) => {
    const { client } = await openClient();
    expect(await rejection(call(client))).toMatchObject({ code: 'DATABASE_NOT_FOUND' });
  });

  test.each([
    ['load', (client: ImmuClient) => client.loadDatabase('defaultdb')],
    ['unload', (client: ImmuClient) => client.unloadDatabase('defaultdb')],
    ['update', (client: ImmuClient) => client.updateDatabase('defaultdb', {})],
    ['truncate', (client: ImmuClient) => client.truncateDatabase('defaultdb', { retentionMs: 0n })],
    ['delete', (client: ImmuClient) => client.deleteDatabase('defaultdb', { confirm: 'defaultdb' })],
  ])("that is the server's own: %s", async (_, call) => {
    const { client, store } = await openClient();
    expect(await rejection(call(client))).toMatchObject({ code: 'SERVER_REFUSED' });
    expect(await rowsOf(store, { outcome: 'forget' })).toEqual([]);
  });
});

describeServer('SQL privileges', () => {
  test('are given and taken away; the sessions of the user end', async () => {
    const { client, database } = await openClient();
    const user = `sql_${database}`;
    await client.createUser(user, 'Passw0rd!', 1, database);
    const held = async () => {
      const [found] = (await client.listUsers()).filter(({ name }) => name === user);
      return found?.sqlPrivileges.filter((one) => one.database === database).map((one) => one.privilege);
    };
    expect(await held()).toEqual(['SELECT']);
    const credentials = { user, password: 'Passw0rd!', database };
    await using theirs = new ImmuClient({
      address: sharedImmudb(),
      credentials,
      store: new MemoryRootStore(),
      keepAliveMs: 0,
    });
    await theirs.get('k');
    const wire = await WireClient.open(sharedImmudb(), database, user, 'Passw0rd!');
    await wire.call('CurrentState');
    await client.changeSqlPrivileges(user, database, 'grant', ['INSERT', 'UPDATE']);
    expect((await held())?.sort()).toEqual(['INSERT', 'SELECT', 'UPDATE']);
    await expect(wire.call('CurrentState')).rejects.toMatchObject({ details: 'session not found' });
    wire.close();
    // The client opens a new one.
    expect(await theirs.get('k')).toBeNull();
    await client.changeSqlPrivileges(user, database, 'revoke', ['SELECT', 'UPDATE']);
    expect(await held()).toEqual(['INSERT']);
    const other = await freshDatabase();
    expect(await rejection(client.changeSqlPrivileges(user, other, 'grant', ['DROP']))).toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(
      await rejection(client.changeSqlPrivileges('nobody_here', database, 'grant', ['DROP'])),
    ).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('what cannot be sent is named, and not sent', () => {
  /** Where nobody answers: whatever is sent would be told as such. */
  const client = new ImmuClient({
    address: '127.0.0.1:1',
    credentials: USER,
    store: new MemoryRootStore(),
    timeoutMs: 300,
    retry: { attempts: 1 },
  });
  afterAll(() => client.close());
  const nested = (depth: number): object => (depth === 0 ? {} : { index: nested(depth - 1) });
  test.each<[string, string, () => Promise<unknown>]>([
    ['an unknown setting', 'settings', () => client.updateDatabase('x', { maxKeyLen: 7 } as object)],
    [
      'an unknown one of the index',
      'settings.index',
      () => client.updateDatabase('x', { index: { size: 1 } } as object),
    ],
    ['settings in settings', 'settings.index', () => client.updateDatabase('x', nested(99))],
    ['no settings', 'settings', () => client.updateDatabase('x', undefined as never)],
    ['settings that are text', 'settings', () => client.createDatabase('x', { settings: 'all' as never })],
    ['a list of settings', 'settings', () => client.createDatabase('x', { settings: [] as never })],
    [
      'one that is fixed',
      'settings.maxKeyBytes',
      () => client.updateDatabase('x', { maxKeyBytes: 7 } as object),
    ],
    [
      'one of the index that is fixed',
      'settings.index.maxNodeBytes',
      () => client.updateDatabase('x', { index: { maxNodeBytes: 7 } } as object),
    ],
    ['a fraction', 'settings.maxConcurrency', () => client.updateDatabase('x', { maxConcurrency: 1.5 })],
    ['2^32', 'settings.maxConcurrency', () => client.updateDatabase('x', { maxConcurrency: 2 ** 32 })],
    ['null', 'settings.autoload', () => client.updateDatabase('x', { autoload: null as never })],
    [
      'a group that is null',
      'settings.truncation',
      () => client.updateDatabase('x', { truncation: null as never }),
    ],
    [
      'milliseconds as a number',
      'settings.syncFrequencyMs',
      () => client.updateDatabase('x', { syncFrequencyMs: 5 as never }),
    ],
    [
      'more milliseconds than a server counts',
      'settings.truncation.retentionMs',
      () => client.updateDatabase('x', { truncation: { retentionMs: 9_223_372_036_855n } }),
    ],
    [
      'less than nothing',
      'settings.truncation.retentionMs',
      () => client.updateDatabase('x', { truncation: { retentionMs: -1n } }),
    ],
    [
      '101 percent',
      'settings.index.cleanupPercentage',
      () => client.updateDatabase('x', { index: { cleanupPercentage: 101 } }),
    ],
    [
      'no number of percent',
      'settings.index.cleanupPercentage',
      () => client.updateDatabase('x', { index: { cleanupPercentage: NaN } }),
    ],
    [
      'an empty host',
      'settings.replication.primaryHost',
      () => client.updateDatabase('x', { replication: { primaryHost: '' } }),
    ],
    ['half a day', 'retentionMs', () => client.truncateDatabase('x', { retentionMs: DAY_MS / 2n })],
    ['a retention below 0', 'retentionMs', () => client.truncateDatabase('x', { retentionMs: -1n })],
    [
      'the largest of 64 bits',
      'retentionMs',
      () => client.truncateDatabase('x', { retentionMs: 2n ** 63n - 1n }),
    ],
    [
      'a retention as a number',
      'retentionMs',
      () => client.truncateDatabase('x', { retentionMs: 86_400_000 as never }),
    ],
    ['no retention', 'retentionMs', () => client.truncateDatabase('x', {} as never)],
    ['no options of a truncation', 'options', () => client.truncateDatabase('x', undefined as never)],
    ['no options of a deletion', 'options', () => client.deleteDatabase('x', undefined as never)],
    ['an empty reason', 'reason', () => client.deleteDatabase('x', { confirm: 'x', reason: '' })],
    [
      'an option that there is not',
      'options',
      () => client.deleteDatabase('x', { confirm: 'x', force: true } as never),
    ],
    ['a bad name to load', 'database', () => client.loadDatabase('a b')],
    ['a bad name to unload', 'database', () => client.unloadDatabase(null as never)],
    ['a bad name of settings', 'database', () => client.databaseSettings(null as never)],
    ['options in place of a name', 'database', () => client.databaseSettings({ timeoutMs: 5 } as never)],
    ['too much to clean up', 'cleanupPercentage', () => client.flushIndex({ cleanupPercentage: 100.1 })],
    [
      'a percentage as text',
      'cleanupPercentage',
      () => client.flushIndex({ cleanupPercentage: '5' as never }),
    ],
    ['synced that is no flag', 'synced', () => client.flushIndex({ synced: 1 as never })],
    ['no options of a flush', 'options', () => client.flushIndex(null as never)],
    ['an option of a compaction', 'options', () => client.compactIndex({ synced: true } as never)],
    ['an option of health', 'options', () => client.databaseHealth({ synced: true } as never)],
    [
      'neither grant nor revoke',
      'action',
      () => client.changeSqlPrivileges('u', 'x', 'give' as never, ['SELECT']),
    ],
    ['no privilege', 'privileges', () => client.changeSqlPrivileges('u', 'x', 'grant', [])],
    [
      'an endless list',
      'privileges',
      () => client.changeSqlPrivileges('u', 'x', 'grant', new Array(1e9) as never),
    ],
    ['text for a list', 'privileges', () => client.changeSqlPrivileges('u', 'x', 'grant', 'SELECT' as never)],
    [
      'a privilege that there is not',
      'privileges[1]',
      () => client.changeSqlPrivileges('u', 'x', 'grant', ['SELECT', 'FLY' as never]),
    ],
    ['one twice', 'privileges', () => client.changeSqlPrivileges('u', 'x', 'grant', ['DROP', 'DROP'])],
    ['a bad user', 'user', () => client.changeSqlPrivileges('a b', 'x', 'grant', ['DROP'])],
    ['a bad database', 'database', () => client.changeSqlPrivileges('u', 'a b', 'grant', ['DROP'])],
  ])('%s', async (_, argument, call) => {
    expect(await rejection(call())).toMatchObject({ code: 'INVALID_ARGUMENT', argument });
  });

  test('the password of a primary is not shown, whatever it is', async () => {
    const wrong = [12345 as never, '', 'half \ud800'].map((primaryPassword) =>
      rejection(client.updateDatabase('x', { replication: { primaryPassword } })),
    );
    for (const { argument, message } of await Promise.all(wrong)) {
      expect(argument).toBe('settings.replication.primaryPassword');
      expect(message).not.toMatch(/12345|number|half/);
    }
  });
});
