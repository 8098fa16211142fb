// Scans and histories of a server that shows less than was proven before, the same again and again, or what nobody asked for.
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, TransportError } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy } from '../adversary/proxy.js';
import type { Passing } from '../adversary/proxy.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import type { Decoded } from '../support/wire-client.js';
import { USER, openWire, rejection, rowsOf, text } from '../trust/support.js';
import { all } from './support.js';

interface Lied {
  readonly client: ImmuClient;
  readonly database: string;
  readonly store: MemoryRootStore;
  /** Has answers of this RPC changed; `nth` counts them. */
  lie(method: string, change: (answer: Decoded, nth: number, call: Passing) => unknown): void;
}

async function lied(): Promise<Lied> {
  const proxy = await Proxy.start(sharedImmudb());
  const database = await freshDatabase();
  const store = new MemoryRootStore();
  const client = new ImmuClient({ address: proxy.address, store, credentials: { ...USER, database } });
  onTestFinished(async () => {
    await client.close().catch(() => undefined);
    await proxy.close();
  });
  const lie: Lied['lie'] = (method, change) => {
    let nth = 0;
    const { responseDeserialize, responseSerialize } = methodDefinition('immudb.schema.ImmuService', method);
    proxy.intercept = async (call) => {
      const bytes = await call.forward();
      if (call.method !== method) return bytes;
      const answer = responseDeserialize(bytes) as Decoded;
      await change(answer, nth++, call);
      return responseSerialize(answer);
    };
  };
  return { client, database, store, lie };
}

/** What the log kept of the last refusal, and what comes of it when it is run again. */
async function refused(store: MemoryRootStore) {
  const row = (await rowsOf(store, { outcome: 'failure' })).at(-1);
  if (!row?.evidence) throw new Error('nothing was kept');
  return { check: row.evidence.check, outcome: verifyEvidence(row.evidence).outcome };
}

describeServer('a server that shows less than was proven', () => {
  test('an older version in a scan is refused', async () => {
    const { client, store, lie } = await lied();
    const old = await client.verifiedSet('key', 'old');
    await client.verifiedSet('key', 'new');
    lie('Scan', ({ entries }, nth) => {
      if (nth % 2 === 0) Object.assign(entries[0], { tx: old.tx.toString(), value: Buffer.from('old') });
    });
    expect(await rejection(all(client.verifiedScan()))).toMatchObject({ evidence: { check: 'get.stale' } });
    expect(await refused(store)).toEqual({ check: 'get.stale', outcome: 'reproduced' });
    // By the server's word it is what it says.
    const [shown] = await all(client.scan({ limit: 1 }));
    expect(text(shown?.value)).toMatch(/^(old|new)$/);
  });

  test('a value that was deleted is refused', async () => {
    const { client, lie } = await lied();
    const { tx } = await client.verifiedSet('key', 'value');
    await client.verifiedDelete('key');
    lie('Scan', (answer, nth) => {
      if (nth === 0)
        answer.entries = [{ tx: tx.toString(), key: Buffer.from('key'), value: Buffer.from('value') }];
    });
    expect(await rejection(all(client.verifiedScan()))).toMatchObject({ evidence: { check: 'get.stale' } });
  });

  test('a version that was proven while the page was on its way is no lie: what is newer is given', async () => {
    const { client, lie } = await lied();
    for (const key of ['a', 'b', 'c']) await client.verifiedSet(key, 'old');
    lie('Scan', async (_answer, nth) => {
      if (nth > 0) return;
      await client.verifiedSet('b', 'new');
      await client.verifiedDelete('c');
    });
    const entries = await all(client.verifiedScan());
    expect(entries.map(({ key, value }) => `${text(key)} ${text(value)}`)).toEqual(['a old', 'b new']);
  });

  test.each([false, true])('a history without its newest version is refused (desc: %s)', async (desc) => {
    const { client, store, lie } = await lied();
    for (const value of ['one', 'two', 'three']) await client.verifiedSet('key', value);
    lie('History', ({ entries }) => entries.length > 1 && (desc ? entries.shift() : entries.pop()));
    expect(await rejection(all(client.verifiedHistory('key', { desc })))).toMatchObject({
      evidence: { check: 'history.stale', expected: '3', computed: '2' },
    });
    expect(await refused(store)).toEqual({ check: 'history.stale', outcome: 'reproduced' });
    // Who takes the oldest only is not told of the newest.
    if (!desc) expect(await all(client.verifiedHistory('key', { limit: 1 }))).toHaveLength(1);
    lie('History', (answer) => (answer.entries = []));
    expect(await rejection(all(client.verifiedHistory('key', { desc })))).toMatchObject({
      evidence: { check: 'history.stale', computed: '0' },
    });
    expect(await all(client.verifiedHistory('key', { desc, offset: 9 }))).toEqual([]);
  });

  test('a history that is said not to be there is refused where a version was proven', async () => {
    const { client, lie } = await lied();
    await client.verifiedSet('key', 'one');
    lie('History', () =>
      Promise.reject(Object.assign(new Error(), { code: 2, details: 'tbtree: key not found' })),
    );
    expect(await rejection(all(client.verifiedHistory('key')))).toMatchObject({
      evidence: { check: 'history.stale' },
    });
    expect(await all(client.verifiedHistory('other'))).toEqual([]);
    expect(await all(client.history('key'))).toEqual([]);
  });

  test('a time that the transaction does not have is refused', async () => {
    const { client, store, lie } = await lied();
    await client.verifiedSet('key', 'one');
    // It has none at all.
    lie('History', ({ entries }) => {
      delete entries[0].value;
      Object.assign(entries[0], { expired: true, metadata: { expiration: { expiresAt: '5' } } });
    });
    expect(await rejection(all(client.verifiedHistory('key')))).toMatchObject({
      evidence: { check: 'gone.alive' },
    });
    expect(await refused(store)).toEqual({ check: 'gone.alive', outcome: 'reproduced' });
  });

  test('another time than the transaction has is refused', async () => {
    const { client, database, store, lie } = await lied();
    const wire = await openWire(database);
    const metadata = { expiration: { expiresAt: '5' } };
    await wire.call('Set', { KVs: [{ key: Buffer.from('key'), value: Buffer.from('x'), metadata }] });
    expect(await all(client.verifiedHistory('key'))).toMatchObject([
      { expired: true, metadata: { expiresAt: 5n } },
    ]);
    lie('History', ({ entries }) => (entries[0].metadata.expiration.expiresAt = '6'));
    expect(await rejection(all(client.verifiedHistory('key')))).toMatchObject({
      evidence: { check: 'history.time', expected: '5', computed: '6' },
    });
    expect(await refused(store)).toEqual({ check: 'history.time', outcome: 'reproduced' });
  });
});

