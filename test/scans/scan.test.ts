// scan and verifiedScan, count and countAll: what they give, in which order, and how they end.
import { expect, test } from 'vitest';
import { ArgumentError, ClosedError } from '#dist/index.js';
import type { ImmuClient, ScanOptions, VerifiedEntry } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, rejection, text } from '../trust/support.js';
import { all } from './support.js';

const KEYS = ['key0', 'key1', 'key2', 'key3', 'key4'];

interface Scanned {
  readonly key: Uint8Array;
  readonly reference?: { readonly key: Uint8Array };
}

/** Keys that were scanned: of references, their own. */
const keysOf = (entries: readonly Scanned[]) =>
  entries.map(({ key, reference }) => text(reference?.key ?? key));

/** What both scans give, which has to be the same. */
async function both(client: ImmuClient, options?: ScanOptions): Promise<string[]> {
  const [plain, verified] = [await all(client.scan(options)), await all(client.verifiedScan(options))];
  const word = (entry: (typeof plain)[number] | VerifiedEntry) => ({
    ...{ key: text(entry.key), value: text(entry.value), tx: entry.tx, metadata: entry.metadata },
    reference: entry.reference && { key: text(entry.reference.key), atTx: entry.reference.atTx },
  });
  expect(verified.map(word)).toEqual(plain.map(word));
  return keysOf(plain);
}

async function refer(wire: WireClient, key: string, to: string, atTx?: bigint): Promise<void> {
  const bound = atTx === undefined ? {} : { atTx: atTx.toString(), boundRef: true };
  await wire.call('SetReference', { key: Buffer.from(key), referencedKey: Buffer.from(to), ...bound });
}

async function expiring(wire: WireClient, key: string, seconds: number): Promise<void> {
  const expiresAt = Math.floor(Date.now() / 1000) + seconds;
  const metadata = { expiration: { expiresAt } };
  await wire.call('Set', { KVs: [{ key: Buffer.from(key), value: Buffer.from('v'), metadata }] });
}

const pairs = (count: number): [string, string][] =>
  Array.from({ length: count }, (_, i) => [`k${String(i).padStart(5, '0')}`, `value ${i}`]);

async function fill(client: ImmuClient, entries: readonly [string, string][]): Promise<void> {
  for (let at = 0; at < entries.length; at += 1000) await client.setAll(entries.slice(at, at + 1000));
}

