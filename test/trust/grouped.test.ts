// Calls in flight on a real immudb: grouped, split, refused alone, proven cold and warm, counted once.
import { rm, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, ImmuError, MemoryRootStore, Permission } from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate, describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf, temporaryFolder, text } from './support.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const key = (name: string) => Buffer.from(name);
const codes = (calls: readonly Promise<unknown>[]) =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => 'done',
        (error: unknown) => (error instanceof ImmuError ? error.code : String(error)),
      ),
    ),
  );
const groupsOf = (client: ImmuClient) => client.diagnostics.groups[client.databaseName]!;
const trustOf = (client: ImmuClient) => client.diagnostics.trust[client.databaseName]!;

describeServer('many lanes', () => {
  test('of every verified call beside another writer: all proven under one head, each counted once', async () => {
    const { client, store, database } = await openClient();
    const wire = await openWire(database);
    const others = Promise.all(
      range(4).map(async (lane) => {
        for (const i of range(10))
          await wire.call('Set', { KVs: [{ key: key(`other${lane}`), value: key(String(i)) }] });
      }),
    );
    let calls = 0;
    const lanes = range(16).map(async (lane) => {
      for (const i of range(6)) {
        const own = `k${lane}-${i}`;
        const { tx, root } = await client.verifiedSet(own, `${lane}:${i}`);
        expect(root.tx).toBeGreaterThanOrEqual(tx);
        const all = await client.verifiedSetAll({ [`${own}a`]: 'a', [`${own}b`]: '' });
        expect(all.tx).toBeGreaterThan(tx);
        const entry = await client.verifiedGet(own);
        expect([text(entry?.value), entry?.tx]).toEqual([`${lane}:${i}`, tx]);
        const found = await client.verifiedGetAll([`${own}b`, 'missing', own, `${own}a`, own]);
        expect(found.map((each) => each && text(each.value))).toEqual([
          '',
          null,
          `${lane}:${i}`,
          'a',
          `${lane}:${i}`,
        ]);
        expect(found[0]?.tx).toBe(all.tx);
        calls += 4;
      }
    });
    await Promise.all([...lanes, others]);
    // They did share requests and transactions.
    const { reads, writes } = groupsOf(client);
    expect(writes.groups).toBeLessThan(writes.writes);
    expect(reads.groups).toBeGreaterThan(0);
    const heads = await rowsOf(store, { outcome: ['first-use', 'root'] });
    for (const [i, row] of heads.entries()) if (i > 0) expect(row.previousTx).toBe(heads[i - 1]!.tx);
    for (const row of heads.slice(1)) {
      const tx = await wire.call('VerifiableTxById', { tx: String(row.tx), proveSinceTx: String(row.tx) });
      expect(Buffer.from(row.alh).equals(tx.dualProof.linearProof.terms[0])).toBe(true);
    }
    expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
    await client.close();
    expect((await rowsOf(store)).reduce((sum, row) => sum + row.calls, 0)).toBe(calls);
    expect((await store.audit.verify()).ok).toBe(true);
  });

  test('writes of one key end in the order they were made', async () => {
    const { client } = await openClient();
    const writes = await Promise.all(range(60).map((i) => client.verifiedSet(`k${i % 3}`, String(i))));
    for (const i of range(57)) expect(writes[i + 3]!.tx).toBeGreaterThan(writes[i]!.tx);
    expect(text((await client.verifiedGet('k2'))?.value)).toBe('59');
  });

  test('of plain writes share transactions when asked to, and else do not', async () => {
    for (const group of [true, false]) {
      const { client } = await openClient({ group });
      const written = await Promise.all([
        ...range(20).map((i) => client.set(`p${i}`, 'v')),
        ...range(20).map((i) => client.verifiedSet(`v${i}`, 'v')),
      ]);
      const plain = new Set(written.slice(0, 20).map(({ tx }) => tx));
      expect(plain.size).toBe(group ? 1 : 20);
      expect((await client.getAll(range(20).map((i) => `p${i}`))).every((entry) => entry !== null)).toBe(
        true,
      );
    }
  });
});

