// The data that benches of calls read: "single", 10 k keys in a transaction each, and "bulk", 100 k keys in 100.
import { randomBytes } from 'node:crypto';
import { WireClient } from '../../test/support/wire-client.js';

export const VALUE = Buffer.alloc(100, 'v');
export const SINGLE_KEYS = 10_000;
export const BULK_TXS = 100;
export const BULK_ENTRIES = 1000;

export const singleKey = (i: number) => `single/${i}`;
export const bulkKey = (i: number) => `bulk/${Math.floor(i / BULK_ENTRIES)}/${i % BULK_ENTRIES}`;

export async function newDatabase(address: string): Promise<string> {
  const admin = await WireClient.open(address);
  const name = `bench${randomBytes(4).toString('hex')}`;
  await admin.call('CreateDatabaseV2', { name });
  await admin.call('CloseSession');
  admin.close();
  return name;
}

export async function writeSingle(wire: WireClient, keys = SINGLE_KEYS): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < keys)
      await wire.call('Set', { KVs: [{ key: Buffer.from(singleKey(next++)), value: VALUE }] });
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}

export async function writeBulk(wire: WireClient): Promise<void> {
  for (let tx = 0; tx < BULK_TXS; tx++) {
    const KVs = Array.from({ length: BULK_ENTRIES }, (_, i) => ({
      key: Buffer.from(bulkKey(tx * BULK_ENTRIES + i)),
      value: VALUE,
    }));
    await wire.call('Set', { KVs });
  }
}
