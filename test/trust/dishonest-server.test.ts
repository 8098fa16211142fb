// Servers that do not keep their word, made from real ones: rolled back, forked, exchanged, unsigned.
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { EMPTY_HASH } from '#dist/proof/hash.js';
import { check } from '#dist/verify/check.js';
import { unpackJob } from '#dist/verify/pack/packet.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { USER, rejection, rowsOf, temporaryFolder, text } from './support.js';

const DATABASE = 'defaultdb';

function clientOf(
  server: { address: string },
  store: MemoryRootStore,
  options: ImmuClientOptions = {},
): ImmuClient {
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

/** Puts the server back to the data it had at `snapshot`. */
async function restore(server: TestImmudb, client: ImmuClient, snapshot: string): Promise<void> {
  await server.stop();
  await rm(join(server.dir, 'data'), { recursive: true });
  await cp(snapshot, join(server.dir, 'data'), { recursive: true });
  await server.start();
  await client.health();
}

/** The client's session ends with the stop: a read opens another, so that writes find one. */
async function snapshotOf(server: TestImmudb, client: ImmuClient): Promise<string> {
  const snapshot = join(await temporaryFolder(), 'snapshot');
  await server.stop();
  await cp(join(server.dir, 'data'), snapshot, { recursive: true });
  await server.start();
  await client.health();
  return snapshot;
}

describePrivate('a server that goes back or forks', () => {
  test('rolled back: typed error, recorded, trust kept; well again when it is back', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store);
    await client.verifiedSet('a', '1');
    const early = await snapshotOf(server, client);
    for (const value of ['2', '3', '4']) await client.verifiedSet('a', value);
    const late = await snapshotOf(server, client);
    const trusted = await store.audit.latest();

    await restore(server, client, early);
    for (const call of [() => client.verifiedGet('a'), () => client.verifiedSet('b', '1')]) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(VerificationError);
      expect(error.code).toBe('SERVER_BEHIND_TRUST');
      expect(error.evidence).toMatchObject({ database: DATABASE, expected: '4', computed: '1' });
    }
    expect((await client.currentState()).tx).toBe(1n);
    expect((await store.audit.latest())?.hash).toEqual(trusted?.hash);
    const rollbacks = await rowsOf(store, { outcome: 'rollback' });
    expect(rollbacks).toHaveLength(2);
    for (const { evidence } of rollbacks) {
      expect(evidence?.check).toBe('trust.rollback');
      expect(verifyEvidence(evidence!)).toMatchObject({ outcome: 'reproduced', refuted: { computed: '1' } });
    }

    await restore(server, client, late);
    expect(text((await client.verifiedGet('a'))?.value)).toBe('4');
  });

  test('forked behind the head: refused, with evidence that can be checked again without the server', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store);
    await client.verifiedSet('a', '1');
    const early = await snapshotOf(server, client);
    for (const value of ['2', '3']) await client.verifiedSet('a', value);
    await restore(server, client, early);
    const liar = await WireClient.open(server.address);
    for (const value of ['x', 'y', 'z'])
      await liar.call('Set', { KVs: [{ key: Buffer.from('a'), value: Buffer.from(value) }] });
    liar.close();

    for (const call of [() => client.verifiedGet('a'), () => client.verifiedSet('b', '1')]) {
      const error = await rejection(call());
      expect(error).toBeInstanceOf(VerificationError);
      expect(error.code).toBe('FORK_DETECTED');
    }
    const failures = await rowsOf(store, { outcome: 'fork' });
    expect(failures).toHaveLength(2);
    for (const { evidence } of failures) {
      const again = check(unpackJob(evidence!.job));
      expect(again).toMatchObject({ ok: false, refuted: { check: evidence!.check } });
    }
    expect((await store.head({ server: failures[0]!.server, database: DATABASE }))?.tx).toBe(3n);
  });

  test('forgetTrust starts anew, and says so in the log', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store);
    const early = await snapshotOf(server, client);
    for (const value of ['1', '2']) await client.verifiedSet('a', value);
    await restore(server, client, early);
    expect((await rejection(client.verifiedGet('a'))).code).toBe('SERVER_BEHIND_TRUST');
    await client.forgetTrust('restored from a backup');
    await client.verifiedSet('a', 'anew');
    expect(text((await client.verifiedGet('a'))?.value)).toBe('anew');
    const [row] = await rowsOf(store, { outcome: 'forget' });
    expect(row?.detail).toBe('restored from a backup');
  });
});

