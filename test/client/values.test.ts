// What can be done with what calls resolve to: text, JSON, a codec, and printing all of it.
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ArgumentError, ImmuClient, ImmuError, MemoryRootStore } from '#dist/index.js';
import type {
  Codec,
  Decoded,
  Entry,
  EntryBase,
  HistoryEntry,
  ImmuClientOptions,
  VerifiedVersion,
} from '#dist/index.js';
import { Entry as PlainEntry } from '#dist/client/calls/kv/entries.js';
import { VerifiedEntry } from '#dist/client/calls/kv/verified-entry.js';
import { textOf } from '#dist/client/results/readable.js';
import { resultOf } from '#dist/client/results/result.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { USER } from '../trust/support.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const entry = (key: Uint8Array | string, value: Uint8Array | string): Entry =>
  new PlainEntry(
    typeof key === 'string' ? bytes(key) : key,
    typeof value === 'string' ? bytes(value) : value,
    7n,
    1n,
  );
const BINARY = new Uint8Array([0xff, 0, 0x1b]);
const ROOT = resultOf({ tx: 9n, alh: new Uint8Array(32).fill(0x61) });

async function open(options: Partial<ImmuClientOptions> = {}): Promise<ImmuClient> {
  const database = await freshDatabase();
  const client = new ImmuClient({
    address: sharedImmudb(),
    store: new MemoryRootStore(),
    credentials: { ...USER, database },
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

describe('an entry', () => {
  test('text and JSON of its value, text of its key', () => {
    expect(entry('k', 'grüß').text()).toBe('grüß');
    expect(entry('k', '').text()).toBe('');
    expect(entry('schlüssel', '').keyText()).toBe('schlüssel');
    expect(entry('k', '{"a":[1,"x"]}').json<{ a: unknown[] }>().a).toEqual([1, 'x']);
    // A byte order mark is part of what was written.
    const marked = entry('k', new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).text();
    expect(bytes(marked)).toEqual(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]));
  });

  test.for([
    ['no UTF-8', BINARY],
    ['an overlong form', new Uint8Array([0xc0, 0x80])],
    ['a surrogate', new Uint8Array([0xed, 0xa0, 0x80])],
    ['half a character', new Uint8Array([0xe2, 0x82])],
  ] as const)('%s is no text: an error that names the key, not the value', ([, value]) => {
    for (const read of [() => entry('inv/1', value).text(), () => entry('inv/1', value).json()]) {
      expect(read).toThrow(ImmuError);
      expect(read).toThrow(
        expect.objectContaining({
          code: 'DECODE_FAILED',
          message: 'the value of key "inv/1" is not UTF-8 text',
        }),
      );
    }
    expect(() => entry(value, '').keyText()).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED', message: expect.stringMatching(/^key 0x[0-9a-f]+ /) }),
    );
  });

  test('text that is no JSON', () => {
    const read = () => entry(BINARY, 'hello').json();
    expect(read).toThrow(
      expect.objectContaining({ code: 'DECODE_FAILED', message: 'the value of key 0xff001b is not JSON' }),
    );
    expect(() => entry('k', '').json()).toThrow('is not JSON');
  });

  test('a long or hostile key is shown bounded and harmless', () => {
    const message = (key: string) => {
      try {
        return entry(key, BINARY).text();
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(message('x'.repeat(1000)).length).toBeLessThan(200);
    expect(message('a\u001b[31m\u202e')).not.toMatch(/[\u001b\u202e]/);
  });

  test('is plain data: fields only, no closure of its own', () => {
    const plain = entry('k', 'v');
    expect(Object.keys(plain)).toEqual(['key', 'value', 'tx', 'revision']);
    expect(plain).toEqual({ key: bytes('k'), value: bytes('v'), tx: 7n, revision: 1n });
    expect(structuredClone(plain)).toEqual(plain);
    expect(entry('a', '').text).toBe(entry('b', '').text);
  });
});

describe('JSON', () => {
  test('text where it is UTF-8, base64 where it is not; decimal ids; hashes in hex', () => {
    const metadata = { expiresAt: 2n ** 53n + 1n };
    const reference = { key: BINARY, tx: 3n, atTx: 0n };
    const all = new VerifiedEntry(bytes('k'), BINARY, { tx: 7n, metadata }, 1700000000n, ROOT, 4n, reference);
    expect(JSON.parse(JSON.stringify(all))).toEqual({
      key: 'k',
      value: { base64: '/wAb' },
      tx: '7',
      metadata: { expiresAt: '9007199254740993' },
      timestamp: '1700000000',
      reference: { key: { base64: '/wAb' }, tx: '3', atTx: '0' },
      // A hash that happens to be text is a hash.
      root: { tx: '9', alh: '61'.repeat(32) },
      unproven: { revision: '4' },
    });
    const scores = [1.5, -0, Infinity, -Infinity];
    expect(JSON.parse(JSON.stringify(resultOf({ scores })))).toEqual({
      scores: [1.5, '-0', 'Infinity', '-Infinity'],
    });
    expect(JSON.parse(JSON.stringify({ nested: [ROOT] }))).toEqual({
      nested: [{ tx: '9', alh: '61'.repeat(32) }],
    });
  });

  test('what is shown is read back to the same bytes', () => {
    for (const value of [bytes('x'), BINARY, new Uint8Array(0), new Uint8Array([0xef, 0xbb, 0xbf])]) {
      const shown = (JSON.parse(JSON.stringify(entry('k', value))) as { value: string | { base64: string } })
        .value;
      const back = typeof shown === 'string' ? Buffer.from(shown) : Buffer.from(shown.base64, 'base64');
      expect(new Uint8Array(back)).toEqual(value);
    }
  });
});

describe('console.log', () => {
  test('bytes by their length, as text or hex', () => {
    expect(inspect(entry('k', 'hello'), { breakLength: Infinity })).toBe(
      "Entry { key: Uint8Array(1) 'k', value: Uint8Array(5) 'hello', tx: 7n, revision: 1n }",
    );
    expect(inspect(entry('k', BINARY))).toContain('value: Uint8Array(3) <ff001b>');
    expect(inspect(entry('k', new Uint8Array(1000).fill(0xfe)))).toMatch(/Uint8Array\(1000\) <(fe){64}…>/);
    expect(inspect(ROOT)).toContain('tx: 9n');
    expect(inspect(ROOT)).toContain(`Uint8Array(32) <${'61'.repeat(32)}>`);
    const reference = { key: bytes('r'), tx: 3n, atTx: 0n };
    const behind = new VerifiedEntry(bytes('k'), BINARY, { tx: 7n }, 0n, ROOT, 4n, reference);
    expect(inspect(behind)).toContain("reference: { key: Uint8Array(1) 'r', tx: 3n, atTx: 0n }");
    expect(inspect({ deep: { deeper: { deepest: entry('k', 'v') } } })).toContain('[Entry]');
  });

  test('nothing that a server wrote moves the cursor or turns a line', () => {
    const shown = inspect(entry('k', 'a\u001b[2J\u202e\nb'), { colors: true });
    expect(shown.replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(/[\u001b\u202e]/);
  });
});

describeServer('results of calls', () => {
  test('can be read, put into JSON and printed', async () => {
    const client = await open();
    const written = await client.verifiedSet('k', '{"a":1}');
    const plain = await client.set('p', BINARY);
    const all = [
      written,
      plain,
      written.root,
      await client.verifiedSetAll({ a: '1', b: '2' }),
      await client.verifiedGet('k'),
      await client.verifiedGet('k', { atTx: written.tx }),
      await client.get('p'),
      await client.get('p', { atTx: plain.tx }),
      await client.verifiedGetAll(['k', 'none', 'p']),
      await client.getAll(['k', 'p']),
      await client.currentState(),
      await client.serverInfo(),
      await client.listDatabases(),
      await client.verifiedDelete('a'),
      await client.delete('b'),
    ];
    const shown = JSON.parse(JSON.stringify(all)) as unknown[];
    expect(shown[0]).toEqual({
      tx: written.tx.toString(),
      alh: Buffer.from(written.alh).toString('hex'),
      timestamp: written.timestamp.toString(),
      root: { tx: written.root.tx.toString(), alh: Buffer.from(written.root.alh).toString('hex') },
    });
    expect(shown[4]).toMatchObject({ key: 'k', value: '{"a":1}', unproven: { revision: '1' } });
    expect(shown[5]).toMatchObject({ key: 'k', value: '{"a":1}' });
    expect(shown[6]).toMatchObject({ key: 'p', value: { base64: '/wAb' }, revision: '1' });
    expect(shown[8]).toMatchObject([{ key: 'k' }, null, { key: 'p' }]);
    expect(shown[10]).toMatchObject({ alh: expect.stringMatching(/^[0-9a-f]{64}$/) });
    for (const result of all.flat()) if (result) expect(inspect(result)).not.toMatch(/Uint8Array\(\d+\) \[/);
    expect((await client.verifiedGet('k'))?.json()).toEqual({ a: 1 });
    expect((await client.get('k'))?.text()).toBe('{"a":1}');
    expect((await client.getAll(['k']))[0]?.keyText()).toBe('k');
  });

  test('transactions, states and settings too', async () => {
    const client = await open();
    const { tx } = await client.verifiedSet('k', 'v');
    const all = [
      await client.txById(tx, { entries: 'raw' }),
      await client.verifiedTx(tx, { entries: 'raw' }),
      await client.verifiedTx(tx, { kinds: ['key'] }),
      await client.verifiedTx(tx, { includeProof: true }),
      await client.verifiedState(),
      await client.exportTx(tx),
      await client.verifiedExportTx(tx),
      await client.databases.settings(),
      await client.databaseHealth(),
    ];
    for await (const each of client.transactions()) all.push(each);
    for await (const each of client.verifiedTransactions()) all.push(each);
    const shown = JSON.parse(JSON.stringify(all)) as unknown[];
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    const entry = { kind: 'key', key: 'k', rawKey: '006b', valueHash: hash };
    for (const each of [shown[1], shown[6]])
      expect(each).toMatchObject({
        tx: '1',
        alh: hash,
        entries: [{ ...entry, value: 'v' }],
        root: { tx: '1' },
      });
    expect(shown.at(-1)).toMatchObject({ tx: '1', entries: [entry], root: { alh: hash } });
    for (const result of all) expect(inspect(result, { depth: null })).not.toMatch(/Uint8Array\(\d+\) \[/);
  });

  test('behind a reference, bound or not, in a group or alone', async () => {
    const client = await open({ keepAliveMs: 0 });
    const { tx } = await client.verifiedSet('target', '"v"');
    const wire = await WireClient.open(sharedImmudb(), client.databaseName);
    onTestFinished(() => wire.close());
    await wire.call('SetReference', { key: Buffer.from('ref'), referencedKey: Buffer.from('target') });
    const alone = await client.verifiedGet('ref');
    const [grouped] = await client.verifiedGetAll(['ref', 'target']);
    const plain = await client.get('ref');
    for (const read of [alone, grouped, plain]) {
      expect(read?.json()).toBe('v');
      expect(read?.reference?.key).toEqual(bytes('ref'));
      expect(JSON.parse(JSON.stringify(read))).toMatchObject({
        ...{ key: 'target', tx: tx.toString() },
        reference: { key: 'ref', atTx: '0' },
      });
    }
    expect(Object.keys(alone!)).toEqual(Object.keys(grouped!));
  });
});

interface Order {
  readonly item: string;
  readonly count: number;
}

describeServer('a codec', () => {
  test('json: values in, values out, plain and verified, one and many', async () => {
    const client = await open();
    const orders = client.database<Order>(client.databaseName, { codec: 'json' });
    expect(orders.databaseName).toBe(client.databaseName);
    const lamp = { item: 'lamp', count: 2 };
    await orders.verifiedSet('1', lamp);
    await orders.set('2', { ...lamp, count: 3 });
    await orders.verifiedSetAll(new Map([['3', lamp]]));
    await orders.setAll({ 4: lamp });
    const count: number | undefined = (await orders.verifiedGet('1'))?.decoded.count;
    expect(count).toBe(2);
    expect((await orders.get('2'))?.decoded).toEqual({ item: 'lamp', count: 3 });
    expect((await orders.verifiedGetAll(['3', 'none', '4'])).map((read) => read?.decoded ?? null)).toEqual([
      lamp,
      null,
      lamp,
    ]);
    expect((await orders.getAll(['3', 'none'])).map((read) => read?.decoded)).toEqual([lamp, undefined]);
    // The same keys by their bytes.
    expect((await orders.bytes.verifiedGet('1'))?.text()).toBe('{"item":"lamp","count":2}');
    await orders.verifiedDelete('1');
    await orders.delete(['2']);
    expect(await orders.getAll(['1', '2'])).toEqual([null, null]);
  });

  test('text', async () => {
    const client = await open();
    const texts = client.database(client.databaseName, { codec: 'text' });
    await texts.verifiedSet('k', 'grüß');
    const text: string | undefined = (await texts.verifiedGet('k'))?.decoded;
    expect(text).toBe('grüß');
  });

  test('scans and histories, plain and verified', async () => {
    const client = await open();
    const orders = client.database<Order>(client.databaseName, { codec: 'json' });
    const lamps = [1, 2, 3].map((count) => ({ item: 'lamp', count }));
    for (const lamp of lamps) await orders.verifiedSet('lamp', lamp);
    await orders.delete('lamp');
    await orders.set('other', lamps[0]!);
    for (const scan of [orders.scan(), orders.verifiedScan({ prefix: 'other' })])
      for await (const entry of scan as AsyncIterable<Decoded<EntryBase, Order>>)
        expect([entry.keyText(), entry.decoded]).toEqual(['other', lamps[0]]);
    for (const history of [orders.history('lamp'), orders.verifiedHistory('lamp')]) {
      const versions: Decoded<HistoryEntry | VerifiedVersion, Order>[] = [];
      for await (const version of history) versions.push(version);
      expect(versions.slice(0, 3).map(({ decoded }) => decoded)).toEqual(lamps);
      expect(versions[3]?.deleted).toBe(true);
      expect(() => versions[3]?.decoded).toThrow('the value of key "lamp" cannot be decoded');
      expect(JSON.parse(JSON.stringify(versions[0]))).toMatchObject({ key: 'lamp', tx: '1', deleted: false });
      expect(versions[0]?.json<Order>().count).toBe(1);
    }
    await client.zAdd('set', 1.5, 'other');
    for (const members of [client.zScan('set'), client.verifiedZScan('set')])
      for await (const member of members) {
        expect(member.entry.json()).toEqual(lamps[0]);
        expect(JSON.parse(JSON.stringify(member))).toMatchObject({ key: 'other', entry: { key: 'other' } });
      }
  });

  test('of one’s own; decoded once, and only when it is looked at', async () => {
    const client = await open();
    let decodings = 0;
    const codec: Codec<Date> = {
      encode: (date) => date.toISOString(),
      decode: (raw) => {
        decodings += 1;
        return new Date(Buffer.from(raw).toString());
      },
    };
    const dates = client.database(client.databaseName, { codec });
    const now = new Date();
    await dates.verifiedSet('now', now);
    const read = await dates.verifiedGet('now');
    expect(decodings).toBe(0);
    expect(read?.decoded).toEqual(now);
    expect(read?.decoded).toBe(read?.decoded);
    expect(decodings).toBe(1);
    // No field of its own.
    expect(Object.keys(read!)).not.toContain('decoded');
  });

  test('bytes that it cannot decode: the entry is there, its value is an error that names the key', async () => {
    const client = await open();
    await client.verifiedSet('broken', BINARY);
    const [read] = await client.database(client.databaseName, { codec: 'json' }).verifiedGetAll(['broken']);
    expect(read?.value).toEqual(BINARY);
    expect(() => read?.decoded).toThrow(
      expect.objectContaining({
        code: 'DECODE_FAILED',
        message: 'the value of key "broken" cannot be decoded by the codec',
        cause: expect.any(TypeError),
      }),
    );
  });

  test('values that it cannot encode, and what is no codec: nothing is sent', async () => {
    const client = await open();
    const { tx } = await client.currentState();
    const json = client.database(client.databaseName, { codec: 'json' });
    const refused = async (work: Promise<unknown>, argument: string) => {
      const error = await work.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ argument });
    };
    await refused(json.set('k', 1n), 'value');
    await refused(json.verifiedSet('k', undefined), 'value');
    await refused(json.setAll({ k: 1n }), 'value of entry 0');
    await refused(json.verifiedSetAll([['k', 1], 'kv'] as never), 'entries');
    await refused(json.setAll('kv' as never), 'entries');
    await refused(json.setAll(null as never), 'entries');
    await refused(json.setAll(endless()), 'entries');
    await refused(json.set('', 1), 'key');
    await refused(json.verifiedGet('k', { atTx: 0n }), 'atTx');
    for (const codec of ['xml', null, {}, { encode: () => '' }, 7])
      expect(() => client.database('d', { codec } as never)).toThrow(
        expect.objectContaining({ argument: 'codec' }),
      );
    expect(() => client.database('d', { kodec: 'json' } as never)).toThrow(ArgumentError);
    expect(() => client.database('d', null as never)).toThrow(ArgumentError);
    expect((await client.currentState()).tx).toBe(tx);
  });
});

function* endless(): Generator<[string, number]> {
  for (let i = 0; ; i++) yield [`k${i}`, i];
}

test('what is text is what a strict decoder takes', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let i = 0; i < 65_536; i++) {
    const pair = new Uint8Array([i >> 8, i & 0xff]);
    let wanted: string | undefined;
    try {
      wanted = strict.decode(pair);
    } catch {
      wanted = undefined;
    }
    if (textOf(pair) !== wanted) expect.fail(`differs for ${i.toString(16)}`);
  }
});