describeServer('what a group holds', () => {
  test('references, bound and unbound, missing, deleted and expired keys', async () => {
    const { client, store, database } = await openClient();
    const wire = await openWire(database);
    const first = await client.verifiedSet('target', 'one');
    await wire.call('SetReference', { key: key('free'), referencedKey: key('target') });
    await wire.call('SetReference', {
      key: key('bound'),
      referencedKey: key('target'),
      atTx: String(first.tx),
      boundRef: true,
    });
    await client.verifiedSetAll({ target: 'two', deleted: 'x' });
    await wire.call('Delete', { keys: [key('deleted')] });
    const expiration = (expiresAt: number) => ({ expiration: { expiresAt } });
    await wire.call('Set', {
      KVs: [
        { key: key('expired'), value: key('v'), metadata: expiration(1_600_000_000) },
        { key: key('later'), value: key('v'), metadata: expiration(4_102_444_800) },
      ],
    });
    const keys = ['free', 'bound', 'none', 'target', 'deleted', 'expired', 'later'];
    const { client: cold } = await openClient({ database });
    for (const round of ['cold', 'warm']) {
      const [together, each] = await Promise.all([
        cold.verifiedGetAll(keys),
        Promise.all(keys.map((name) => cold.verifiedGet(name))),
      ]);
      for (const found of [together, each]) {
        expect(
          found.map((entry) => entry && text(entry.value)),
          round,
        ).toEqual(['two', 'one', null, 'two', null, null, 'v']);
        expect(found[0]).toMatchObject({ key: new Uint8Array(key('target')), reference: { atTx: 0n } });
        expect(found[1]).toMatchObject({ tx: first.tx, reference: { atTx: first.tx } });
        expect(found[6]?.metadata).toEqual({ expiresAt: 4_102_444_800n });
      }
    }
    // A lone read says the same of them.
    for (const name of ['free', 'bound', 'later']) {
      const [alone, grouped] = [await cold.verifiedGet(name), (await cold.verifiedGetAll([name]))[0]];
      expect(alone).toEqual(grouped);
    }
    expect(await rowsOf(store, { outcome: 'failure' })).toEqual([]);
  });

  test('a reference to what was deleted since leads nowhere, and takes nobody with it', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSetAll({ gone: 'x', stays: 'y' });
    await wire.call('SetReference', { key: key('dangling'), referencedKey: key('gone') });
    await wire.call('Delete', { keys: [key('gone')] });
    const [dangling, stays, none] = await Promise.allSettled(
      ['dangling', 'stays', 'none'].map((name) => client.verifiedGet(name)),
    );
    expect(text((stays as PromiseFulfilledResult<{ value: Uint8Array } | null>).value?.value)).toBe('y');
    expect(none).toMatchObject({ value: null });
    expect(dangling).toMatchObject({ value: null });
  });

  test('large values: what one answer cannot hold comes in several', async () => {
    const { client: writer, database } = await openClient();
    const value = (i: number) => new Uint8Array(120_000).fill(i);
    await Promise.all(range(24).map((i) => writer.verifiedSet(`large${i}`, value(i))));
    const { client } = await openClient({ database, maxMessageBytes: 1024 * 1024 });
    const [entries, together] = await Promise.all([
      Promise.all(range(24).map((i) => client.verifiedGet(`large${i}`))),
      client.verifiedGetAll(range(6).map((i) => `large${i}`)),
    ]);
    for (const i of range(24)) expect(Buffer.compare(entries[i]!.value, value(i))).toBe(0);
    for (const i of range(6)) expect(Buffer.compare(together[i]!.value, value(i))).toBe(0);
    expect(groupsOf(client).reads.groups).toBeGreaterThan(2);
  });

  test('a write that the database does not take fails alone', async () => {
    const limits = { maxKeyLen: 16, maxValueLen: 32, maxTxEntries: 4 };
    const { client } = await openClient({ database: await freshDatabase(sharedImmudb(), limits) });
    const outcomes = await codes([
      ...range(9).map((i) => client.verifiedSet(`k${i}`, 'v')),
      client.verifiedSet('k'.repeat(16), 'v'),
      client.verifiedSet('long', 'v'.repeat(32)),
      client.verifiedSetAll({ a: '', b: '', c: '', d: '', e: '' }),
      ...range(9, 9).map((i) => client.verifiedSet(`k${i}`, 'v')),
    ]);
    const refused = ['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED'];
    expect(outcomes).toEqual([...range(9).map(() => 'done'), ...refused, ...range(9).map(() => 'done')]);
    const entries = await client.verifiedGetAll(range(18).map((i) => `k${i}`));
    expect(entries.map((entry) => text(entry?.value))).toEqual(range(18).map(() => 'v'));
    expect(await client.verifiedGet('a')).toBeNull();
  });
});

