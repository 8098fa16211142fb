// Ingestion of what may be there already, on a real immudb: nothing is written a second time, and what is there is proven.
import { expect, test } from 'vitest';
import { IngestError } from '#dist/index.js';
import type { IngestOptions, IngestReceipt, IngestRecord, IngestRefusal } from '#dist/index.js';
import { Proxy } from '../adversary/proxy.js';
import { describeServer, sharedImmudb } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { openClient, openWire, rejection, text } from '../trust/support.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);
const records = (from: number, count: number, redelivered?: boolean): IngestRecord<number>[] =>
  range(count, from).map((id) => ({
    key: `k${id}`,
    value: `value ${id}`,
    source: id,
    ...(redelivered !== undefined && { redelivered }),
  }));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

/** How often each key was written, in all transactions. */
async function timesWritten(wire: WireClient): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let initialTx = 1; ; initialTx += 100) {
    const { txs = [] } = await wire.call('TxScan', { initialTx: String(initialTx), limit: 100 });
    for (const { entries } of txs as { entries: { key: Uint8Array }[] }[])
      for (const { key } of entries) {
        const name = Buffer.from(key).subarray(1).toString();
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    if (txs.length < 100) return counts;
  }
}

async function expectOnce(database: string, keys: readonly string[]): Promise<void> {
  const counts = await timesWritten(await openWire(database));
  expect(keys.filter((key) => counts.get(key) !== 1).map((key) => [key, counts.get(key)])).toEqual([]);
}

const keysOf = (from: number, count: number) => range(count, from).map((id) => `k${id}`);