describePrivate('another server at the same address', () => {
  test('is an error for the running client and for the next one, until it is accepted', async () => {
    const store = new MemoryRootStore();
    const first = await TestImmudb.start();
    const client = clientOf(first, store);
    await client.verifiedSet('a', '1');
    await first.close();
    await using second = await TestImmudb.start({ port: first.port });

    const error = await rejection(client.verifiedGet('a'));
    expect(error.code).toBe('IDENTITY_CHANGED');
    expect((await rejection(client.verifiedSet('a', '2'))).code).toBe('IDENTITY_CHANGED');
    const next = clientOf(second, store);
    const refused = await rejection(next.verifiedGet('a'));
    expect(refused.code).toBe('IDENTITY_CHANGED');
    expect((await rowsOf(store, { outcome: 'identity-change' })).length).toBeGreaterThan(0);

    await next.acceptServer(refused.evidence.computed ?? '');
    await next.verifiedSet('a', '3');
    expect(text((await next.verifiedGet('a'))?.value)).toBe('3');
  });
});

describePrivate('state signatures', () => {
  test('are required and checked when a key is configured', async () => {
    await using server = await TestImmudb.start({ signing: true });
    const store = new MemoryRootStore();
    const client = clientOf(server, store, { serverPublicKey: server.publicKeyPem! });
    await Promise.all(Array.from({ length: 8 }, (_, i) => client.verifiedSet(`k${i}`, 'v')));
    expect(text((await client.verifiedGet('k3'))?.value)).toBe('v');
    for (const row of await rowsOf(store, { outcome: 'root' })) {
      expect(row.signature?.length).toBeGreaterThan(60);
      expect(row.keyFingerprint).toHaveLength(32);
    }
  });

  test('of another key, or missing, are refused', async () => {
    await using server = await TestImmudb.start({ signing: true });
    await using other = await TestImmudb.start({ signing: true });
    await using unsigned = await TestImmudb.start();
    const wrong = clientOf(server, new MemoryRootStore(), { serverPublicKey: other.publicKeyPem! });
    expect((await rejection(wrong.verifiedSet('a', '1'))).evidence.check).toBe('signature.invalid');
    const missing = clientOf(unsigned, new MemoryRootStore(), { serverPublicKey: other.publicKeyPem! });
    expect((await rejection(missing.verifiedSet('a', '1'))).evidence.check).toBe('signature.missing');
  });
});

describePrivate('a pinned root', () => {
  test('starts trust, or must lie on the trusted history', async () => {
    await using server = await TestImmudb.start();
    const store = new MemoryRootStore();
    const client = clientOf(server, store);
    const { tx, alh } = await client.verifiedSet('a', '1');
    await client.verifiedSet('a', '2');

    const fresh = new MemoryRootStore();
    const pinned = clientOf(server, fresh, { trust: { policy: 'pinned', tx, alh } });
    expect(text((await pinned.verifiedGet('a'))?.value)).toBe('2');
    expect((await rowsOf(fresh)).map((row) => row.outcome)).toEqual(['pinned', 'root']);

    const known = clientOf(server, store, { trust: { policy: 'pinned', tx, alh } });
    expect(text((await known.verifiedGet('a'))?.value)).toBe('2');

    const other = Uint8Array.from(alh, (byte) => byte ^ 1);
    for (const kept of [store, new MemoryRootStore()]) {
      const misled = clientOf(server, kept, { trust: { policy: 'pinned', tx, alh: other } });
      expect(await rejection(misled.verifiedGet('a'))).toBeInstanceOf(VerificationError);
    }
  });

  test('at genesis proves the history from its first transaction', async () => {
    await using server = await TestImmudb.start();
    const client = clientOf(server, new MemoryRootStore());
    for (const value of ['1', '2', '3']) await client.set('a', value);
    const store = new MemoryRootStore();
    const pinned = clientOf(server, store, { trust: { policy: 'pinned', tx: 0n, alh: EMPTY_HASH } });
    expect(text((await pinned.verifiedGet('a'))?.value)).toBe('3');
    expect((await rowsOf(store)).map((row) => row.tx)).toEqual([0n, 3n]);
  });
});