describeServer('databases', () => {
  test('with a history: proven cold and warm, in txs of one entry and of many', async () => {
    const { client: writer, database } = await openClient();
    for (const i of range(5)) await writer.setAll(range(300).map((k) => [`bulk${i}-${k}`, `${k}`] as const));
    await Promise.all(range(60).map((i) => writer.verifiedSet(`single${i}`, `${i}`, { ownTx: true })));
    const { client, store } = await openClient({ database });
    const keys = [
      ...range(5).flatMap((i) => [0, 7, 299].map((k) => `bulk${i}-${k}`)),
      ...range(60).map((i) => `single${i}`),
    ];
    const expected = keys.map((name) => name.replace(/^(bulk\d-|single)/, ''));
    for (const round of ['cold', 'warm', 'warm']) {
      const entries = await Promise.all(keys.map((name) => client.verifiedGet(name)));
      expect(
        entries.map((entry) => text(entry?.value)),
        round,
      ).toEqual(expected);
    }
    const { claims, fetched } = trustOf(client);
    expect(claims.known).toBeGreaterThanOrEqual(2 * keys.length);
    // All of it is in one block, and the five bulk txs lie side by side.
    expect(fetched).toMatchObject({ headerBlocks: 1, headerSingles: 0, entryRuns: 1 });
    expect((await client.verifiedGetAll(keys)).map((entry) => text(entry?.value))).toEqual(expected);
    await client.close();
    expect((await rowsOf(store)).reduce((sum, row) => sum + row.calls, 0)).toBe(3 * keys.length + 1);
  });

  test('of version 0: grouped writes, cold and warm reads', async () => {
    const database = await freshDatabase(sharedImmudb(), { writeTxHeaderVersion: { value: 0 } });
    const { client } = await openClient({ database });
    await Promise.all(range(30).map((i) => client.verifiedSet(`k${i}`, `${i}`)));
    await client.verifiedSetAll(range(20).map((i) => [`m${i}`, 'many'] as const));
    const { client: cold } = await openClient({ database });
    for (const reader of [client, cold, cold]) {
      const entries = await Promise.all(
        [...range(30).map((i) => `k${i}`), 'm0', 'm19'].map((name) => reader.verifiedGet(name)),
      );
      expect(entries.map((entry) => text(entry?.value))).toEqual([...range(30).map(String), 'many', 'many']);
    }
  });

  test('found empty: the first grouped writes and reads start history', async () => {
    const { client, store } = await openClient();
    expect(await Promise.all([client.verifiedGet('k0'), client.verifiedGet('k1')])).toEqual([null, null]);
    const writes = await Promise.all(range(10).map((i) => client.verifiedSet(`k${i}`, 'v')));
    expect(new Set(writes.map(({ tx }) => tx))).toEqual(new Set([1n]));
    expect((await rowsOf(store)).map(({ outcome, tx, calls }) => [outcome, tx, calls])).toEqual([
      ['first-use', 0n, 0],
      ['root', 1n, 10],
    ]);
  });
});

describeServer('users', () => {
  async function userOn(database: string, permission: typeof Permission.R | typeof Permission.RW) {
    const { client: admin } = await openClient({ database });
    const user = `u${database}`;
    await admin.createUser(user, 'Passw0rd!', permission);
    const store = new MemoryRootStore();
    const client = new ImmuClient({
      address: sharedImmudb(),
      store,
      credentials: { user, password: 'Passw0rd!', database },
    });
    onTestFinished(() => client.close().catch(() => undefined));
    return { admin, client, user };
  }

  test('who may only read: groups are asked for one by one, and proven all the same', async () => {
    const database = await freshDatabase();
    const { admin, client } = await userOn(database, Permission.R);
    await Promise.all(range(20).map((i) => admin.verifiedSet(`k${i}`, `${i}`)));
    for (const round of ['first', 'second']) {
      const entries = await Promise.all(range(22).map((i) => client.verifiedGet(`k${i}`)));
      expect(
        entries.map((entry) => entry && text(entry.value)),
        round,
      ).toEqual([...range(20).map(String), null, null]);
    }
    const together = await client.verifiedGetAll(['k3', 'none', 'k3']);
    expect(together.map((entry) => entry && text(entry.value))).toEqual(['3', null, '3']);
    expect(await codes([client.verifiedSet('k0', 'x'), client.verifiedSet('k1', 'x')])).toEqual([
      'PERMISSION_DENIED',
      'PERMISSION_DENIED',
    ]);
  });

  test('whose right changes go on with what is left of it', async () => {
    const database = await freshDatabase();
    const { admin, client, user } = await userOn(database, Permission.RW);
    await Promise.all(range(10).map((i) => client.verifiedSet(`k${i}`, `${i}`)));
    const readAll = () => Promise.all(range(10).map((i) => client.verifiedGet(`k${i}`)));
    expect(await readAll()).toHaveLength(10);
    await admin.changePermission(user, database, Permission.R);
    expect((await readAll()).map((entry) => text(entry?.value))).toEqual(range(10).map(String));
    expect(await codes(range(3).map((i) => client.verifiedSet(`k${i}`, 'x')))).toEqual(
      range(3).map(() => 'PERMISSION_DENIED'),
    );
    await admin.changePermission(user, database, Permission.RW);
    expect((await readAll()).map((entry) => text(entry?.value))).toEqual(range(10).map(String));
    await Promise.all(range(3).map((i) => client.verifiedSet(`k${i}`, 'x')));
    await admin.changePermission(user, database, Permission.NONE);
    expect(new Set(await codes(range(3).map((i) => client.verifiedGet(`k${i}`))))).toEqual(
      new Set(['PERMISSION_DENIED']),
    );
  });
});

