// Several addresses of one history: the next is taken when one does not answer, and is believed when it extends what is trusted.
import { expect, onTestFinished, describe, test } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import type { AuditRow, ImmuClientOptions, RootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { Proxy } from '../adversary/proxy.js';
import { describePrivate } from '../support/real.js';
import { REPLICATED, pair } from '../support/replicas.js';
import { WireClient } from '../support/wire-client.js';
import { rejection, rowsOf } from '../trust/support.js';

function clientOf(address: string | string[], store: RootStore, more: ImmuClientOptions = {}): ImmuClient {
  const client = new ImmuClient({
    ...{ address, store, timeoutMs: 10_000, connectTimeoutMs: 2000 },
    credentials: { user: 'immudb', password: 'immudb', database: REPLICATED },
    ...more,
  });
  onTestFinished(() => client.close());
  return client;
}

async function put(address: string, key: string, value: string): Promise<bigint> {
  const wire = await WireClient.open(address, REPLICATED);
  const { id } = await wire.call('Set', { KVs: [{ key: Buffer.from(key), value: Buffer.from(value) }] });
  wire.close();
  return BigInt(id);
}

const alarms = async (store: MemoryRootStore): Promise<AuditRow[]> =>
  (await rowsOf(store, {})).filter(
    ({ outcome }) => !['root', 'first-use', 'calls', 'identity'].includes(outcome),
  );
const valueOf = (entry: { value: Uint8Array } | null) => Buffer.from(entry?.value ?? []).toString();

describePrivate('a primary and its replica', () => {
  test('the primary is killed: the replica serves under the same trust, reads go on, writes wait for a promotion', async () => {
    const { primary, replica, reached, promote } = await pair();
    const store = new MemoryRootStore();
    const client = clientOf([primary.address, replica.address], store);
    for (let i = 0; i < 5; i++) await client.verifiedSet(`k${i}`, `v${i}`);
    const { tx } = await client.verifiedSet('k', 'v');
    await reached(tx);

    const reads = async () => {
      const outcomes: string[] = [];
      while (!killed || outcomes.length < 400)
        outcomes.push(valueOf(await client.verifiedGet(`k${outcomes.length % 5}`)));
      return outcomes;
    };
    let killed = false;
    const reading = [reads(), reads(), reads()];
    await new Promise((resolve) => setTimeout(resolve, 100));
    await primary.kill();
    killed = true;
    for (const outcomes of await Promise.all(reading))
      expect(new Set(outcomes)).toEqual(new Set(['v0', 'v1', 'v2', 'v3', 'v4']));
    expect(await client.verifiedGet('none')).toBeNull();
    expect(valueOf(await client.get('k3'))).toBe('v3');

    // A replica takes no writes: certainly not done, and said so.
    expect(await rejection(client.verifiedSet('k', 'w', { timeoutMs: 3000 }))).toMatchObject({
      code: expect.stringMatching(/^(PERMISSION_DENIED|UNAVAILABLE|DEADLINE_EXCEEDED)$/) as string,
    });
    expect(valueOf(await client.verifiedGet('k'))).toBe('v');
    await promote();
    expect((await client.verifiedSet('k', 'w')).tx).toBe(tx + 1n);
    expect(valueOf(await client.verifiedGet('k'))).toBe('w');

    expect(await alarms(store)).toEqual([]);
    const servers = new Set(
      (await rowsOf(store, { outcome: ['root', 'first-use'] })).map(({ server }) => server),
    );
    expect(servers.size).toBe(1);
    const known = await rowsOf(store, { outcome: 'identity' });
    expect(new Set(known.map(({ server }) => server)).size).toBe(2);

    // Another process, whose first address is gone, goes on under the same trust.
    const next = clientOf([primary.address, replica.address], store);
    expect(valueOf(await next.verifiedGet('k'))).toBe('w');
    expect(await rowsOf(store, { outcome: 'first-use' })).toHaveLength(1);
  }, 60_000);

  test('a write that nobody knows the end of is not sent to the other one', async () => {
    const { primary, replica, reached, promote } = await pair();
    const store = new MemoryRootStore();
    const client = clientOf([primary.address, replica.address], store);
    const { tx } = await client.verifiedSet('a', '1');
    await reached(tx);
    await promote();
    const ends: [key: string, code: string][] = [];
    const write = async (key: string) => {
      const code = await client.set(key, 'v', { timeoutMs: 8000 }).then(
        () => 'done',
        (error: unknown) => (error as { code: string }).code,
      );
      ends.push([key, code]);
    };
    const writing = Array.from({ length: 8 }, async (_, lane) => {
      for (let i = 0; i < 150; i++) await write(`${lane}/${i}`);
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await primary.kill();
    await Promise.all(writing);
    const unknown = ends.filter(([, code]) => code === 'OUTCOME_UNKNOWN');
    expect(unknown.length).toBeGreaterThan(0);
    const reader = clientOf(replica.address, new MemoryRootStore());
    for (const [key] of unknown) expect(await reader.get(key), key).toBeNull();
    // Others were acknowledged by the one that was killed, or, certain not to have been done there, by its successor.
    expect(new Set(ends.map(([, code]) => code))).toEqual(new Set(['done', 'OUTCOME_UNKNOWN']));
    expect(valueOf(await client.verifiedGet('a'))).toBe('1');
  }, 60_000);

  test('one that has diverged after its promotion: FORK_DETECTED, for plain calls too, and nothing is written there', async () => {
    const { primary, replica, reached, promote } = await pair();
    const store = new MemoryRootStore();
    const client = clientOf([primary.address, replica.address], store);
    const { tx } = await client.verifiedSet('k', 'common');
    await reached(tx);
    await promote();
    await client.verifiedSet('k', 'of the primary');
    for (let i = 0; i < 3; i++) await put(replica.address, 'k', 'of the other');
    await primary.kill();

    for (const call of [
      // The first is one that proves nothing by itself.
      () => client.get('k'),
      () => client.verifiedGet('k'),
      () => client.verifiedSet('k', 'x'),
      () => client.set('k', 'x'),
      () => client.verifiedGet('none'),
      () => client.verifiedGetAll(['k', 'none']),
    ]) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(VerificationError);
      expect(error.code).toBe('FORK_DETECTED');
    }
    const wire = await WireClient.open(replica.address, REPLICATED);
    expect(BigInt((await wire.call('CurrentState')).txId)).toBe(tx + 3n);
    wire.close();
    expect((await alarms(store)).map(({ outcome }) => outcome)).toContain('fork');

    // A client that begins with it is no better off.
    const next = clientOf([replica.address, primary.address], store);
    expect(await rejection(next.verifiedGet('k'))).toMatchObject({ code: 'FORK_DETECTED' });
  }, 60_000);

  test('one that lags behind what is trusted: SERVER_BEHIND_TRUST, never silently; and the first again when it is back', async () => {
    const { primary, replica, reached, cutOff } = await pair();
    const store = new MemoryRootStore();
    const client = clientOf([primary.address, replica.address], store);
    const { tx } = await client.verifiedSet('k', 'old');
    await reached(tx);
    await cutOff();
    for (let i = 0; i < 3; i++) await client.verifiedSet('k', 'new');
    await primary.stop();
    expect(await rejection(client.verifiedGet('k'))).toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
    expect(await rejection(client.get('k'))).toMatchObject({ code: 'SERVER_BEHIND_TRUST' });
    await primary.restart();
    expect(valueOf(await client.verifiedGet('k'))).toBe('new');
    await client.verifiedSet('k', 'newer');
    expect(valueOf(await client.verifiedGet('k'))).toBe('newer');
  }, 60_000);

  test('it dies between its answer to a write and the proof: unknown, and no word against who does not have it', async () => {
    const { primary, replica, reached, cutOff } = await pair();
    const proxy = await Proxy.start(primary.address);
    onTestFinished(() => proxy.close());
    const store = new MemoryRootStore();
    const client = clientOf([proxy.address, replica.address], store);
    const { tx } = await client.verifiedSet('k', 'v');
    await reached(tx);
    await cutOff();
    const proofs: string[] = [];
    proxy.intercept = async ({ method, forward }) => {
      if (method !== 'VerifiableTxById') return forward();
      proofs.push(method);
      // No answer any more, and nothing that could be connected to.
      await primary.kill();
      await proxy.close();
      return forward();
    };
    const records = Array.from({ length: 5000 }, (_, i) => [`a${i}`, '1'] as const);
    const ingested = async () => {
      for await (const { tx: of } of client.ingest(records).batches()) expect(of).toBeGreaterThan(tx);
    };
    const error = await rejection(ingested());
    expect(proofs).not.toEqual([]);
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(await alarms(store)).toEqual([]);
    expect(valueOf(await client.verifiedGet('k'))).toBe('v');
  }, 60_000);

  test('it dies between the proof and the headers up to it, of which the other one has a part: unknown, and no alarm', async () => {
    const { primary, replica, reached, cutOff } = await pair();
    const proxy = await Proxy.start(primary.address);
    onTestFinished(() => proxy.close());
    const store = new MemoryRootStore();
    const client = clientOf([proxy.address, replica.address], store);
    await client.verifiedSet('k', 'v');
    const last = await put(primary.address, 'beside', 'v');
    await reached(last);
    await cutOff();
    const proven = new Promise<void>((resolve) => {
      proxy.intercept = async ({ method, forward }) => {
        const answer = await forward();
        if (method === 'VerifiableTxById') resolve();
        if (method !== 'TxScan') return answer;
        await proven;
        await primary.kill();
        await proxy.close();
        throw new Error('gone');
      };
    });
    const records = Array.from({ length: 200 }, (_, i) => [`a${i}`, '1'] as const);
    const error = await rejection(client.ingest(records).finished());
    await proven;
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(await alarms(store)).toEqual([]);
    expect(valueOf(await client.verifiedGet('k'))).toBe('v');
  }, 60_000);

  test('the replica is named first: writes find the primary', async () => {
    const { primary, replica, reached } = await pair();
    await put(primary.address, 'k', 'v');
    await reached(1n);
    const client = clientOf([replica.address, primary.address], new MemoryRootStore());
    const [one, two] = await Promise.all([client.verifiedSet('a', '1'), client.set('b', '2')]);
    expect([one.tx, two.tx].sort()).toEqual([2n, 3n]);
    expect(valueOf(await client.verifiedGet('k'))).toBe('v');
  }, 60_000);
});

describe('addresses', () => {
  test('what makes no sense', () => {
    const of = (address: unknown) => () =>
      new ImmuClient({ address: address as string, store: new MemoryRootStore() });
    expect(of(['a', 'b,c'])).toThrow('several are an array');
    expect(of(['a', 'immudb://b'])).toThrow('without immudb://');
    for (const bad of ['b,c', 'immudb://b', 'b:0', '']) {
      const make = () => new ImmuClient({ readFrom: ['a', bad], store: new MemoryRootStore() });
      expect(make, bad).toThrow(/^readFrom /);
    }
    for (const bad of [
      [],
      ['a', 'A:3322'],
      ['a', 1],
      [['a']],
      ['immudb://u:p@a/d', 'b'],
      new Array(17).fill('a'),
      {},
      null,
    ])
      expect(of(bad), JSON.stringify(bad)).toThrow(ArgumentError);
  });

  test('another server than before at the second address: IDENTITY_CHANGED', async () => {
    const [one, two, three] = await Promise.all([
      EmbeddedLedger.start(),
      EmbeddedLedger.start(),
      EmbeddedLedger.start(),
    ]);
    onTestFinished(() => Promise.all([one.close(), two.close(), three.close()]).then(() => undefined));
    const store = new MemoryRootStore();
    await store.bindIdentity(two.address, 'who was there');
    const options = { credentials: { user: 'immudb', password: 'immudb' } };
    const client = clientOf([one.address, two.address], store, options);
    await client.verifiedSet('a', '1');
    await one.close();
    expect(await rejection(client.verifiedGet('a'))).toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect(await rejection(client.get('a'))).toMatchObject({ code: 'IDENTITY_CHANGED' });
  });
});
