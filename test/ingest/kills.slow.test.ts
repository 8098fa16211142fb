// A process that ingests from a broker and is killed at random: nothing is lost, and with `once` nothing is written twice.
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { openWire, temporaryFolder } from '../trust/support.js';
import { Broker } from './broker.js';
import type { Message } from './broker.js';

vi.setConfig({ testTimeout: 600_000 });

const WINDOW = 4096;

/** Keys by how often they were written. */
async function timesWritten(database: string): Promise<Map<string, number>> {
  const wire = await openWire(database);
  const counts = new Map<string, number>();
  for (let initialTx = 1; ; initialTx += 20) {
    const { txs = [] } = await wire.call('TxScan', { initialTx: String(initialTx), limit: 20 });
    for (const { entries } of txs as { entries: { key: Uint8Array }[] }[])
      for (const { key } of entries) {
        const name = Buffer.from(key).subarray(1).toString();
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    if (txs.length < 20) return counts;
  }
}

const messages = (count: number): Message[] =>
  Array.from({ length: count }, (_, id) => ({ id, key: `order/${id}`, value: `${id} `.padEnd(100, 'x') }));

async function ingestUnderKills(count: number, kills: number, once: boolean, flags = true) {
  const database = await freshDatabase();
  const path = join(await temporaryFolder(), 'roots.db');
  const options = { address: sharedImmudb(), database, path, once, window: WINDOW };
  const broker = new Broker(messages(count), options, flags);
  for (let i = 0; i < kills; i++)
    expect(
      await broker.consume(1 + Math.random() * (count / kills / 1.5), Math.random() * 12),
    ).toBeUndefined();
  const summary = await broker.consume();
  const counts = await timesWritten(database);
  const twice = [...counts.values()].filter((times) => times > 1).length;
  return { broker, summary, counts, twice };
}

describeReal('a process that ingests from a broker and is killed', () => {
  test('10 times, with once: none of 20,000 records is lost, none is written twice', async () => {
    const { broker, summary, counts, twice } = await ingestUnderKills(20_000, 10, true);
    console.log(`given again ${broker.redelivered}, ${summary?.wasThere} of the last run's were there`);
    expect(broker.acknowledged.size).toBe(20_000);
    expect(broker.redelivered).toBeGreaterThan(1000);
    expect(counts.size).toBe(20_000);
    expect(twice).toBe(0);
  });

  test('with once and a broker without flags, which goes on behind what was acknowledged: the same', async () => {
    const { broker, counts, twice } = await ingestUnderKills(10_000, 4, true, false);
    expect(broker.acknowledged.size).toBe(10_000);
    expect(counts.size).toBe(10_000);
    expect(twice).toBe(0);
  });

  test('without once: none is lost, and some are written twice', async () => {
    const { broker, counts, twice } = await ingestUnderKills(10_000, 3, false);
    console.log(`without once: ${twice} twice`);
    expect(broker.acknowledged.size).toBe(10_000);
    expect(counts.size).toBe(10_000);
    expect(twice).toBeGreaterThan(0);
  });
});
