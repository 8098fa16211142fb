// Settings, states and ends of databases: the same story told to the ledger and to a real immudb, answers byte for byte.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import type { Decoded } from '../support/wire-client.js';
import { WireClient } from '../support/wire-client.js';
import { RawClient } from './raw-client.js';

const b = (text: string): Buffer => Buffer.from(text);
const day = 86_400_000;

interface Told {
  readonly method: string;
  readonly request: object;
  /** What is compared of the answer; without it all of it, and its bytes. */
  readonly shown?: (answer: Decoded) => unknown;
  /** On a database that is only loaded by that name. */
  readonly on?: string;
}

/** Each update overlays what was before. */
const UPDATES: readonly object[] = [
  {},
  { autoload: { value: false }, syncFrequency: { value: 33 }, maxConcurrency: { value: 3 } },
  { autoload: {} },
  { indexSettings: { cacheSize: { value: 1 << 20 }, cleanupPercentage: { value: 12.5 } } },
  { indexSettings: {} },
  { ahtSettings: { syncThreshold: { value: 7 } } },
  { truncationSettings: { retentionPeriod: { value: 2 * day } } },
  { truncationSettings: { truncationFrequency: { value: 2 * day } } },
  { readTxPoolSize: { value: 9 }, vLogCacheSize: { value: 5 }, txLogCacheSize: { value: 6 } },
  { writeTxHeaderVersion: {} },
  { excludeCommitTime: { value: true } },
];

const WRONG: readonly object[] = [
  { maxConcurrency: {} },
  { maxIOConcurrency: {} },
  { syncFrequency: { value: -1 } },
  { writeBufferSize: {} },
  { maxActiveTransactions: {} },
  { mvccReadSetLimit: {} },
  { writeTxHeaderVersion: { value: 2 } },
  { txLogMaxOpenedFiles: {} },
  { readTxPoolSize: {} },
  { truncationSettings: { retentionPeriod: { value: day - 1 } } },
  { truncationSettings: { retentionPeriod: { value: -1 } } },
  { truncationSettings: { truncationFrequency: { value: 3_599_999 } } },
];

const FIXED: readonly object[] = [
  ...['fileSize', 'maxKeyLen', 'maxValueLen', 'maxTxEntries'].map((name) => ({ [name]: { value: 99 } })),
  ...['embeddedValues', 'preallocFiles'].map((name) => ({ [name]: {} })),
  { indexSettings: { maxNodeSize: { value: 4096 } } },
];

