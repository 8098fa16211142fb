// txById and transactions: what is shown of transactions of every kind, in which order, and where that ends.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rejection } from '../trust/support.js';
import { HAS_ROWS, KINDS, addDocument, all, everyKind, grow, lines } from './support.js';

const ROW = /^sql \d+$/;

describeServer('txById', () => {
  test('digests of all entries, and what the header says', async () => {
    const { client, wire } = await everyKind();
    const found = await client.txById(KINDS.values);
    const { header } = await wire.call('TxById', { tx: '1' });
    expect(found).toMatchObject({ tx: 1n, entryCount: 2, timestamp: BigInt(header.ts) });
    expect(lines(found?.entries)).toEqual(['a', 'b']);
    expect(found?.entries[0]?.valueHash).toHaveLength(32);
    expect(Buffer.from((await client.txById(2n))?.prevAlh ?? [])).toEqual(Buffer.from(found?.alh ?? []));
    expect(lines((await client.txById(KINDS.deletion))?.entries)).toEqual(['b deleted']);
  });

  test.skipIf(!HAS_ROWS)('raw and resolved entries of every kind', async () => {
    const { client } = await everyKind();
    const raw = async (tx: bigint) => lines((await client.txById(tx, { entries: 'raw' }))?.entries);
    const resolved = async (tx: bigint) => lines((await client.txById(tx, { entries: 'resolved' }))?.entries);
    expect(await raw(KINDS.values)).toEqual(['a=1', 'b=']);
    expect(await raw(KINDS.reference)).toEqual(['ref -> a@0']);
    expect(await resolved(KINDS.reference)).toEqual(['ref -> a@0=1']);
    expect(await raw(KINDS.member)).toEqual(['set: -1.5 a@0']);
    expect(await resolved(KINDS.member)).toEqual(['set: -1.5 a@0']);
    expect(await raw(KINDS.row)).toEqual([expect.stringMatching(ROW)]);
    expect(await resolved(KINDS.row)).toEqual([]);
    expect(await raw(KINDS.deletion)).toEqual(['b deleted']);
    // Servers leave out what has expired, but for its digest.
    expect(await raw(KINDS.expired)).toEqual(['kept=gone']);
    expect(lines((await client.txById(KINDS.expired))?.entries)).toEqual(['old', 'kept']);
  });

  test('only entries of the kinds that are wanted, or none', async () => {
    const { client } = await everyKind();
    const kinds = ['sorted-set', 'sql'] as const;
    for (const entries of ['digests', 'raw'] as const) {
      expect((await client.txById(KINDS.values, { entries, kinds }))?.entries).toEqual([]);
      expect((await client.txById(KINDS.member, { entries, kinds }))?.entries).toHaveLength(1);
    }
    expect(await client.txById(KINDS.values, { entries: 'none' })).toMatchObject({
      entryCount: 2,
      entries: [],
    });
  });

  test('one that is not there yet is null', async () => {
    const { client } = await everyKind();
    for (const entries of ['digests', 'raw', 'resolved', 'none'] as const)
      expect(await client.txById(8n, { entries })).toBeNull();
    expect(await client.txById(2n ** 63n - 1n)).toBeNull();
  });
});

