// What was followed, from one process to the next: nothing is asked again, and what was changed meanwhile is found.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { FollowOptions } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openWire, rejection, rowsOf, temporaryFolder } from './support.js';

interface Setting {
  readonly database: string;
  readonly path: string;
  readonly store: MemoryRootStore;
  readonly proxy: Proxy;
}

async function setting(): Promise<Setting> {
  const database = await freshDatabase();
  const proxy = await Proxy.start(sharedImmudb());
  onTestFinished(() => proxy.close());
  const path = join(await temporaryFolder(), 'followed');
  const wire = await openWire(database);
  for (let i = 0; i < 40; i++)
    await wire.call('Set', { KVs: [{ key: Buffer.from(`k${i % 30}`), value: Buffer.from(`${i}`) }] });
  await wire.call('Set', {
    KVs: [
      {
        key: Buffer.from('soon'),
        value: Buffer.from(''),
        metadata: { expiration: { expiresAt: '99999999999' } },
      },
    ],
  });
  // Rows of a catalog, where there is one.
  await wire.call('SQLExec', { sql: 'CREATE TABLE t (id INTEGER, PRIMARY KEY id);' }).catch(() => undefined);
  return { database, path, store: new MemoryRootStore(), proxy };
}

const { requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'TxScan');
interface TxScanRequest {
  readonly initialTx: string;
  readonly entriesSpec?: object | null;
}

/** Runs of whole txs that are asked for while `work` is under way. */
async function asked(proxy: Proxy, work: () => Promise<void>): Promise<string[]> {
  const methods: string[] = [];
  proxy.intercept = async (passing) => {
    if (passing.method === 'TxScan') {
      const { initialTx, entriesSpec } = requestDeserialize(passing.request) as TxScanRequest;
      if (!entriesSpec) methods.push(`tx ${initialTx}`);
    }
    return passOn(passing);
  };
  await work();
  proxy.intercept = passOn;
  return methods;
}

async function once(
  { database, store, proxy, path }: Setting,
  options: FollowOptions,
  work: (client: ImmuClient) => Promise<void>,
): Promise<void> {
  const client = new ImmuClient({ address: proxy.address, store, credentials: { ...USER, database } });
  try {
    const following = await client.follow({ keep: path, ...options });
    await following.ready();
    await work(client);
  } finally {
    await client.close();
  }
}

const checks = async (client: ImmuClient) => {
  expect(await client.verifiedGet('k9', { latest: true })).toMatchObject({ tx: 40n, revision: 2n });
  expect(await client.verifiedGet('soon', { latest: true })).toMatchObject({ tx: 41n });
  expect(await client.proveAbsent('never')).toMatchObject({ absent: 'never-written' });
};

describeServer('what was followed is kept', () => {
  test.each([
    ['in memory', {}],
    ['in order', { ordered: true }],
    ['in a file beyond what memory is given', { maxBytes: 1 }],
  ])('%s', async (_, options) => {
    const at = await setting();
    expect((await asked(at.proxy, () => once(at, options, checks))).length).toBeGreaterThan(0);
    expect((await stat(at.path)).mode & 0o777).toBe(0o600);
    expect(await asked(at.proxy, () => once(at, options, checks))).toEqual([]);
    const wire = await openWire(at.database);
    const { id } = await wire.call('Set', { KVs: [{ key: Buffer.from('k9'), value: Buffer.from('new') }] });
    expect(
      await asked(at.proxy, () =>
        once(at, options, async (client) => {
          expect(await client.verifiedGet('k9', { latest: true })).toMatchObject({
            tx: BigInt(id),
            revision: 3n,
          });
        }),
      ),
    ).toHaveLength(1);
    expect((await rowsOf(at.store)).filter(({ outcome }) => outcome === 'failure')).toEqual([]);
  });

  test.each([
    ['in memory', {}, ''],
    ['in order', { ordered: true }, '.sqlite'],
  ])('one flipped byte is found, and it is followed again: %s', async (_, options, suffix) => {
    const at = await setting();
    await once(at, options, checks);
    const bytes = await readFile(at.path + suffix);
    bytes[bytes.length - 20]! ^= 1;
    await writeFile(at.path + suffix, bytes);
    expect((await asked(at.proxy, () => once(at, options, checks))).length).toBeGreaterThan(0);
    const failures = (await rowsOf(at.store)).filter(({ outcome }) => outcome === 'failure');
    expect(failures.map(({ evidence }) => evidence?.check ?? '')).toHaveLength(1);
    expect(failures[0]?.detail).toContain('is not what was written');
    expect(await asked(at.proxy, () => once(at, options, checks))).toEqual([]);
  });

  test('after forgetTrust nothing that was kept is used', async () => {
    const at = await setting();
    await once(at, {}, checks);
    const client = new ImmuClient({
      address: at.proxy.address,
      store: at.store,
      credentials: { ...USER, database: at.database },
    });
    await client.forgetTrust('a test');
    await client.close();
    expect((await asked(at.proxy, () => once(at, {}, checks))).length).toBeGreaterThan(0);
  });

  test('a file of something else is left alone', async () => {
    const at = await setting();
    await writeFile(at.path, 'a diary');
    expect(await rejection(once(at, {}, checks))).toMatchObject({ code: 'STORE_FOREIGN' });
    expect(await readFile(at.path, 'utf8')).toBe('a diary');
  });
});
