// A restored backup that others write past: the server is beyond the trusted transaction again, on another history. Nothing of
// it is believed, by whatever call, and least of all a null.
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { ImmuClientOptions, VerificationError } from '#dist/index.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { USER, rejection, rowsOf, temporaryFolder, text } from './support.js';

const KEYS = ['a', 'b', 'c'];

interface Restored {
  readonly server: TestImmudb;
  readonly store: MemoryRootStore;
  readonly open: (options?: ImmuClientOptions) => ImmuClient;
  /** Puts the backup back; `txs`: so many are written on it by somebody else. */
  readonly restore: (txs: number) => Promise<void>;
  /** Puts back what was there before. */
  readonly undo: () => Promise<void>;
  readonly tx: () => Promise<string>;
}

async function withBackup(server: TestImmudb): Promise<Restored> {
  const store = new MemoryRootStore();
  const folder = await temporaryFolder();
  const data = join(server.dir, 'data');
  const open = (options: ImmuClientOptions = {}) => {
    const client = new ImmuClient({
      address: server.address,
      store,
      credentials: USER,
      keepAliveMs: 0,
      ...options,
    });
    onTestFinished(() => client.close().catch(() => undefined));
    return client;
  };
  const put = async (from: string) => {
    await rm(data, { recursive: true });
    await cp(from, data, { recursive: true });
  };
  await server.stop();
  await cp(data, join(folder, 'backup'), { recursive: true });
  await server.start();
  const elsewhere = async <T>(work: (wire: WireClient) => Promise<T>) => {
    const wire = await WireClient.open(server.address);
    return work(wire).finally(() => wire.close());
  };
  return {
    server,
    store,
    open,
    restore: async (txs) => {
      await server.stop();
      await cp(data, join(folder, 'present'), { recursive: true });
      await put(join(folder, 'backup'));
      await server.start();
      await elsewhere(async (wire) => {
        for (let i = 0; i < txs; i++)
          await wire.call('Set', { KVs: [{ key: Buffer.from(`other${i}`), value: Buffer.from('v') }] });
      });
    },
    undo: async () => {
      await server.stop();
      await put(join(folder, 'present'));
      await server.start();
    },
    tx: () => elsewhere(async (wire) => (await wire.call('CurrentState')).txId as string),
  };
}

describePrivate('a restored backup that others write past', () => {
  test('reads as an error, not as nulls: lone, together, in a new client, and on after it was refused', async () => {
    await using server = await TestImmudb.start();
    const { store, open, restore, undo } = await withBackup(server);
    const forks: VerificationError[] = [];
    const client = open({ onFork: (fork) => forks.push(fork) });
    for (const key of KEYS) await client.verifiedSet(key, 'v');
    await restore(10);
    await client.health();

    const calls = (of: ImmuClient): (() => Promise<unknown>)[] => [
      () => of.verifiedGet('a'),
      () => Promise.all(KEYS.map((key) => of.verifiedGet(key))),
      () => of.verifiedGetAll(KEYS),
      () => of.verifiedGetAll(['never', 'written']),
      () => of.verifiedGet('never'),
      () => of.verifiedSet('d', 'v'),
      () => of.verifiedSetAll(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`n${i}`, 'v']))),
    ];
    for (let round = 0; round < 2; round++)
      for (const call of calls(client)) expect((await rejection(call())).code).toBe('FORK_DETECTED');
    for (const call of calls(open())) expect((await rejection(call())).code).toBe('FORK_DETECTED');
    expect(forks.length).toBeGreaterThan(0);
    expect(forks[0]!.message).toContain('forgetTrust');
    expect((await rowsOf(store, { outcome: 'fork' })).length).toBeGreaterThan(0);

    await undo();
    expect(text((await client.verifiedGet('a'))?.value)).toBe('v');
    expect(await client.verifiedGet('never')).toBeNull();
    await client.verifiedSet('d', 'v');
  });

  test('takes no write: refused before it is sent, until trust is forgotten on purpose', async () => {
    await using server = await TestImmudb.start();
    const { open, restore, tx } = await withBackup(server);
    const client = open();
    for (const key of KEYS) await client.verifiedSet(key, 'v');
    await restore(10);
    const before = await tx();
    const writes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => rejection(client.verifiedSet(`w${i}`, 'v'))),
    );
    for (const { code } of writes) expect(code).toBe('FORK_DETECTED');
    expect(await tx()).toBe(before);
    await client.forgetTrust('restored from a backup');
    await client.verifiedSet('a', 'anew');
    expect(text((await client.verifiedGet('a'))?.value)).toBe('anew');
    expect(await client.verifiedGet('b')).toBeNull();
  });

  test('rolled back and not yet written past: SERVER_BEHIND_TRUST for a thousand calls, and few rows', async () => {
    await using server = await TestImmudb.start();
    const { store, open, restore, tx } = await withBackup(server);
    const client = open();
    for (const key of KEYS) await client.verifiedSet(key, 'v');
    await restore(1);
    const before = await tx();
    const outcomes = await Promise.all([
      ...Array.from({ length: 500 }, (_, i) => rejection(client.verifiedSet(`w${i}`, 'v'))),
      ...Array.from({ length: 500 }, (_, i) => rejection(client.verifiedGet(`r${i}`))),
    ]);
    for (const { code, message } of outcomes) {
      expect(code).toBe('SERVER_BEHIND_TRUST');
      expect(message).toContain('forgetTrust');
    }
    expect(await tx()).toBe(before);
    await client.close();
    const rows = await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] });
    expect(rows.length).toBeLessThan(20);
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThan(1);
  });

  test('is told by a client that follows, which goes on and finds the history again', async () => {
    await using server = await TestImmudb.start();
    const { store, open, restore, undo } = await withBackup(server);
    const forks: VerificationError[] = [];
    const client = open({ followMs: 50, onFork: (fork) => forks.push(fork) });
    for (const key of KEYS) await client.verifiedSet(key, 'v');
    await restore(10);
    await expect.poll(() => forks.length, { timeout: 15_000 }).toBeGreaterThan(0);
    expect((await rejection(client.verifiedGet('a'))).code).toBe('FORK_DETECTED');
    await undo();
    const wire = await WireClient.open(server.address);
    onTestFinished(() => wire.close());
    const { id } = await wire.call('Set', { KVs: [{ key: Buffer.from('x'), value: Buffer.from('v') }] });
    const headTx = () => client.diagnostics.trust['defaultdb']?.headTx;
    await expect.poll(headTx, { timeout: 15_000 }).toBe(BigInt(id as string));
    expect((await store.audit.verify()).ok).toBe(true);
  });
});
