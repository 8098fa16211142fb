// What a truncation leaves: hashes without their values, told apart from values that are not those that were hashed.
// A real one: the server gives up values of before the present day, of transactions that were replicated with old times.
import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { plainKey, plainValue } from '#dist/proof/entry.js';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { USER, rejection } from '../trust/support.js';
import { exportBytes, exported } from '../verify/support/export-bytes.js';
import { TestChain, utf8 } from '../verify/support/test-chain.js';
import { all, replica } from './support.js';

const DAY = 86_400n;
const OLD = 12n;
const LAST = 24n;
const GONE = { code: 'TRUNCATED' };

describeReal('after a truncation', () => {
  let client: ImmuClient;
  beforeAll(async () => {
    const database = await freshDatabase(sharedImmudb(), {
      fileSize: 1 << 16,
      replicationSettings: { replica: { value: true } },
    });
    client = new ImmuClient({
      ...{ address: sharedImmudb(), store: new MemoryRootStore() },
      credentials: { ...USER, database },
    });
    const now = BigInt(Math.floor(Date.now() / 1000));
    const chain = new TestChain();
    for (let i = 1n; i <= LAST; i++) {
      const ts = i <= OLD ? now - 3n * DAY : now;
      chain.commit([{ key: plainKey(utf8(`k${i}`)), value: plainValue(randomBytes(40_000)) }], { ts });
    }
    for (let i = 1n; i <= LAST; i++) await client.replicateTx(exportBytes(exported(chain, i)));
    const wire = await WireClient.open(sharedImmudb(), database);
    const primary = { replicationSettings: { replica: { value: false } } };
    await wire.call('UpdateDatabaseV2', { database, settings: primary });
    await wire.call('TruncateDatabase', { database, retentionPeriod: '0' });
    wire.close();
    return () => client.close();
  });

  test('values are typed as gone by every call that reads them', async () => {
    for (const read of [
      () => client.txById(1n, { entries: 'raw' }),
      () => client.txById(1n, { entries: 'resolved' }),
      () => client.verifiedTx(1n, { entries: 'raw' }),
      () => all(client.transactions({ entries: 'raw' })),
      () => all(client.verifiedTransactions({ entries: 'raw' })),
      () => client.get('k1', { atTx: 1n }),
      () => client.verifiedGet('k1'),
    ])
      expect(await rejection(read())).toMatchObject(GONE);
  });

  test('all transactions can still be proven, and values of after it', async () => {
    const proven = await all(client.verifiedTransactions());
    expect(proven.map(({ tx }) => tx)).toEqual(Array.from({ length: 25 }, (_, i) => BigInt(i + 1)));
    expect(proven.at(-1)).toMatchObject({ entryCount: 0, metadata: { truncatedTxId: OLD } });
    const kept = await client.verifiedTx(LAST, { entries: 'raw' });
    expect(kept?.entries[0]).toMatchObject({ kind: 'key', value: expect.any(Uint8Array) as Uint8Array });
    const after = await all(client.verifiedTransactions({ from: OLD + 1n, entries: 'raw' }));
    expect(after.length).toBe(13);
  });

  test('a run gives all that it can before it says so', async () => {
    const got: bigint[] = [];
    const backwards = async () => {
      for await (const { tx } of client.verifiedTransactions({ entries: 'raw', desc: true })) got.push(tx);
    };
    expect(await rejection(backwards())).toMatchObject(GONE);
    expect(got[0]).toBe(25n);
    expect(await rejection(client.verifiedTx((got.at(-1) as bigint) - 1n, { entries: 'raw' }))).toMatchObject(
      GONE,
    );
  });

  test('exports say so, and are proven all the same; a replica takes them', async () => {
    const { client: copy } = await replica();
    let gone = 0;
    for await (const { tx } of client.exportTxs({ to: LAST })) {
      const proven = await client.verifiedExportTx(tx);
      const isGone = await client.txById(tx, { entries: 'raw' }).then(
        () => false,
        () => true,
      );
      gone += Number(isGone);
      expect(proven?.valuesTruncated).toBe(isGone);
      expect(proven?.entries.every(({ rawValue }) => (rawValue === undefined) === isGone)).toBe(true);
      await copy.replicateTx(proven as never);
    }
    expect(gone).toBeGreaterThan(5);
    expect((await copy.verifiedState()).alh).toEqual((await client.verifiedTx(LAST))?.alh);
    // The truncating one has no entries: no replica of immudb 1.11.1 takes such a transaction.
    const truncating = await client.exportTx(LAST + 1n);
    expect(await rejection(copy.replicateTx(truncating as never))).toMatchObject({
      message: expect.stringMatching(/invalid number of entries/) as string,
    });
    // There nothing but an empty value says so.
    expect(await rejection(copy.verifiedTx(1n, { entries: 'raw' }))).toMatchObject(GONE);
    expect(await rejection(copy.txById(1n, { entries: 'raw' }))).toMatchObject(GONE);
    expect(await rejection(copy.verifiedGet('k1'))).toMatchObject(GONE);
    expect((await copy.verifiedTx(1n))?.entries).toHaveLength(1);
  });

  test('only where values of the wanted kinds are gone', async () => {
    expect((await client.txById(1n, { entries: 'raw', kinds: ['sql'] }))?.entries).toEqual([]);
  });
});
