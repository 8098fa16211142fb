// Calls that name very many keys: whatever their number, they end, and the process lives.
import { expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';

const COUNT = 200_000;
const PER_TX = 1000;

test(
  '200,000 keys in one call, read twice, proven, and once more beside others',
  { timeout: 180_000 },
  async () => {
    await using ledger = await EmbeddedLedger.start();
    await using client = new ImmuClient({
      address: ledger.address,
      credentials: { user: 'immudb', password: 'immudb' },
      store: new MemoryRootStore(),
      timeoutMs: 120_000,
    });
    const keys = Array.from({ length: COUNT }, (_, i) => `key ${i}`);
    for (let from = 0; from < COUNT; from += PER_TX)
      await client.setAll(keys.slice(from, from + PER_TX).map((key) => [key, key] as const));
    expect(await client.warm()).toBe(COUNT / PER_TX);
    for (let round = 0; round < 2; round++) {
      const entries = await client.verifiedGetAll(keys);
      expect(entries).toHaveLength(COUNT);
      expect(entries.every((entry, i) => Buffer.from(entry?.value ?? []).toString() === keys[i])).toBe(true);
    }
    const named = await client.verifiedGetAll([...keys, ...keys.slice(0, 10), 'none']);
    expect(named.filter((entry) => entry === null)).toHaveLength(1);
    expect(await client.getAll(new Set(keys))).toHaveLength(COUNT);
    expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
  },
);