describeServer('scan and verifiedScan', () => {
  test('give a prefix in order, from either end', async () => {
    const { client } = await openClient();
    await client.setAll(KEYS.map((key) => [key, `value of ${key}`] as const));
    await client.set('other', 'x');
    expect(await both(client, { prefix: 'key' })).toEqual(KEYS);
    expect(await both(client, { prefix: 'key', desc: true })).toEqual(KEYS.toReversed());
    expect(await both(client)).toEqual([...KEYS, 'other']);
    const [entry] = await all(client.verifiedScan({ prefix: 'key3' }));
    expect(entry).toMatchObject({ tx: 1n, unproven: { revision: 1n }, root: { tx: 2n } });
    expect(text(entry?.value)).toBe('value of key3');
    expect(await client.count('key')).toBe(5n);
    expect(await client.count('')).toBe(6n);
    expect(await client.count('none')).toBe(0n);
    expect(await client.countAll()).toBe(6n);
  });

  test(
    'go on behind references that lead nowhere, however many there are',
    { timeout: 120_000 },
    async () => {
      const { client } = await openClient();
      const dangle = async (prefix: string, count: number) => {
        for (let at = 0; at < count; at += 1000)
          await client.execAll(
            Array.from({ length: Math.min(1000, count - at) }, (_, i) => ({
              reference: { key: `${prefix}${String(at + i).padStart(5, '0')}`, to: 'target' },
            })),
          );
      };
      await client.setAll({ a: '1', target: 'v', z: '2' });
      await dangle('few', 40);
      await dangle('many', 2_600);
      await client.delete('target');
      expect(await both(client)).toEqual(['a', 'z']);
      expect(await both(client, { desc: true })).toEqual(['z', 'a']);
      expect(await both(client, { seekKey: 'b', pageSize: 2500 })).toEqual(['z']);
      expect(await both(client, { prefix: 'few' })).toEqual([]);
      expect(await both(client, { prefix: 'few', desc: true })).toEqual([]);
      expect(await both(client, { prefix: 'b' })).toEqual([]);
      expect(await both(client, { seekKey: 'b', endKey: 'few00010' })).toEqual([]);
      expect(await both(client, { seekKey: 'z' })).toEqual([]);
      expect(await both(client, { offset: 9_999 })).toEqual([]);
      // Nothing but these, one way and the other: the server shows no end of them.
      for (const desc of [false, true])
        for (const scan of [
          client.scan({ prefix: 'many', desc }),
          client.verifiedScan({ prefix: 'many', desc }),
        ])
          expect(await rejection(all<unknown>(scan))).toMatchObject({
            code: 'LIMIT_EXCEEDED',
            message: expect.stringMatching(/lead nowhere/) as string,
          });
      await client.set('many02599x', '3');
      expect(await both(client, { prefix: 'many' })).toEqual(['many02599x']);
    },
  );

  test('begin and end where they are told, with limit and offset, whatever the pages', async () => {
    const { client } = await openClient();
    await client.setAll(KEYS.map((key) => [key, key] as const));
    for (const pageSize of [1, 2, 3, 5, 1000]) {
      const scan = (options: ScanOptions) => both(client, { ...options, pageSize });
      expect(await scan({ seekKey: 'key1' })).toEqual(['key2', 'key3', 'key4']);
      expect(await scan({ seekKey: 'key1', inclusiveSeek: true, limit: 2 })).toEqual(['key1', 'key2']);
      expect(await scan({ endKey: 'key3' })).toEqual(['key0', 'key1', 'key2']);
      expect(await scan({ endKey: 'key3', inclusiveEnd: true, offset: 2 })).toEqual(['key2', 'key3']);
      expect(await scan({ desc: true, seekKey: 'key3', endKey: 'key1' })).toEqual(['key2']);
      expect(await scan({ desc: true, limit: 3 })).toEqual(['key4', 'key3', 'key2']);
      expect(await scan({ offset: 4 })).toEqual(['key4']);
      expect(await scan({ offset: 9 })).toEqual([]);
      expect(await scan({ prefix: 'key2', seekKey: 'a' })).toEqual(['key2']);
      expect(await scan({ sinceTx: 1n })).toEqual(KEYS);
    }
  });

  test('3,000 keys: a page of 2,501 is refused, the iterator gives all, none twice', async () => {
    const { client } = await openClient();
    const entries = pairs(3000);
    await fill(client, entries);
    for (const scan of [client.scan({ pageSize: 2501 }), client.verifiedScan({ pageSize: 2501 })])
      expect(await rejection(all<unknown>(scan))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const keys = entries.map(([key]) => key);
    expect(keysOf(await all(client.scan()))).toEqual(keys);
    expect(keysOf(await all(client.scan({ pageSize: 2500, desc: true })))).toEqual(keys.toReversed());
    expect(keysOf(await all(client.verifiedScan({ limit: 2700 })))).toEqual(keys.slice(0, 2700));
  });

  test('give every key once at page ends while others write', async () => {
    const { client } = await openClient();
    const entries = pairs(200);
    await fill(client, entries);
    for (const start of [() => client.scan({ pageSize: 7 }), () => client.verifiedScan({ pageSize: 7 })]) {
      const seen: string[] = [];
      let i = 0;
      for await (const { key } of start()) {
        seen.push(text(key));
        if (++i % 5 === 0) await client.set(`${text(key)}+`, 'new');
        if (i % 11 === 0) await client.verifiedSet(text(key), 'again');
      }
      expect(seen).toEqual([...new Set(seen)].sort());
      expect(seen.filter((key) => !key.includes('+'))).toEqual(entries.map(([key]) => key));
    }
  });

  test('leave out what is deleted, and what has expired', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await client.setAll(KEYS.map((key) => [key, key] as const));
    await client.delete('key1');
    await expiring(wire, 'key3', 1);
    await expiring(wire, 'key4', 1000);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(await both(client)).toEqual(['key0', 'key2', 'key4']);
    expect(await client.count('key')).toBe(5n);
  });

  test('go through references, and past those that lead nowhere', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    const { tx } = await client.set('target', 'first');
    await client.set('gone', 'soon');
    for (const i of [0, 1, 2]) await refer(wire, `b${i}`, 'gone');
    await refer(wire, 'a-free', 'target');
    await refer(wire, 'c-bound', 'target', tx);
    await client.set('target', 'second');
    await client.delete('gone');
    for (const pageSize of [1, 2, 100]) {
      expect(await both(client, { pageSize })).toEqual(['a-free', 'c-bound', 'target']);
      expect(await both(client, { pageSize, desc: true, limit: 3 })).toEqual(['target', 'c-bound', 'a-free']);
      expect(await both(client, { pageSize, limit: 2 })).toEqual(['a-free', 'c-bound']);
    }
    const values = (await all(client.verifiedScan())).map(({ value }) => text(value));
    expect(values).toEqual(['second', 'first', 'second']);
  });

  test('take smaller pages where values are large', async () => {
    const { client, database } = await openClient({ maxMessageBytes: 1024 * 1024 });
    const other = (await openClient({ database })).client;
    const value = Buffer.alloc(200_000, 1);
    for (const key of KEYS)
      await other.setAll([
        [key, value],
        [`${key}+`, value],
      ]);
    expect(await both(client)).toEqual(KEYS.flatMap((key) => [key, `${key}+`]));
  });

  test('end with a break, an abort, and the client', async () => {
    const { client } = await openClient();
    await fill(client, pairs(50));
    for (const start of [client.scan.bind(client), client.verifiedScan.bind(client)]) {
      for await (const { key } of start({ pageSize: 5 })) if (text(key) === 'k00003') break;
      expect(client.diagnostics.queued.calls).toBe(0);

      const controller = new AbortController();
      const aborted = start({ pageSize: 5, signal: controller.signal });
      await aborted.next();
      controller.abort(new Error('enough'));
      expect(await rejection(aborted.next())).toMatchObject({ code: 'ABORTED' });
      expect(await aborted.next()).toEqual({ done: true, value: undefined });
      const early = start({ signal: AbortSignal.abort() });
      expect(await rejection(early.next())).toMatchObject({ code: 'ABORTED' });
    }
    const open = [client.scan({ pageSize: 5 }), client.verifiedScan({ pageSize: 5 })];
    for (const scan of open) await scan.next();
    await client.close();
    for (const scan of open) expect(await rejection(scan.next())).toBeInstanceOf(ClosedError);
    expect(await rejection(client.scan().next())).toBeInstanceOf(ClosedError);
  });

  test('go on in the database that was selected when they were called', async () => {
    const { client, database } = await openClient();
    await fill(client, pairs(20));
    const scan = client.verifiedScan({ pageSize: 3 });
    await scan.next();
    await client.useDatabase('defaultdb');
    expect(await all(scan)).toHaveLength(19);
    expect(database).not.toBe(client.databaseName);
  });

  test('refuse bad input at once, naming it', async () => {
    const { client } = await openClient();
    const long = 'x'.repeat(1024);
    const bad: [Record<string, unknown>, string][] = [
      [{ prefix: 5 }, 'prefix'],
      [{ prefix: long }, 'prefix'],
      [{ prefix: '\ud800' }, 'prefix'],
      [{ seekKey: '' }, 'seekKey'],
      [{ seekKey: null }, 'seekKey'],
      [{ endKey: long }, 'endKey'],
      [{ endKey: [] }, 'endKey'],
      [{ inclusiveSeek: 1 }, 'inclusiveSeek'],
      [{ inclusiveEnd: 'yes' }, 'inclusiveEnd'],
      [{ desc: null }, 'desc'],
      [{ noWait: 0 }, 'noWait'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 1.5 }, 'limit'],
      [{ limit: 10n }, 'limit'],
      [{ offset: -1 }, 'offset'],
      [{ offset: '1' }, 'offset'],
      [{ pageSize: 0 }, 'pageSize'],
      [{ pageSize: 2 ** 31 }, 'pageSize'],
      [{ sinceTx: 1 }, 'sinceTx'],
      [{ sinceTx: 0n }, 'sinceTx'],
      [{ sinceTx: 2n ** 63n }, 'sinceTx'],
      [{ timeoutMs: 0 }, 'timeoutMs'],
      [{ signal: {} }, 'signal'],
      [{ prefx: 'a' }, 'options'],
    ];
    for (const [options, argument] of bad)
      for (const scan of [client.scan.bind(client), client.verifiedScan.bind(client)]) {
        const start = () => scan(options);
        expect(start, argument).toThrow(ArgumentError);
        expect(start).toThrow(expect.objectContaining({ argument }) as Error);
      }
    for (const options of [null, 5, 'key', []])
      expect(() => client.scan(options as never)).toThrow(ArgumentError);
    for (const prefix of [undefined, 5, long, '\ud800'])
      expect(await rejection(client.count(prefix as never))).toMatchObject({ argument: 'prefix' });
    expect(await rejection(client.countAll({ nothing: 1 } as never))).toMatchObject({ argument: 'options' });
  });
});