describeServer('transactions', () => {
  test('in order, in part, backwards, and to the newest', async () => {
    const { client } = await everyKind();
    const ids = async (options: Parameters<typeof client.transactions>[0]) =>
      (await all(client.transactions(options))).map(({ tx }) => tx);
    expect(await ids({})).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    expect(await ids({ from: 3n, to: 4n })).toEqual([3n, 4n]);
    expect(await ids({ from: 6n, to: 99n })).toEqual([6n, 7n]);
    expect(await ids({ desc: true })).toEqual([7n, 6n, 5n, 4n, 3n, 2n, 1n]);
    expect(await ids({ desc: true, from: 99n, to: 6n })).toEqual([7n, 6n]);
    expect(await ids({ desc: true, from: 2n })).toEqual([2n, 1n]);
    expect(await ids({ from: 8n })).toEqual([]);
    const raw = await all(client.transactions({ to: 2n, entries: 'raw' }));
    expect(raw.map(({ entries }) => lines(entries))).toEqual([['a=1', 'b='], ['ref -> a@0']]);
  });

  test('an empty database has none', async () => {
    const { client } = await openClient();
    expect(await all(client.transactions())).toEqual([]);
    expect(await all(client.transactions({ desc: true }))).toEqual([]);
  });

  test('more than a page, each once; those that come meanwhile too', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await grow(wire, 150);
    const ids: bigint[] = [];
    for await (const { tx } of client.transactions()) {
      ids.push(tx);
      if (tx === 10n) await grow(wire, 10);
    }
    expect(ids).toEqual(Array.from({ length: 160 }, (_, i) => BigInt(i + 1)));
  });

  test.skipIf(!HAS_ROWS)('documents are there as digests', async () => {
    const world = await everyKind();
    const tx = await addDocument(world);
    expect(lines((await world.client.txById(tx))?.entries)).toEqual(['document ?']);
    expect(lines((await world.client.txById(tx, { entries: 'raw' }))?.entries)).toEqual([]);
  });

  test('ends with the caller’s abort', async () => {
    const { client } = await everyKind();
    const controller = new AbortController();
    const read = async () => {
      for await (const { tx } of client.transactions({ signal: controller.signal }))
        if (tx === 3n) controller.abort();
    };
    // All seven came in one page: what was asked for is given, nothing more is asked.
    await read();
    expect(await rejection(all(client.transactions({ signal: controller.signal })))).toMatchObject({
      code: 'ABORTED',
    });
  });
});

describeServer('what is no transaction, kind or range', () => {
  test.for([0n, -1n, 2n ** 63n, 1, '1', null, undefined])('tx %s', async (tx) => {
    const { client } = await openClient({ database: 'defaultdb' });
    for (const start of [
      () => client.txById(tx as never),
      () => client.verifiedTx(tx as never),
      () => client.exportTx(tx as never),
      () => client.verifiedExportTx(tx as never),
    ])
      expect(await rejection(start())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'tx' });
  });

  test.for([
    ['entries', { entries: 'all' }],
    ['entries', { entries: 1 }],
    ['kinds', { kinds: 'key' }],
    ['kinds', { kinds: [] }],
    ['kinds', { kinds: ['key', 'key'] }],
    ['kinds', { kinds: new Array(1e9) }],
    ['kinds[1]', { kinds: ['key', 'document'] }],
    ['kinds', { entries: 'resolved', kinds: ['sql'] }],
    ['options', { entrys: 'raw' }],
    ['options', []],
    ['timeoutMs', { timeoutMs: 0 }],
    ['signal', { signal: 1 }],
  ] as const)('%s', async ([argument, options]) => {
    const { client } = await openClient({ database: 'defaultdb' });
    const wrong = { code: 'INVALID_ARGUMENT', argument };
    expect(await rejection(client.txById(1n, options as never))).toMatchObject(wrong);
    const resolved = 'entries' in options && options.entries === 'resolved';
    expect(await rejection(client.verifiedTx(1n, options as never))).toMatchObject(
      resolved ? { argument: 'entries' } : wrong,
    );
    expect(() => client.transactions(options as never)).toThrow(ArgumentError);
    expect(() => client.verifiedTransactions(options as never)).toThrow(ArgumentError);
  });

  test.for([
    ['from', { from: 0n }],
    ['from', { from: 1 }],
    ['to', { to: 2n ** 63n }],
    ['to', { from: 5n, to: 4n }],
    ['desc', { desc: 1 }],
    ['to', { from: 4n, to: 5n, desc: true }],
    ['options', { form: 1n }],
  ] as const)('%s', async ([argument, options]) => {
    const { client } = await openClient({ database: 'defaultdb' });
    const wrong = expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }) as Error;
    expect(() => client.transactions(options as never)).toThrow(wrong);
    expect(() => client.verifiedTransactions(options as never)).toThrow(wrong);
    if ('desc' in options) return;
    expect(() => client.exportTxs(options as never)).toThrow(wrong);
  });

  test.for([undefined, 'bytes', new Uint8Array(0), {}, { bytes: 'x' }])('exported %s', async (exported) => {
    const { client } = await openClient({ database: 'defaultdb' });
    expect(await rejection(client.replicateTx(exported as never))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'exported',
    });
  });
});