describeServer('limits and ends', () => {
  test('overload: calls wait for room, or are refused and told when there is some', async () => {
    const { client: patient } = await openClient({ maxQueuedCalls: 4 });
    const writes = range(8).map((i) => patient.verifiedSet(`k${i}`, 'v'));
    expect(new Set(await codes(writes))).toEqual(new Set(['done']));
    const { client } = await openClient({ maxQueuedCalls: 4, overload: 'fail' });
    await client.verifiedSet('first', 'v');
    const outcomes = await codes(range(10).map((i) => client.verifiedSet(`k${i}`, 'v')));
    expect(outcomes).toEqual([...range(4).map(() => 'done'), ...range(6).map(() => 'QUEUE_FULL')]);
    for (const i of range(20)) {
      await client.ready();
      void client.verifiedSet(`r${i}`, 'v');
    }
    await client.ready();
    expect(
      (await client.verifiedGetAll(range(16).map((i) => `r${i}`))).every((entry) => entry !== null),
    ).toBe(true);
  });

  test('close ends calls in line and on their way, typed, and hangs nowhere', async () => {
    for (const options of [{}, { maxQueuedCalls: 20 }] satisfies ImmuClientOptions[]) {
      const { client } = await openClient(options);
      await client.verifiedSet('k', 'v');
      const calls = codes([
        ...range(10).map((i) => client.verifiedSet(`k${i % 5}`, 'v')),
        ...range(10).map((i) => client.verifiedGet(`k${i}`)),
        client.verifiedGetAll(['k', 'k1', 'k2']),
        client.verifiedSetAll({ a: '1', b: '2' }),
        client.getAll(['k', 'k1']),
        client.verifiedSet('own', 'v', { ownTx: true }),
      ]);
      const ready = client.ready();
      await client.close();
      await ready;
      for (const code of await calls) expect(['CLOSED', 'OUTCOME_UNKNOWN']).toContain(code);
    }
  });

  test('forgetTrust between lanes: every call ends, typed or proven, and the next ones are as good as ever', async () => {
    const { client, store } = await openClient();
    await client.verifiedSetAll(range(20).map((i) => [`k${i}`, `${i}`] as const));
    const lanes = range(10).flatMap((lane) => [
      (async () => {
        for (const i of range(6))
          expect(text((await client.verifiedGet(`k${lane + i}`))?.value)).toBe(`${lane + i}`);
      })(),
      (async () => {
        for (const i of range(6)) await client.verifiedSet(`w${lane}`, `${i}`);
      })(),
    ]);
    const outcomes = codes(lanes);
    for (const i of range(3)) await client.forgetTrust(`on purpose ${i}`);
    for (const code of await outcomes) expect(['done', 'STORE_FAILED', 'OUTCOME_UNKNOWN']).toContain(code);
    expect(text((await client.verifiedGet('k7'))?.value)).toBe('7');
    expect((await client.verifiedSet('after', 'v')).root.tx).toBeGreaterThan(1n);
    expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
    expect((await store.audit.verify()).ok).toBe(true);
  });
});