describeServer('a server that keeps an iterator from its end', () => {
  test('is refused where it shows keys again, or more than was asked for', async () => {
    const { client, lie } = await lied();
    await client.setAll(
      Array.from({ length: 12 }, (_, i) => [`k${String(i).padStart(2, '0')}`, 'x'] as const),
    );
    let first: Decoded;
    lie('Scan', (answer) => {
      first ??= structuredClone(answer.entries);
      answer.entries = first;
    });
    expect(await rejection(all(client.scan({ pageSize: 4 })))).toBeInstanceOf(TransportError);
    expect(await rejection(all(client.verifiedScan({ pageSize: 4 })))).toMatchObject({
      evidence: { check: 'scan.seek' },
    });
    lie('Scan', ({ entries }) => entries.push(...structuredClone(entries)));
    for (const scan of [client.scan({ pageSize: 4 }), client.verifiedScan({ pageSize: 4 })])
      expect(await rejection(all<unknown>(scan))).toMatchObject({ message: expect.any(String) as string });
  });

  test('is refused where it shows versions again', async () => {
    const { client, lie } = await lied();
    for (let i = 0; i < 13; i++) await client.set('key', `value ${i}`);
    const first: Decoded[] = [];
    for (const history of [client.history.bind(client), client.verifiedHistory.bind(client)]) {
      first.length = 0;
      lie('History', (answer, nth) => {
        if (nth === 0) first.push(...structuredClone(answer.entries));
        answer.entries = structuredClone(first);
      });
      expect(await rejection(all<unknown>(history('key', { pageSize: 4, desc: true })))).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringMatching(/again and again/) as string,
      });
      const again = await rejection(all<unknown>(history('key', { pageSize: 4 })));
      expect(again.message).toMatch(/order/);
    }
  });

  test('is waited for no longer than a page may take', async () => {
    const { client, lie } = await lied();
    await client.verifiedSetAll({ a: '1', b: '2', c: '3' });
    for (const method of ['Scan', 'ZScan', 'History'] as const) {
      lie(method, () => new Promise(() => undefined));
      const options = { timeoutMs: 150, pageSize: 1 };
      for (const stuck of {
        Scan: [client.scan(options), client.verifiedScan(options)],
        ZScan: [client.zScan('set', options), client.verifiedZScan('set', options)],
        History: [client.history('a', options), client.verifiedHistory('a', options)],
      }[method])
        expect(await rejection(stuck.next())).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    }
    // Of each page, not of the whole.
    lie('Scan', () => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(await all(client.verifiedScan({ timeoutMs: 500, pageSize: 1 }))).toHaveLength(3);
  });

  test('is told where its answer cannot be read', async () => {
    const { client, lie } = await lied();
    await client.verifiedSet('key', 'x');
    lie('Scan', ({ entries }) => (entries[0].tx = '18446744073709551615'));
    expect(await rejection(all(client.scan()))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await rejection(all(client.verifiedScan()))).toMatchObject({ evidence: { check: 'wire.id' } });
  });
});
