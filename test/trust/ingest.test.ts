// Ingestion, warming, following and the choice of SHA-256 on a real immudb.
import { expect, test } from 'vitest';
import { ImmuClient, IngestError, MemoryRootStore } from '#dist/index.js';
import { verifyEvidence } from '#dist/audit.js';
import type { IngestOptions, IngestProgress, IngestReceipt, IngestRecord } from '#dist/index.js';
import { describeServer, sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection, rowsOf, text } from './support.js';

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

async function ingested(
  client: ImmuClient,
  records: AsyncIterable<IngestRecord> | Iterable<IngestRecord>,
  options: IngestOptions = {},
): Promise<IngestReceipt[]> {
  const receipts: IngestReceipt[] = [];
  for await (const receipt of client.ingest(records, options)) receipts.push(receipt);
  return receipts;
}

describeServer('ingest', () => {
  test('a receipt for every record, in order, each what the server holds; calls counted once', async () => {
    const { client, store } = await openClient();
    const told: IngestProgress[] = [];
    const records = range(500).map((i): IngestRecord =>
      i % 2 ? [`r/${i % 300}`, `${i}`] : { key: `r/${i % 300}`, value: `${i}` },
    );
    const receipts = await ingested(client, records, { onProgress: (progress) => told.push(progress) });
    expect(receipts.map(({ index }) => index)).toEqual(range(500));
    expect(new Set(receipts.map(({ tx }) => tx)).size).toBeLessThan(20);
    // The same key twice: the later record is the later version.
    expect(receipts[300]!.tx).toBeGreaterThan(receipts[0]!.tx);
    for (const i of [0, 299, 300, 499]) {
      const { key, tx, root } = receipts[i]!;
      const entry = await client.verifiedGet(key, { atTx: tx });
      expect(text(entry?.value)).toBe(`${i}`);
      expect(root.tx).toBeGreaterThanOrEqual(tx);
    }
    expect(told.at(-1)).toMatchObject({ taken: 500, proven: 500, resume: receipts.at(-1)!.resume });
    // Calls under a head that has its row already are written a little later, at the close at last.
    await client.close();
    const rows = await rowsOf(store, { operation: 'ingest' });
    expect(rows.reduce((calls, row) => calls + row.calls, 0)).toBe(500);
  });

  test('goes on behind a token, whose root must lie on the trusted history', async () => {
    const { client, store } = await openClient();
    const records = range(40).map((i): IngestRecord => [`k${i}`, `${i}`]);
    const first = await ingested(client, records.slice(0, 25));
    const resume = first.at(-1)!.resume;
    const rest = await ingested(client, records, { resume });
    expect(rest.map(({ index }) => index)).toEqual(range(40).slice(25));
    const forged = resume.replace(/[0-9a-f]{64}$/, 'ab'.repeat(32));
    expect(await rejection(ingested(client, records, { resume: forged }))).toMatchObject({
      code: 'FORK_DETECTED',
    });
    const [fork] = await rowsOf(store, { outcome: 'fork' });
    expect(fork!.evidence).toMatchObject({ check: 'trust.given', expected: 'ab'.repeat(32) });
    expect(verifyEvidence(fork!.evidence!)).toMatchObject({ outcome: 'reproduced' });
    expect(await rejection(ingested(client, records, { resume: `${resume}0` }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'resume',
    });
  });

  test('a record that cannot be written ends it, with all before it proven and a token to go on with', async () => {
    const { client } = await openClient();
    const receipts: IngestReceipt[] = [];
    const records: IngestRecord[] = [['a', '1'], ['b', '2'], ['', '3'], ['d', '4']]; // prettier-ignore
    const run = (async () => {
      for await (const receipt of client.ingest(records)) receipts.push(receipt);
    })();
    const error = await rejection(run);
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', index: 2, resume: receipts[1]!.resume });
    expect(receipts.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('a source is read no further than the window, and let go when the reader leaves', async () => {
    const { client } = await openClient();
    let taken = 0;
    let released = false;
    async function* endless(): AsyncGenerator<IngestRecord> {
      try {
        for (;;) {
          await Promise.resolve();
          yield [`e${taken++}`, 'v'];
        }
      } finally {
        released = true;
      }
    }
    let seen = 0;
    for await (const { proven } of client.ingest(endless(), { window: 8 })) {
      expect(proven).toBe(true);
      expect(taken).toBeLessThanOrEqual(seen + 9);
      if (++seen === 20) break;
    }
    expect(released).toBe(true);
  });

  test('what fails in the source is told, with a token to go on with', async () => {
    const { client } = await openClient();
    async function* broken(): AsyncGenerator<IngestRecord> {
      yield await Promise.resolve(['a', '1'] as const);
      throw new RangeError('the source broke');
    }
    const error = await rejection(ingested(client, broken()));
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', index: 1 });
    expect(error.message).toContain('the source broke');
    expect((error.cause as Error).cause).toEqual(new RangeError('the source broke'));
    const { resume } = error as unknown as IngestError;
    const rest = await ingested(client, [['a', '1'], ['b', '2']], { resume }); // prettier-ignore
    expect(rest.map(({ index }) => index)).toEqual([1]);
    expect(() => client.ingest(5 as never)).toThrow(/iterable/);
  });
});

describeServer('headers ahead of reads', () => {
  test('warm() proves and keeps every header: reads then ask for none', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    for (let i = 0; i < 60; i += 20) {
      await Promise.all(
        range(20).map((j) =>
          wire.call('Set', { KVs: [{ key: Buffer.from(`w${i + j}`), value: Buffer.from('v') }] }),
        ),
      );
    }
    expect(await client.warm()).toBe(60);
    const entries = await Promise.all(range(60).map((i) => client.verifiedGet(`w${i}`)));
    expect(entries.map((entry) => text(entry?.value))).toEqual(range(60).map(() => 'v'));
    const { claims, fetched } = client.diagnostics.trust[database]!;
    expect(claims).toEqual({ known: 60, headers: 0, leaves: 0, head: 0 });
    expect(fetched).toMatchObject({ headerBlocks: 1, headerSingles: 0 });
    expect(await client.warm({ from: 1000n })).toBe(0);
  });

  test('followMs moves the head along with another writer', async () => {
    const { client, store, database } = await openClient({ followMs: 5 });
    await client.verifiedSet('mine', '1');
    const wire = await openWire(database);
    for (const i of range(5))
      await wire.call('Set', { KVs: [{ key: Buffer.from(`theirs${i}`), value: Buffer.from('v') }] });
    await expect.poll(() => client.diagnostics.trust[database]!.headTx).toBe(6n);
    expect((await rowsOf(store, { operation: 'follow' })).at(-1)).toMatchObject({ tx: 6n, calls: 0 });
  });
});

describeServer('the choice of SHA-256', () => {
  test.for(['noble', 'node'] as const)('%s proves the same, in threads and inline', async (hasher) => {
    for (const threads of [0, 1]) {
      const { client } = await openClient({
        verifier: { hasher, threads, inlineBelowJobs: threads ? 0 : 2 },
      });
      const written = await Promise.all(range(5).map((i) => client.verifiedSet(`h${i}`, 'v')));
      const read = await client.verifiedGetAll(range(5).map((i) => `h${i}`));
      expect(read.map((entry) => entry?.tx)).toEqual(written.map(({ tx }) => tx));
    }
  });

  test('another name is refused', () => {
    const options = { verifier: { hasher: 'md5' as never }, address: sharedImmudb(), credentials: USER };
    expect(() => new ImmuClient({ ...options, store: new MemoryRootStore() })).toThrow(/noble/);
  });
});

test('options that are no object are an argument error', async () => {
  const client = new ImmuClient({ address: 'localhost:1', store: new MemoryRootStore() });
  for (const call of [
    client.verifiedSet('k', 'v', null as never),
    client.verifiedGet('k', null as never),
    client.verifiedSetAll({ k: 'v' }, 5 as never),
  ])
    expect(await rejection(call)).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'options' });
  await client.close();
});
