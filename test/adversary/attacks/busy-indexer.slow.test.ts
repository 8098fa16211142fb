// A real immudb whose indexer is waited for by as many as it lets wait: it commits a Set, and then answers with an error.
import { expect, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { startImmudb } from '../../support/immudb.js';
import { describePrivate } from '../../support/real.js';
import { WireClient } from '../../support/wire-client.js';
import { Proxy } from '../proxy.js';
import { CREDENTIALS, codeOf, range } from './support.js';

/** More than a server lets wait for its indexer. */
const WAITING = 1500;
/** Until the error was met that often. */
const MEETINGS = 3;
/** Transactions that keep the indexer busy, as many at a time as a server takes. */
const BULKS = 24;
const FIRST = Buffer.from('first');
const WITHIN_MS = 90_000;

const entriesOf = (name: string) =>
  range(1000).map((i) => ({ key: Buffer.from(`bulk ${name}/${i}`), value: Buffer.alloc(8) }));

describePrivate('an immudb whose indexer has a full line', () => {
  test('stores each write once at most, whatever it answers', { timeout: 2 * WITHIN_MS }, async () => {
    await using server = await startImmudb();
    await using proxy = await Proxy.start(server.address);
    const wire = await WireClient.open(server.address);
    let met = 0;
    proxy.intercept = async ({ method, forward }) => {
      try {
        return await forward();
      } catch (error) {
        if (/Set/.test(method) && /max waiting limit/.test(String(error))) met += 1;
        throw error;
      }
    };
    const client = new ImmuClient({
      ...{ address: proxy.address, store: new MemoryRootStore(), credentials: CREDENTIALS },
      ...{ timeoutMs: 30_000, keepAliveMs: 0 },
    });
    await client.verifiedSet('first', 'v');
    const until = performance.now() + WITHIN_MS;
    const codes = new Map<string, string>();
    for (let round = 0; met < MEETINGS && performance.now() < until; round++) {
      // Work for the indexer, more than it does while those come who wait for it; then our writes.
      const bulk = range(BULKS).map((b) =>
        wire.call('Set', { KVs: entriesOf(`${round}/${b}`), noWait: true }).catch(() => undefined),
      );
      await Promise.all(bulk);
      const others = range(WAITING).map(() => wire.call('Get', { key: FIRST }).catch(() => undefined));
      // Behind them on one connection: they have come.
      await wire.call('CurrentState');
      const calls = range(30).map(async (i) => {
        const key = `once${round}/${i}`;
        const call = [
          () => client.set(key, 'v'),
          () => client.verifiedSet(key, 'v'),
          () => client.verifiedSet(key, 'v', { ownTx: true }),
        ][i % 3] as () => Promise<unknown>;
        codes.set(key, await codeOf(call()));
      });
      await Promise.all([...others, ...calls]);
    }
    // Without this nothing was tested: the server never came to its limit.
    expect(met).toBeGreaterThan(0);
    for (const [key, code] of codes) {
      const history = await wire.call('History', { key: Buffer.from(key), limit: 100 }).catch(() => ({}));
      const times = history.entries?.length ?? 0;
      expect(times, key).toBeLessThanOrEqual(1);
      if (code === 'ok') expect(times, key).toBe(1);
      if (code === 'OVERLOADED') expect(times, `${key} was told not to be written`).toBe(0);
    }
    await client.close();
    wire.close();
  });
});
