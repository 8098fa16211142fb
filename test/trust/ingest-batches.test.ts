// Receipts by the transaction: which records they stand for, and how they go with other writes, on a real immudb.
import { expect, test } from 'vitest';
import { ArgumentError, IngestError } from '#dist/index.js';
import type { ImmuClient, IngestBatch, IngestOptions, IngestRecord } from '#dist/index.js';
import { describeServer } from '../support/real.js';
import { openClient, rejection, rowsOf, text } from './support.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

async function batchesOf(
  client: ImmuClient,
  records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
  options: IngestOptions = {},
): Promise<IngestBatch[]> {
  const batches: IngestBatch[] = [];
  for await (const batch of client.ingest(records, options).batches()) batches.push(batch);
  return batches;
}

/** Each begins where the one before ended. */
function expectRanges(batches: readonly IngestBatch[], first: number, count: number): void {
  let next = first;
  for (const batch of batches) {
    expect([batch.first, batch.count]).toEqual([next, batch.last - batch.first + 1]);
    next = batch.last + 1;
  }
  expect(next).toBe(first + count);
}

describeServer('ingest in batches', () => {
  test('every record is in the transaction that its batch names, and nothing else is', async () => {
    const { client, store } = await openClient();
    const records = range(2500).map((i): IngestRecord => {
      if (i % 3 === 0) return [Buffer.from(`k${i}`), `ü ${i}`];
      return i % 3 === 1 ? { key: `schlüssel ${i}`, value: Buffer.alloc(i % 200, i) } : [`k${i}`, ''];
    });
    const batches = await batchesOf(client, records);
    expectRanges(batches, 0, 2500);
    expect(batches.length).toBeLessThan(6);
    for (const { first, last, tx, bytes, root } of batches) {
      expect(root.tx).toBeGreaterThanOrEqual(tx);
      const found = await client.verifiedTx(tx);
      expect(found?.entryCount).toBe(last - first + 1);
      let sum = 0;
      for (const i of range(last - first + 1, first)) {
        const [key, value] = pairOf(records[i]!);
        sum += key.length + value.length;
        if (i % 97 === 0)
          expect(Buffer.from((await client.verifiedGet(key, { atTx: tx }))!.value)).toEqual(value);
      }
      expect(bytes).toBe(sum);
    }
    await client.close();
    const rows = await rowsOf(store, { operation: 'ingest' });
    expect(rows.reduce((calls, row) => calls + row.calls, 0)).toBe(2500);
  });

  test('a key that comes again is in a later transaction', async () => {
    const { client } = await openClient();
    const batches = await batchesOf(
      client,
      range(60).map((i): IngestRecord => [`k${i % 20}`, `${i}`]),
    );
    expectRanges(batches, 0, 60);
    expect(batches.map(({ count }) => count)).toEqual([20, 20, 20]);
    expect(batches[1]!.tx).toBeGreaterThan(batches[0]!.tx);
    expect(text((await client.verifiedGet('k7'))?.value)).toBe('47');
  });

  test('a token goes on in the middle, and receipts of records go on behind those of batches', async () => {
    const { client } = await openClient();
    const records = range(50).map((i): IngestRecord => [`k${i}`, `${i}`]);
    const [first] = await batchesOf(client, records.slice(0, 20));
    const rest = await batchesOf(client, records, { resume: first!.resume });
    expectRanges(rest, 20, 30);
    const indexes: number[] = [];
    for await (const { index } of client.ingest(records, { resume: first!.resume })) indexes.push(index);
    expect(indexes).toEqual(range(30, 20));
  });

  test('keep the order of writes of one key, whoever makes them', async () => {
    const { client } = await openClient();
    const others: Promise<unknown>[] = [];
    async function* source(): AsyncGenerator<IngestRecord> {
      for (const i of range(40)) {
        yield [`k${i % 4}`, `record ${i}`];
        await Promise.resolve();
        others.push(
          client.verifiedSet(`k${i % 4}`, `set ${i}`),
          client.setAll({ [`k${(i + 1) % 4}`]: `all ${i}` }),
        );
        if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await batchesOf(client, source());
    await Promise.all(others);
    const versions: string[] = [];
    for await (const { value } of client.verifiedHistory('k1')) versions.push(text(value));
    const expected: string[] = [];
    for (const i of range(40)) {
      if (i % 4 === 1) expected.push(`record ${i}`, `set ${i}`);
      if ((i + 1) % 4 === 1) expected.push(`all ${i}`);
    }
    expect(versions.sort()).toEqual([...expected].sort());
    // A record is read before the writes that are called behind it: what is last of a key is what was called last.
    expect(text((await client.verifiedGet('k1'))?.value)).toBe('set 37');
  });

  test('hold no more of the source than the window, and let go of it', async () => {
    const { client } = await openClient();
    let taken = 0;
    let released = false;
    function* endless(): Generator<IngestRecord> {
      try {
        for (;;) yield [`e${taken++}`, 'v'];
      } finally {
        released = true;
      }
    }
    let seen = 0;
    for await (const { count } of client.ingest(endless(), { window: 32 }).batches()) {
      expect(taken).toBeLessThanOrEqual(seen + 33);
      seen += count;
      if (seen > 200) break;
    }
    expect(released).toBe(true);
    expect(client.diagnostics.queued).toEqual({ calls: 0, bytes: 0 });
  });

  test('what is wrong with a record is told by its index, behind all before it', async () => {
    const { client } = await openClient();
    const records: unknown[] = [...range(30).map((i) => [`k${i}`, 'v']), ['k', 5], ['never', 'v']];
    const batches: IngestBatch[] = [];
    const error = await rejection(
      (async () => {
        for await (const batch of client.ingest(records as IngestRecord[]).batches()) batches.push(batch);
      })(),
    );
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', index: 30, resume: batches.at(-1)!.resume });
    expect(error.message).toContain('value of record 30');
    expectRanges(batches, 0, 30);
    expect(await client.verifiedGet('never')).toBeNull();
  });

  test('are asked for once, and not beside receipts of records', async () => {
    const { client } = await openClient();
    const both = client.ingest([['a', '1']]);
    await both.next();
    expect(() => both.batches()).toThrow(ArgumentError);
    await both.return();
    const twice = client.ingest([['a', '1']]);
    for await (const { count } of twice.batches()) expect(count).toBe(1);
    expect(() => twice.batches()).toThrow(/already/);
    expect(await rejection(twice.next())).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'batches' });
    expect(await twice.return()).toMatchObject({ done: true });
  });

  test('many entries in one call are one transaction, in order with other writes of their keys', async () => {
    const { client } = await openClient();
    const all = (value: string) => range(100).map((i) => [`k${i}`, value] as const);
    const [first, set, second, plain] = await Promise.all([
      client.verifiedSetAll(all('1')),
      client.verifiedSet('k50', '2'),
      client.verifiedSetAll(all('3')),
      client.setAll(all('4')),
    ]);
    expect(set.tx).toBeGreaterThan(first.tx);
    expect(second.tx).toBeGreaterThan(set.tx);
    expect(plain.tx).toBeGreaterThan(0n);
    expect((await client.verifiedTx(second.tx))?.entryCount).toBe(100);
    for (const value of ['ü', 'a'.repeat(100_000), Buffer.alloc(5000, 1)]) {
      const { tx } = await client.verifiedSetAll(range(70).map((i) => [`long ü ${i}`, value] as const));
      expect(Buffer.from((await client.verifiedGet('long ü 69', { atTx: tx }))!.value)).toEqual(
        Buffer.from(value as string),
      );
    }
  });
});

function pairOf(record: IngestRecord): readonly [Buffer, Buffer] {
  const [key, value] = 'key' in record ? [record.key, record.value] : record;
  return [Buffer.from(key as string), Buffer.from(value as string)];
}