describePrivate('servers', () => {
  function clientOf(server: TestImmudb, store: MemoryRootStore, options: ImmuClientOptions = {}): ImmuClient {
    const client = new ImmuClient({
      address: server.address,
      store,
      credentials: USER,
      keepAliveMs: 0,
      ...options,
    });
    onTestFinished(() => client.close().catch(() => undefined));
    return client;
  }

  test('rolled back are noticed by reads that need no proof any more', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store);
    await client.verifiedSetAll(range(10).map((i) => [`k${i}`, 'early'] as const));
    await server.stop();
    const snapshot = join(await temporaryFolder(), 'snapshot');
    await cp(join(server.dir, 'data'), snapshot, { recursive: true });
    await server.start();
    await client.health();
    for (const i of range(5)) await client.verifiedSet(`late${i}`, 'v');
    const readAll = () => Promise.all(range(10).map((i) => client.verifiedGet(`k${i}`)));
    for (let round = 0; round < 20; round++) await readAll();
    expect(trustOf(client).claims.known).toBeGreaterThan(100);

    await server.stop();
    await rm(join(server.dir, 'data'), { recursive: true });
    await cp(snapshot, join(server.dir, 'data'), { recursive: true });
    await server.start();
    await client.health();
    // Until the server is asked again, reads are proven by what is known: nothing wrong is ever handed out.
    const noticed = async () => (await codes([readAll()]))[0];
    await expect.poll(noticed, { timeout: 20_000, interval: 100 }).toBe('SERVER_BEHIND_TRUST');
    expect((await rejection(client.verifiedGetAll(['k1', 'k2']))).code).toBe('SERVER_BEHIND_TRUST');
    expect(await client.getAll(['k1'])).toHaveLength(1);
    expect((await rowsOf(store, { outcome: 'rollback' })).length).toBeGreaterThan(0);
  });

  test('found again with a stored head: grouped writes and reads go on from it', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const first = clientOf(server, store);
    await Promise.all(range(20).map((i) => first.verifiedSet(`k${i}`, `${i}`)));
    await first.close();
    const beside = clientOf(server, new MemoryRootStore());
    for (const i of range(3)) await beside.set(`x${i}`, 'v');
    // The stored head has no frontier, and there are txs behind it that nobody proved.
    const next = clientOf(server, store);
    await Promise.all(range(20).map((i) => next.verifiedSet(`n${i}`, `${i}`)));
    const entries = await Promise.all(range(20).map((i) => next.verifiedGet(`k${i}`)));
    expect(entries.map((entry) => text(entry?.value))).toEqual(range(20).map(String));
    const third = clientOf(server, store);
    expect((await third.verifiedGetAll(['n3', 'x2'])).map((entry) => text(entry?.value))).toEqual(['3', 'v']);
    const rows = await rowsOf(store, { outcome: ['first-use', 'root'] });
    for (const [i, row] of rows.entries()) if (i > 0) expect(row.previousTx).toBe(rows[i - 1]!.tx);
  });

  test('with a state key: every head of grouped calls is signed', async () => {
    await using server = await TestImmudb.start({ signing: true });
    const store = new MemoryRootStore();
    const client = clientOf(server, store, { serverPublicKey: server.publicKeyPem! });
    const beside = clientOf(server, new MemoryRootStore());
    await Promise.all(
      range(8).map(async (lane) => {
        for (const i of range(5)) {
          await client.verifiedSet(`k${lane}-${i}`, `${i}`);
          if (lane < 2) await beside.set(`x${lane}-${i}`, 'v');
          expect(text((await client.verifiedGet(`k${lane}-${i}`))?.value)).toBe(`${i}`);
        }
        const entries = await client.verifiedGetAll(range(5).map((i) => `k${lane}-${i}`));
        expect(entries.map((entry) => text(entry?.value))).toEqual(range(5).map(String));
      }),
    );
    const rows = await rowsOf(store, { outcome: 'root' });
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows) {
      expect(row.signature?.length).toBeGreaterThan(60);
      expect(row.keyFingerprint).toHaveLength(32);
    }
    const cold = clientOf(server, new MemoryRootStore(), { serverPublicKey: server.publicKeyPem! });
    const entries = await Promise.all(range(8).map((lane) => cold.verifiedGet(`k${lane}-4`)));
    expect(entries.map((entry) => text(entry?.value))).toEqual(range(8).map(() => '4'));
  });

  test('stopped under grouped calls: each ends typed; what was told to be written is', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store, { timeoutMs: 2000 });
    await client.verifiedSet('k', 'v');
    const written = new Set<string>();
    const lanes = range(12).map(async (lane) => {
      for (const i of range(1000)) {
        await client.verifiedSet(`k${lane}-${i}`, 'v');
        written.add(`k${lane}-${i}`);
        if (lane % 3 === 0) await client.verifiedGetAll([`k${lane}-${i}`, 'k']);
      }
    });
    const outcomes = codes(lanes);
    await expect.poll(() => written.size, { interval: 5 }).toBeGreaterThan(50);
    await server.stop();
    for (const code of await outcomes)
      expect([
        'OUTCOME_UNKNOWN',
        'UNAVAILABLE',
        'DEADLINE_EXCEEDED',
        'SESSION_EXPIRED',
        'SERVER_REFUSED',
      ]).toContain(code);
    await server.start();
    await client.health();
    const entries = await client.verifiedGetAll([...written]);
    expect(entries.every((entry) => text(entry?.value) === 'v')).toBe(true);
    expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
  });
});
