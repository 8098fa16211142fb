// Plain calls before a server that answers something else than it was asked: bounded, typed, and no page is taken twice.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { all } from './support.js';

const { TxScan, TxById } = Object.fromEntries(
  ['TxScan', 'TxById'].map((name) => [name, methodDefinition('immudb.schema.ImmuService', name)]),
) as Record<'TxScan' | 'TxById', ReturnType<typeof methodDefinition>>;

interface Tx {
  header: { id: string; eH?: Buffer; version?: number };
  entries: object[];
}

describeServer('another answer than was asked for', () => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await Proxy.start(sharedImmudb());
  });
  afterAll(() => proxy.close());

  const opened = async () => {
    const { client } = await openClient({ address: proxy.address, database: await freshDatabase() });
    for (const key of ['a', 'b', 'c']) await client.verifiedSet(key, 'v');
    return client;
  };
  const pages = (change: (txs: Tx[]) => unknown) => {
    proxy.intercept = async ({ method, forward }) => {
      const bytes = await forward();
      if (method !== 'TxScan') return bytes;
      const list = TxScan.responseDeserialize(bytes) as { txs: Tx[] };
      change(list.txs);
      return TxScan.responseSerialize(list);
    };
  };

  test.for<[string, (txs: Tx[]) => unknown]>([
    ['another order', (txs) => txs.reverse()],
    ['one twice', (txs) => txs.splice(1, 0, txs[0] as Tx)],
    ['one left out', (txs) => txs.splice(1, 1)],
    ['another one', (txs) => ((txs[0] as Tx).header.id = '9')],
    ['more entries than the header counts', ([tx]) => (tx as Tx).entries.push({}, {})],
    ['a header that can be none', ([tx]) => ((tx as Tx).header.version = 7)],
  ])('a page with %s', async ([, change]) => {
    const client = await opened();
    pages(change);
    const unread = { code: 'UNAVAILABLE' };
    for (const entries of ['digests', 'raw'] as const) {
      expect(await rejection(all(client.transactions({ entries })))).toMatchObject(unread);
      expect(await rejection(all(client.verifiedTransactions({ entries })))).toMatchObject({
        code: 'VERIFICATION_FAILED',
      });
    }
    proxy.intercept = passOn;
    expect((await all(client.transactions())).length).toBe(3);
  });

  test('more transactions than were asked for', async () => {
    const client = await opened();
    pages((txs) => txs.push(...Array.from({ length: 100 }, () => txs[0] as Tx)));
    expect(await rejection(all(client.transactions({ to: 2n })))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('another transaction, and none at all', async () => {
    const client = await opened();
    let answer: Buffer = Buffer.alloc(0);
    proxy.intercept = async ({ method, forward }) => (method === 'TxById' ? answer : forward());
    for (const entries of ['digests', 'raw', 'resolved', 'none'] as const) {
      answer = Buffer.alloc(0);
      expect(await rejection(client.txById(2n, { entries }))).toMatchObject({ code: 'UNAVAILABLE' });
      answer = TxById.responseSerialize({ header: { id: '3' } });
      expect(await rejection(client.txById(2n, { entries }))).toMatchObject({ code: 'UNAVAILABLE' });
    }
    proxy.intercept = passOn;
  });
});