function story(db: string, old: string, oldest: string): Told[] {
  const update = (settings: object): Told => ({
    method: 'UpdateDatabaseV2',
    request: { database: db, settings },
  });
  const create = (name: string, settings: object): Told => ({
    method: 'CreateDatabaseV2',
    request: { name, settings },
  });
  const listed: Told = {
    method: 'DatabaseListV2',
    request: {},
    shown: ({ databases }) =>
      (databases as Decoded[])
        .filter(({ name }) => (name as string).startsWith(db))
        .map(({ name, settings, loaded, created_by }) => [name, settings, loaded, created_by])
        .sort(),
  };
  const truncate = (database: string, retentionPeriod: number | string): Told => ({
    method: 'TruncateDatabase',
    request: { database, retentionPeriod },
  });
  const named = (method: string, database: string): Told => ({ method, request: { database } });
  const set: Told = {
    method: 'Set',
    request: { KVs: [{ key: b('k'), value: b('v') }] },
    on: old,
    shown: ({ id, nentries }) => [id, nentries],
  };
  const tx = (id: number): Told => ({
    method: 'TxById',
    request: { tx: id },
    on: old,
    shown: ({ header, entries }) => [
      header.id,
      header.version,
      header.metadata,
      header.eH,
      header.nentries,
      entries,
    ],
  });
  const z = `${db}z`;
  return [
    { method: 'KeepAlive', request: {} },
    { method: 'Health', request: {}, shown: ({ status }) => status },
    { method: 'GetDatabaseSettingsV2', request: {} },
    { method: 'DatabaseHealth', request: {} },
    { method: 'FlushIndex', request: {} },
    { method: 'FlushIndex', request: { cleanupPercentage: 100, synced: true } },
    { method: 'FlushIndex', request: { cleanupPercentage: 100.5 } },
    { method: 'FlushIndex', request: { cleanupPercentage: -1 } },
    ...UPDATES.flatMap((settings) => [
      update(settings),
      { method: 'GetDatabaseSettingsV2', request: {}, on: db },
    ]),
    ...[...WRONG, ...FIXED].map(update),
    ...WRONG.map((settings) => create(z, settings)),
    create(z, { maxKeyLen: { value: 1025 } }),
    create(z, { maxTxEntries: {} }),
    listed,
    create(z, { ...UPDATES[3], ...UPDATES[6], maxTxEntries: { value: 12 }, maxValueLen: { value: 345 } }),
    listed,
    // The older calls.
    { method: 'CreateDatabase', request: { databaseName: `${db}a` } },
    { method: 'CreateDatabase', request: { databaseName: `${db}a` } },
    { method: 'CreateDatabaseWith', request: { databaseName: `${db}b`, maxKeyLen: 77, maxTxEntries: 5 } },
    { method: 'UpdateDatabase', request: { databaseName: `${db}b`, maxKeyLen: 77 } },
    { method: 'UpdateDatabase', request: { databaseName: `${db}b` } },
    { method: 'GetDatabaseSettings', request: {}, on: `${db}b` },
    listed,
    // Truncation: the headers of this one have no time, so all of it is old.
    truncate(old, day),
    set,
    set,
    ...[-1, 5, day - 1].map((period) => truncate(old, period)),
    truncate(old, day),
    tx(3),
    truncate(old, 0),
    tx(4),
    set,
    truncate(old, day),
    tx(6),
    tx(7),
    truncate(db, day),
    truncate(db, 0),
    { ...set, on: oldest },
    truncate(oldest, day),
    { method: 'CurrentState', request: {}, on: oldest },
    { ...tx(2), on: oldest },
    ...['defaultdb', 'nowhere', ''].map((name) => truncate(name, day)),
    // Its end.
    named('UnloadDatabase', z),
    truncate(z, day),
    truncate(z, 5),
    { method: 'UpdateDatabaseV2', request: { database: z, settings: { autoload: {} } } },
    listed,
    named('LoadDatabase', z),
    named('UnloadDatabase', z),
    named('DeleteDatabase', z),
    ...['DeleteDatabase', 'LoadDatabase', 'UnloadDatabase'].map((method) => named(method, z)),
    truncate(z, day),
    { method: 'UpdateDatabaseV2', request: { database: z, settings: {} } },
    create(z, {}),
    { method: 'CreateDatabaseV2', request: { name: z, ifNotExists: true } },
    listed,
  ];
}

describeReal('databases of the embedded ledger', () => {
  it('are changed, truncated and ended like those of a real immudb', async () => {
    await using ledger = await EmbeddedLedger.start();
    const db = await freshDatabase();
    const old = `old${randomBytes(4).toString('hex')}`;
    for (const address of [ledger.address, sharedImmudb()]) {
      const setUp = await WireClient.open(address);
      await setUp.call('CreateDatabaseV2', { name: db, ifNotExists: true });
      await setUp.call('CreateDatabaseV2', { name: old, settings: { excludeCommitTime: { value: true } } });
      const settings = { excludeCommitTime: { value: true }, writeTxHeaderVersion: {} };
      await setUp.call('CreateDatabaseV2', { name: `${old}est`, settings });
      await setUp.call('CloseSession');
      setUp.close();
    }
    const clients = new Map<string, RawClient>();
    const refusals = new Set<string>();
    const ask = async (address: string, { method, request, shown, on = db }: Told) => {
      const known = clients.get(`${address} ${on}`);
      const client = known ?? (await RawClient.open(address, on));
      clients.set(`${address} ${on}`, client);
      const { answer, bytes, refusal } = await client.call(method, request);
      if (refusal) refusals.add(refusal.message);
      return refusal ?? (shown ? shown(answer) : [answer, bytes]);
    };
    try {
      const differences: unknown[] = [];
      for (const told of story(db, old, `${old}est`)) {
        const [real, embedded] = [await ask(sharedImmudb(), told), await ask(ledger.address, told)];
        if (JSON.stringify(real) !== JSON.stringify(embedded))
          differences.push([told.method, told.request, real, embedded]);
      }
      expect(differences.map((d) => JSON.stringify(d))).toEqual([]);
      expect(refusals.size).toBeGreaterThan(20);
    } finally {
      for (const client of clients.values()) await client.close();
    }
  }, 120_000);
});
