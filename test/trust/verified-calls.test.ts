// verifiedSet and verifiedGet on a real immudb: what they return, what they bind, what they refuse to ask.
import { describe, expect, test } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf, text } from './support.js';

describeServer('verifiedSet and verifiedGet', () => {
  test('from an empty database on: genesis, first write, reads', async () => {
    const { client, store } = await openClient();
    const written = await client.verifiedSet('key', 'value');
    expect(written.tx).toBe(1n);
    expect(written.root.tx).toBe(1n);
    const entry = await client.verifiedGet('key');
    expect(entry).toMatchObject({ tx: 1n, timestamp: written.timestamp, unproven: { revision: 1n } });
    expect(text(entry?.value)).toBe('value');
    expect(text(entry?.key)).toBe('key');
    const rows = await rowsOf(store);
    expect(rows.map(({ outcome, tx }) => [outcome, tx])).toEqual([
      ['first-use', 0n],
      ['root', 1n],
    ]);
  });

  test('first contact with a database that has a history', async () => {
    const { client, database } = await openClient();
    for (const value of ['1', '2', '3']) await client.set('key', value);
    const { client: second, store } = await openClient({ database });
    expect(text((await second.verifiedGet('key'))?.value)).toBe('3');
    expect((await store.audit.latest())?.tx).toBe(3n);
  });

  test('safeSet and safeGet are the same calls', async () => {
    const { client } = await openClient();
    await client.safeSet('key', 'value');
    expect(text((await client.safeGet('key'))?.value)).toBe('value');
  });

  test('binary keys and values, empty values, the largest key', async () => {
    const { client } = await openClient();
    const key = Uint8Array.from({ length: 1023 }, (_, i) => i);
    await client.verifiedSet(key, new Uint8Array(0));
    const empty = await client.verifiedGet(key);
    expect(empty?.key).toEqual(key);
    expect(empty?.value).toEqual(new Uint8Array(0));
    const value = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
    await client.verifiedSet('large', value);
    expect((await client.verifiedGet('large'))?.value).toEqual(value);
  });

  test('atTx, atRevision and sinceTx are bound', async () => {
    const { client } = await openClient();
    const writes = [];
    for (const value of ['a', 'b', 'c']) writes.push(await client.verifiedSet('key', value));
    for (const [i, value] of ['a', 'b', 'c'].entries()) {
      const at = await client.verifiedGet('key', { atTx: writes[i]!.tx });
      expect([text(at?.value), at?.tx]).toEqual([value, writes[i]!.tx]);
      const revision = await client.verifiedGet('key', { atRevision: BigInt(i + 1) });
      expect([text(revision?.value), revision?.unproven.revision]).toEqual([value, BigInt(i + 1)]);
    }
    expect(text((await client.verifiedGet('key', { atRevision: -1n }))?.value)).toBe('b');
    const since = await client.verifiedGet('key', { sinceTx: writes[2]!.tx });
    expect(since?.root.tx).toBeGreaterThanOrEqual(writes[2]!.tx);
    expect(await client.verifiedGet('key', { atTx: 99n }).catch((error: unknown) => error)).toBeInstanceOf(
      Error,
    );
  });

  test('a missing, a deleted and an expired key give null', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.verifiedSet('deleted', 'value');
    await wire.call('Delete', { keys: [Buffer.from('deleted')] });
    const expiresAt = Math.floor(Date.now() / 1000) - 10;
    await wire.call('Set', {
      KVs: [
        { key: Buffer.from('expired'), value: Buffer.from('v'), metadata: { expiration: { expiresAt } } },
      ],
    });
    for (const key of ['missing', 'deleted', 'expired']) expect(await client.verifiedGet(key)).toBeNull();
  });

  test('metadata is proven: expiration and non-indexable entries', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await wire.call('Set', {
      KVs: [
        {
          key: Buffer.from('later'),
          value: Buffer.from('v'),
          metadata: { expiration: { expiresAt: 4102444800 } },
        },
        { key: Buffer.from('hidden'), value: Buffer.from('w'), metadata: { nonIndexable: true } },
      ],
    });
    expect((await client.verifiedGet('later'))?.metadata).toEqual({ expiresAt: 4102444800n });
    expect((await client.verifiedGet('hidden', { atTx: 1n }))?.metadata).toEqual({ nonIndexable: true });
  });

  test('values behind references are proven, bound and unbound', async () => {
    const { client, store, database } = await openClient();
    const wire = await openWire(database);
    const first = await client.verifiedSet('target', 'one');
    await wire.call('SetReference', {
      key: Buffer.from('bound'),
      referencedKey: Buffer.from('target'),
      atTx: String(first.tx),
      boundRef: true,
    });
    await wire.call('SetReference', { key: Buffer.from('free'), referencedKey: Buffer.from('target') });
    await client.verifiedSet('target', 'two');
    const bound = await client.verifiedGet('bound');
    expect([text(bound?.value), text(bound?.key), bound?.tx]).toEqual(['one', 'target', first.tx]);
    expect(bound?.reference).toMatchObject({ atTx: first.tx, tx: 2n });
    expect(text(bound?.reference?.key)).toBe('bound');
    const free = await client.verifiedGet('free');
    expect(text(free?.value)).toBe('two');
    expect(free?.reference?.atTx).toBe(0n);
    // Two proofs each, and one call each.
    await client.close();
    expect((await rowsOf(store)).reduce((sum, row) => sum + row.calls, 0)).toBe(4);
  });

  test('transactions of many entries', async () => {
    const { client } = await openClient();
    await client.setAll(Array.from({ length: 300 }, (_, i) => [`k${i}`, `v${i}`] as const));
    const entries = await Promise.all([0, 1, 150, 299].map((i) => client.verifiedGet(`k${i}`)));
    expect(entries.map((entry) => text(entry?.value))).toEqual(['v0', 'v1', 'v150', 'v299']);
  });

  test('version 0 headers', async () => {
    const database = await freshDatabase(sharedImmudb(), { writeTxHeaderVersion: { value: 0 } });
    const { client } = await openClient({ database });
    await client.verifiedSet('a', '1');
    await client.verifiedSet('b', '2');
    expect(text((await client.verifiedGet('a'))?.value)).toBe('1');
  });

  test('both verifiers: threads always, and none', async () => {
    const { database } = await openClient();
    for (const verifier of [{ threads: 1, inlineBelowJobs: 0 }, { threads: 0 }]) {
      const { client } = await openClient({ database, verifier });
      const writes = await Promise.all(
        Array.from({ length: 10 }, (_, i) => client.verifiedSet(`k${i}`, 'v', { ownTx: true })),
      );
      expect(new Set(writes.map(({ tx }) => tx)).size).toBe(10);
      expect(text((await client.verifiedGet('k3'))?.value)).toBe('v');
    }
  });

  test('a store that is kept is where the next client starts', async () => {
    const { client, store, database } = await openClient();
    await client.verifiedSet('a', '1');
    await client.close();
    const next = new ImmuClient({ address: sharedImmudb(), store, credentials: { ...USER, database } });
    await next.verifiedSet('b', '2');
    await next.close();
    const rows = await rowsOf(store, { outcome: ['first-use', 'root'] });
    expect(rows.map(({ tx, previousTx }) => [tx, previousTx])).toEqual([
      [0n, null],
      [1n, 0n],
      [2n, 1n],
    ]);
  });
});