describeServer('once', () => {
  test('what is there with the same value is a receipt of the tx where it is, and not written again', async () => {
    const { client, database } = await openClient();
    const first = await all(client.ingest(records(0, 1500), { once: true }));
    expect(first.some((receipt) => 'wasThere' in receipt)).toBe(false);
    await client.verifiedSet('k1600', 'value 1600');
    const second = await all(client.ingest(records(1000, 1000), { once: true }));
    expect(second.map(({ index, source }) => [index, source])).toEqual(range(1000).map((i) => [i, 1000 + i]));
    expect(second.map(({ wasThere }) => wasThere === true)).toEqual(
      range(1000, 1000).map((id) => id < 1500 || id === 1600),
    );
    for (const i of [0, 499]) {
      const { tx, alh, timestamp } = first[1000 + i]!;
      expect(second[i]).toMatchObject({ tx, alh, timestamp, proven: true });
    }
    for (const { key, tx, source } of [second[0]!, second[500]!, second[600]!, second[999]!])
      expect(text((await client.verifiedGet(key, { atTx: tx }))?.value)).toBe(`value ${source}`);
    await expectOnce(database, keysOf(0, 2000));
    // Tokens go on behind them as behind others.
    const rest = await all(client.ingest(records(1000, 1010), { once: true, resume: second.at(-1)!.resume }));
    expect(rest.map(({ source }) => source)).toEqual(range(10, 2000));
  });

  test('batches and onProven say what was there, each record once and in order', async () => {
    const { client, database } = await openClient();
    await client.verifiedSetAll(range(50).map((i) => [`k${i * 2}`, `value ${i * 2}`] as const));
    const told: IngestReceipt<number>[] = [];
    const onProven = (receipts: readonly IngestReceipt<number>[]) => void told.push(...receipts);
    const batches = await all(client.ingest(records(0, 200), { once: true, onProven }).batches());
    expect(told.map(({ index }) => index)).toEqual(range(200));
    let next = 0;
    for (const { first, last, count, sources, wasThere } of batches) {
      expect(first).toBe(next);
      expect(sources).toEqual(range(count, first));
      expect(wasThere === true).toBe(first < 100 && first % 2 === 0);
      next = last + 1;
    }
    expect(next).toBe(200);
    // What was not there went together.
    expect(new Set(told.filter(({ wasThere }) => !wasThere).map(({ tx }) => tx)).size).toBeLessThan(4);
    await expectOnce(database, keysOf(0, 200));
    const summary = await client.ingest(records(0, 250), { once: true }).finished();
    expect(summary).toMatchObject({ records: 250, wasThere: 200, refused: 0 });
  });

  test('another value is refused, with PRECONDITION_FAILED; without onRefused it ends there', async () => {
    const { client, database } = await openClient();
    const { tx } = await client.verifiedSet('k3', 'another');
    const order: unknown[] = [];
    const refusals: IngestRefusal<number>[] = [];
    const options: IngestOptions<number> = {
      once: true,
      onProven: (receipts) => receipts.forEach(({ source }) => order.push(source)),
      onRefused: (refusal) => {
        refusals.push(refusal);
        order.push(`refused ${refusal.source}`);
      },
    };
    expect(await client.ingest(records(0, 6), options).finished()).toMatchObject({ records: 5, refused: 1 });
    expect(order).toEqual([0, 1, 2, 'refused 3', 4, 5]);
    expect(text(refusals[0]!.key)).toBe('k3');
    expect(refusals[0]!.error).toMatchObject({ code: 'PRECONDITION_FAILED' });
    expect(refusals[0]!.error.message).toContain(`in tx ${tx.toString()}`);
    expect(text((await client.verifiedGet('k3'))?.value)).toBe('another');
    await expectOnce(database, keysOf(0, 6));
    const ended = await rejection(client.ingest(records(0, 6), { once: true }).finished());
    expect(ended).toBeInstanceOf(IngestError);
    expect(ended).toMatchObject({ code: 'PRECONDITION_FAILED', index: 3 });
    // What only looks the same: a reference to the same value, an entry that expires.
    await client.verifiedSet('target', 'value 20');
    await client.verifiedSetReference('k20', 'target');
    await client.set('k21', 'value 21', {
      metadata: { expiresAt: BigInt(Math.floor(Date.now() / 1000) + 3600) },
    });
    refusals.length = 0;
    await client.ingest(records(19, 3), options).finished();
    expect(refusals.map(({ source }) => source)).toEqual([20, 21]);
  });

  test('two records of one key in the window: one write where they are the same, else the second is refused', async () => {
    const { client, database } = await openClient();
    const refused: unknown[] = [];
    const onRefused = ({ source }: IngestRefusal<number>) => void refused.push(source);
    const given: IngestRecord<number>[] = [];
    for (const id of range(300)) {
      given.push({ key: `k${id}`, value: `value ${id}`, source: id });
      if (id % 100 === 10) given.push({ key: `k${id}`, value: `value ${id}`, source: id + 0.1 });
      if (id % 100 === 20) given.push({ key: `k${id - 5}`, value: 'another', source: id + 0.2 });
      if (id % 100 === 30) given.push(['k12', 'value 12']);
    }
    for (const window of [500, 8192]) {
      refused.length = 0;
      const receipts = await all(client.ingest(given, { once: true, window, onRefused }));
      expect(refused).toEqual([20.2, 120.2, 220.2]);
      expect(receipts).toHaveLength(given.length - 3);
      for (const { source, tx, wasThere } of receipts)
        if (source !== undefined && source % 1 > 0)
          expect([tx, wasThere]).toEqual([
            receipts.find((other) => other.source === Math.floor(source))!.tx,
            true,
          ]);
    }
    await expectOnce(database, keysOf(0, 300));
  });

  test('what is not acknowledged yet and comes again is not written twice, behind the first window too', async () => {
    const { client, database } = await openClient();
    const open = new Map<number, number>();
    const refused: number[] = [];
    let others = 0;
    function* source(): Generator<IngestRecord<number>> {
      for (const id of range(600)) {
        open.set(id, id);
        yield { key: `k${id}`, value: `value ${id}`, source: id };
        const ids = [...open.keys()];
        const again = ids[(id * 7919) % ids.length];
        if (again === undefined || id % 3 > 0) continue;
        const isSame = id % 2 === 0;
        others += isSame ? 0 : 1;
        yield { key: `k${again}`, value: isSame ? `value ${again}` : 'another', source: -1 };
      }
    }
    const summary = await client
      .ingest(source(), {
        once: true,
        window: 32,
        onProven: (receipts) => receipts.forEach(({ source: id }) => open.delete(id!)),
        onRefused: ({ key }) => void refused.push(Number(text(key).slice(1))),
      })
      .finished();
    expect(refused).toHaveLength(others);
    expect(refused.filter((id) => id > 32).length).toBeGreaterThan(10);
    expect(summary.wasThere).toBeGreaterThan(30);
    expect(summary.records).toBe(600 + summary.wasThere);
    await expectOnce(database, keysOf(0, 600));
    expect(text((await client.verifiedGet('k599'))?.value)).toBe('value 599');
  });

  test('the first window is written so, and what is redelivered; what comes later and is not, is not', async () => {
    const { client, database } = await openClient();
    await client.verifiedSetAll(range(100).map((i) => [`k${i}`, `value ${i}`] as const));
    const fresh = await all(client.ingest(records(0, 100), { once: true, window: 40 }));
    expect(fresh.map(({ wasThere }) => wasThere === true)).toEqual(range(100).map((i) => i < 40));
    // This is what "at least once" means behind the first window.
    const counts = await timesWritten(await openWire(database));
    expect(range(100).map((i) => counts.get(`k${i}`))).toEqual(range(100).map((i) => (i < 40 ? 1 : 2)));

    const flagged = range(1000).map((id): IngestRecord => ({
      key: `k${id < 500 ? 10_000 + id : id < 540 ? id - 500 : 10_000 + id}`,
      value: `value ${id < 540 && id >= 500 ? id - 500 : id}`,
      redelivered: id >= 500 && id < 540,
    }));
    const later = await all(client.ingest(flagged, { once: true, window: 40 }));
    expect(later.map(({ wasThere }) => wasThere === true)).toEqual(
      range(1000).map((i) => i >= 500 && i < 540),
    );
    await expectOnce(database, keysOf(0, 40));
    // Without once the flag is not looked at; with it, it has to be one.
    await client.ingest(records(0, 5, true)).finished();
    expect((await timesWritten(await openWire(database))).get('k0')).toBe(2);
    const wrong = { key: 'k', value: 'v', redelivered: 1 as never };
    expect(
      await rejection(client.ingest([wrong], { once: true, onRefused: () => undefined }).finished()),
    ).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'record 0: redelivered of record 0 must be a boolean',
    });
  });

  test('a window that is smaller than that of the run before does not cover what this had in flight', async () => {
    // Why the docstring says so: 40 were written and not acknowledged.
    for (const [window, twice] of [
      [40, 0],
      [41, 0],
      [30, 10],
    ] as const) {
      const { client, database } = await openClient();
      await client.ingest(records(0, 40)).finished();
      await client.ingest(records(0, 60), { once: true, window }).finished();
      const counts = await timesWritten(await openWire(database));
      expect([...counts.values()].filter((count) => count > 1)).toHaveLength(twice);
    }
    const { client, database } = await openClient({ maxQueuedCalls: 20 });
    await client.ingest(records(0, 40)).finished();
    await client.ingest(records(0, 60), { once: true, window: 40 }).finished();
    expect([...(await timesWritten(await openWire(database))).values()].filter((n) => n > 1)).toHaveLength(
      30,
    );
  });

  test('behind a token too: the first window is that behind it', async () => {
    const { client, database } = await openClient();
    const stop = new Error('the process ended here');
    const onProven = (receipts: readonly IngestReceipt<number>[]) => {
      if (receipts.at(-1)!.index >= 40) throw stop;
    };
    // All 60 are written, in two transactions; those of the first are acknowledged.
    const given = [...records(0, 30), ['k0', 'value 0'] as const, ...records(30, 30)];
    const error = (await rejection(client.ingest(given, { onProven }).finished())) as unknown as IngestError;
    expect(error.index).toBe(30);
    const { resume } = error;
    const rest = await all(client.ingest(given, { once: true, window: 31, resume }));
    expect(rest.map(({ index, wasThere }) => [index, wasThere])).toEqual(range(31, 30).map((i) => [i, true]));
    await expectOnce(database, keysOf(1, 59));
  });

  test('large records, and ones that this database does not take', async () => {
    const { client, database } = await openClient();
    const large = range(6).map((i): IngestRecord => [`l${i}`, Buffer.alloc(700_000, i)]);
    await client.ingest(large, { once: true }).finished();
    const again = await all(client.ingest([...large, ['small', 'v']], { once: true }));
    expect(again.map(({ wasThere }) => wasThere === true)).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    await expectOnce(database, [...range(6).map((i) => `l${i}`), 'small']);
  });

  test('a deleted key is not there: its record is written again', async () => {
    const { client } = await openClient();
    await client.ingest(records(0, 3), { once: true }).finished();
    await client.verifiedDelete('k1');
    const receipts = await all(client.ingest(records(0, 3), { once: true }));
    expect(receipts.map(({ wasThere }) => wasThere === true)).toEqual([true, false, true]);
    expect(text((await client.verifiedGet('k1'))?.value)).toBe('value 1');
  });

  test('a transaction whose outcome is unknown is read back, and goes on', async () => {
    await using proxy = await Proxy.start(sharedImmudb());
    const { client, database } = await openClient({ address: proxy.address, timeoutMs: 20_000 });
    await client.verifiedSet('before', 'v');
    let sets = 0;
    const broken = () =>
      Object.assign(new Error('the answer is lost'), { code: 14, details: 'Connection dropped' });
    // Written, and the answer lost; not written, and the answer lost; by turns.
    proxy.intercept = async ({ method, forward }) => {
      if (!/^(Verifiable)?Set$/.test(method) || ++sets % 3 === 0) return forward();
      if (sets % 3 === 1) await forward();
      throw broken();
    };
    const summary = await client.ingest(records(0, 400), { once: true, window: 50 }).finished();
    expect(summary.records).toBe(400);
    expect(summary.wasThere).toBeGreaterThan(20);
    expect(sets).toBeGreaterThan(8);
    proxy.intercept = ({ forward }) => forward();
    await expectOnce(database, keysOf(0, 400));
    // Without once it ends the ingestion, as ever.
    proxy.intercept = async ({ method, forward }) => {
      const answer = await forward();
      if (/Set$/.test(method)) throw broken();
      return answer;
    };
    expect(await rejection(client.ingest(records(400, 5)).finished())).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
  });
});
