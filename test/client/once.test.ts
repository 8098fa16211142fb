// On a real immudb: a write is done once, or not at all, and the caller is told which, or that nobody knows.
import { expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore, ServerError } from '#dist/index.js';
import type { ImmuClientOptions, ImmuError } from '#dist/index.js';
import { isNotDone } from '#dist/client/net/server-errors.js';
import { Proxy } from '../adversary/proxy.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { codeOf, failure } from './support.js';

// A database that is loaded again takes its time on a machine that has other suites to run.
vi.setConfig({ testTimeout: 90_000 });

function open(database: string, options: ImmuClientOptions = {}, user = 'immudb', password = 'immudb') {
  const client = new ImmuClient({
    address: sharedImmudb(),
    credentials: { user, password, database },
    store: new MemoryRootStore(),
    verifier: { threads: 0 },
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

async function wire(database: string, address = sharedImmudb()): Promise<WireClient> {
  const client = await WireClient.open(address, database);
  onTestFinished(() => client.close());
  return client;
}

/** How often a key was written: in all transactions, whatever the index says. */
async function timesWritten(client: WireClient, ...keys: string[]): Promise<number[]> {
  const counts = new Map<string, number>();
  for (let initialTx = 1; ; initialTx += 500) {
    const { txs = [] } = await client.call('TxScan', { initialTx: String(initialTx), limit: 500 });
    for (const { entries } of txs as { entries: { key: Uint8Array }[] }[]) {
      for (const { key } of entries) {
        const name = Buffer.from(key).subarray(1).toString();
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    if (txs.length < 500) return keys.map((key) => counts.get(key) ?? 0);
  }
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const set = (key: string) => ({ KVs: [{ key: Buffer.from(key), value: Buffer.from('v') }] });

describeReal('an indexer that a thousand calls wait for', () => {
  test('a write that is committed and refused is OUTCOME_UNKNOWN, and there once', async () => {
    // The indexer takes its time to fill a bulk, and so everybody waits for it.
    const database = await freshDatabase(undefined, {
      // Little memory for each of many buffers.
      maxTxEntries: 16,
      maxKeyLen: 64,
      maxConcurrency: 1200,
      indexSettings: { maxBulkSize: { value: 100_000 }, bulkPreparationTimeout: { value: 4000 } },
    });
    const client = open(database);
    await client.verifiedSet('first', 'v');
    const admin = await wire(database);
    const waiting = Array.from({ length: 1005 }, (_, i) => admin.call('Set', set(`w${i}`)).catch(() => 'no'));
    // The limit is reached when the first of them is turned away.
    expect(await Promise.race(waiting)).toBe('no');
    const errors = await Promise.all(
      [
        client.set('plain', 'v'),
        client.verifiedSet('alone', 'v', { ownTx: true }),
        client.verifiedSetAll(Object.fromEntries([['grouped', 'v'], ...filler])),
      ].map(failure),
    );
    for (const error of errors) {
      expect(error.code).toBe('OUTCOME_UNKNOWN');
      expect(error.message).toContain('watchers: max waiting limit exceeded');
    }
    await Promise.all(waiting);
    expect(await timesWritten(admin, 'plain', 'alone', 'grouped')).toEqual([1, 1, 1]);
  });
});

const filler = Array.from({ length: 10 }, (_, i) => [`f${i}`, 'v']);

describeReal('an answer that is larger than maxMessageBytes', () => {
  test('a group of writes: everybody is told OUTCOME_UNKNOWN, nothing is sent again', async () => {
    const database = await freshDatabase();
    await using proxy = await Proxy.start(sharedImmudb());
    const client = open(database, { address: proxy.address, maxMessageBytes: 4096, group: true });
    await client.verifiedSet('first', 'v');
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (method !== 'Set') return answer;
      // An unknown field of 8 KiB: any server may add one.
      const size = 8192;
      const field = Buffer.from([0xfa, 0x3f, (size & 0x7f) | 0x80, size >> 7]);
      return Buffer.concat([answer, field, Buffer.alloc(size)]);
    };
    const codes = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        codeOf(i % 2 ? client.set(`k${i}`, 'v') : client.verifiedSet(`k${i}`, 'v')),
      ),
    );
    expect(new Set(codes)).toEqual(new Set(['OUTCOME_UNKNOWN']));
    const admin = await wire(database);
    expect(await timesWritten(admin, ...numbered('k', 8))).toEqual(Array(8).fill(1));
  });
});

describeReal('a grant, which ends the sessions of its user', () => {
  test('plain, verified and grouped writes go on, and an ingestion, each record there once', async () => {
    const database = await freshDatabase();
    const admin = await wire(database);
    const name = `u${database}`;
    const asked = { user: Buffer.from(name), password: Buffer.from('Passw0rd!'), permission: 2, database };
    await admin.call('CreateUser', asked);
    const grant = () =>
      admin.call('ChangePermission', { action: 'GRANT', username: name, database, permission: 2 });
    const client = open(database, { group: true }, name, 'Passw0rd!');
    await client.set('first', 'v');
    await grant();
    await client.set('plain', 'v');
    await grant();
    await client.verifiedSet('verified', 'v', { ownTx: true });
    await grant();
    await Promise.all(Array.from({ length: 20 }, (_, i) => client.verifiedSet(`g${i}`, 'v')));
    const records = async function* () {
      for (let i = 0; i < 600; i++) {
        if (i % 100 === 50) await grant();
        yield [`i${i}`, 'v'] as const;
      }
    };
    let receipts = 0;
    for await (const { proven } of client.ingest(records())) receipts += Number(proven);
    expect(receipts).toBe(600);
    const keys = ['plain', 'verified', ...numbered('g', 20), ...numbered('i', 600)];
    expect(await timesWritten(admin, ...keys)).toEqual(keys.map(() => 1));
  });
});

describeReal('a database that its admin unloads', () => {
  test('calls say so, writes that nothing was written; loaded again, they work again', async () => {
    const database = await freshDatabase();
    const client = open(database);
    const admin = await wire('defaultdb');
    await client.verifiedSet('k', 'v');
    await admin.call('UnloadDatabase', { database });
    for (const call of [
      () => client.get('k'),
      () => client.getAll(['k', 'l']),
      () => client.verifiedGet('k'),
      () => client.set('n', 'v'),
      () => client.verifiedSet('n', 'v'),
      () => client.verifiedSet('n', 'v', { ownTx: true }),
    ]) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(ServerError);
      expect(error.code).toBe('DATABASE_CLOSED');
      expect(error.message).toContain(database);
    }
    const error = await failure(client.set('n', 'v'));
    expect(error.message).toContain('nothing was written');
    expect(isNotDone(error)).toBe(true);
    await admin.call('LoadDatabase', { database });
    expect((await client.verifiedGet('k'))?.tx).toBe(1n);
    expect(await client.verifiedGet('n')).toBeNull();
    expect((await client.verifiedSet('n', 'v')).tx).toBe(2n);
  });

  test('while writes are under way: each is there once, or was refused and is not there', async () => {
    const database = await freshDatabase();
    const client = open(database, { maxWritesInFlight: 30 });
    const admin = await wire('defaultdb');
    await client.set('first', 'v');
    const writes = Array.from({ length: 400 }, (_, i) =>
      client.set(`k${i}`, Buffer.alloc(2000)).then(
        () => 'written',
        (error: unknown) => (isNotDone(error) ? (error as ImmuError).code : 'open'),
      ),
    );
    await writes[5];
    await admin.call('UnloadDatabase', { database });
    const outcomes = await Promise.all(writes);
    await admin.call('LoadDatabase', { database });
    const reader = await wire(database);
    expect(outcomes.filter((outcome) => outcome === 'DATABASE_CLOSED').length).toBeGreaterThan(0);
    const counts = await timesWritten(reader, ...numbered('k', 400));
    for (const [i, outcome] of outcomes.entries()) {
      expect(['written', 'DATABASE_CLOSED']).toContain(outcome);
      expect([i, counts[i]]).toEqual([i, outcome === 'written' ? 1 : 0]);
    }
  });
});

describePrivate('a server that shuts down under writes', () => {
  test('what is told as written is there once, what as not done is not there', async () => {
    await using server = await startImmudb();
    const client = open('defaultdb', { address: server.address, timeoutMs: 8000 });
    await client.set('first', 'v');
    const writes = Array.from({ length: 600 }, (_, i) =>
      client.set(`k${i}`, Buffer.alloc(2000)).then(
        () => 'written',
        (error: unknown) => (isNotDone(error) ? 'not done' : 'open'),
      ),
    );
    await writes[5];
    await server.restart();
    const outcomes = await Promise.all(writes);
    const reader = await wire('defaultdb', server.address);
    const counts = await timesWritten(reader, ...numbered('k', 600));
    for (const [i, outcome] of outcomes.entries()) {
      const times = counts[i];
      if (outcome === 'open') expect(times).toBeLessThanOrEqual(1);
      else expect([i, times]).toEqual([i, outcome === 'written' ? 1 : 0]);
    }
    expect(outcomes.filter((outcome) => outcome === 'written').length).toBeGreaterThan(5);
  });
});

describePrivate('a client that wanders through databases', () => {
  test('holds few sessions: others find room', async () => {
    await using server = await startImmudb({ maxSessions: 20 });
    const client = open('defaultdb', { address: server.address });
    const names = numbered('d', 24);
    for (const name of names) await client.createDatabase(name);
    for (const name of names) {
      await client.useDatabase(name);
      await client.set('k', name);
    }
    const other = open('defaultdb', { address: server.address });
    await other.set('k', 'v');
    // And back again: each session is opened again by its next call.
    for (const name of names) {
      await client.useDatabase(name);
      expect(Buffer.from((await client.get('k'))!.value).toString()).toBe(name);
    }
  });
});