describe('arguments of verified calls', () => {
  const client = new ImmuClient({ address: 'localhost:1', store: new MemoryRootStore() });
  const cases: [string, () => Promise<unknown>, string][] = [
    ['empty key', () => client.verifiedSet('', 'v'), 'key'],
    ['long key', () => client.verifiedSet('k'.repeat(1024), 'v'), 'key'],
    ['number as key', () => client.verifiedGet(7 as never), 'key'],
    ['lone surrogate', () => client.verifiedSet('\ud800', 'v'), 'key'],
    ['null as value', () => client.verifiedSet('k', null as never), 'value'],
    ['long value', () => client.verifiedSet('k', new Uint8Array(32 * 1024 * 1024)), 'value'],
    ['timeout 0', () => client.verifiedSet('k', 'v', { timeoutMs: 0 }), 'timeoutMs'],
    ['atTx with atRevision', () => client.verifiedGet('k', { atTx: 1n, atRevision: 1n }), 'atTx'],
    ['atTx 0', () => client.verifiedGet('k', { atTx: 0n }), 'atTx'],
    ['a number as sinceTx', () => client.verifiedGet('k', { sinceTx: 1 as never }), 'sinceTx'],
  ];
  test.for(cases)('%s', async ([, call, argument]) => {
    const error = await rejection(call());
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.argument).toBe(argument);
  });
});
