// Ingestion from sources that are acknowledged: what comes back, when it is told, what ends it, on a real immudb.
import { expect, test } from 'vitest';
import { ArgumentError, ImmuError, IngestError } from '#dist/index.js';
import type { IngestOptions, IngestReceipt, IngestRecord, IngestRefusal } from '#dist/index.js';
import { describeReal, describeServer, freshDatabase } from '../support/real.js';
import { openClient, openWire, rejection, text } from '../trust/support.js';

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of items) taken.push(item);
  return taken;
}

interface Message {
  readonly id: number;
}

const messages = (count: number): IngestRecord<Message>[] =>
  range(count).map((id) => ({ key: `m${id}`, value: `${id}`, source: { id } }));

describeServer('the source of a record', () => {
  test('comes back on its receipt, and on a batch in order; where none has one there is none', async () => {
    const { client } = await openClient();
    const sources: unknown[] = [];
    for await (const { source } of client.ingest(messages(30))) sources.push(source?.id);
    expect(sources).toEqual(range(30));

    const mixed: IngestRecord<Message>[] = [
      ['a', '1'],
      { key: 'b', value: '2', source: { id: 7 } },
      ['c', '3'],
      ['d', '4'],
    ];
    const [batch] = await all(client.ingest(mixed).batches());
    expect(batch!.sources).toEqual([undefined, { id: 7 }, undefined, undefined]);
    expect(batch!.sources).toHaveLength(batch!.count);

    for await (const given of client.ingest([['e', '1'], { key: 'f', value: '2' }]).batches())
      expect('sources' in given).toBe(false);
    for await (const given of client.ingest([['g', '1']])) {
      expect('source' in given).toBe(false);
      expect('wasThere' in given).toBe(false);
    }
    // Whatever it is.
    const [odd] = await all(client.ingest([{ key: 'h', value: '1', source: null }]));
    expect(odd!.source).toBeNull();
  });

  test('is not mixed up where a key comes again, and behind a token', async () => {
    const { client } = await openClient();
    const records = range(40).map((id): IngestRecord<number> => ({
      key: `k${id % 10}`,
      value: `${id}`,
      source: id,
    }));
    const batches = await all(client.ingest(records).batches());
    expect(batches.map(({ sources }) => sources)).toEqual([
      range(10),
      range(10, 10),
      range(10, 20),
      range(10, 30),
    ]);
    const rest: unknown[] = [];
    for await (const { index, source } of client.ingest(records, { resume: batches[1]!.resume }))
      rest.push([index, source]);
    expect(rest).toEqual(range(20, 20).map((id) => [id, id]));
  });
});

describeServer('onProven', () => {
  test('is told everything in order, per transaction, before receipts; finished() needs nobody else', async () => {
    const { client } = await openClient();
    const told: IngestReceipt<Message>[][] = [];
    const onProven = (receipts: readonly IngestReceipt<Message>[]) => void told.push([...receipts]);
    const summary = await client.ingest(messages(2500), { onProven }).finished();
    expect(summary).toMatchObject({ records: 2500, wasThere: 0, refused: 0 });
    expect(summary.resume).toBe(told.at(-1)!.at(-1)!.resume);
    expect(summary.bytes).toBe(range(2500).reduce((sum, id) => sum + 1 + 2 * `${id}`.length, 0));
    expect(told.length).toBeLessThan(10);
    expect(told.flat().map(({ source }) => source?.id)).toEqual(range(2500));
    for (const receipts of told) expect(new Set(receipts.map(({ tx }) => tx)).size).toBe(1);
    for (const { key, tx, index } of [told[0]![0]!, told.at(-1)!.at(-1)!])
      expect(text((await client.verifiedGet(key, { atTx: tx }))?.value)).toBe(`${index}`);
    expect(await client.ingest([]).finished()).toMatchObject({ records: 0, bytes: 0 });

    const order: string[] = [];
    const second = client.ingest(messages(5), { onProven: (all) => void order.push(`proven ${all.length}`) });
    for await (const { index, source } of second) order.push(`receipt ${index} of ${source!.id}`);
    expect(order).toEqual(['proven 5', ...range(5).map((i) => `receipt ${i} of ${i}`)]);
    const third = client.ingest(messages(5), { onProven: (all) => void order.push(`proven ${all.length}`) });
    for await (const { sources } of third.batches()) order.push(`batch of ${sources!.length}`);
    expect(order.slice(-2)).toEqual(['proven 5', 'batch of 5']);
  });

  test('is awaited: no more is taken than the window holds while it has not answered', async () => {
    const { client } = await openClient();
    let taken = 0;
    let acknowledged = 0;
    async function* endless(): AsyncGenerator<IngestRecord<number>> {
      for (;;) {
        await Promise.resolve();
        yield { key: `e${taken}`, value: 'v', source: taken++ };
      }
    }
    const run = client.ingest(endless(), {
      window: 16,
      onProven: async (receipts) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect(taken).toBeLessThanOrEqual(acknowledged + 17);
        acknowledged += receipts.length;
        if (acknowledged > 100) throw new Error('enough');
      },
    });
    const error = await rejection(run.finished());
    expect(error.message).toContain('enough');
    expect(acknowledged).toBeGreaterThan(100);
  });

  test('what it throws ends the ingestion, with a token behind what was acknowledged', async () => {
    const { client } = await openClient();
    const acknowledged: number[] = [];
    const records = range(40).map((id): IngestRecord<number> => ({
      key: `k${id % 10}`,
      value: `${id}`,
      source: id,
    }));
    const options: IngestOptions<number> = {
      onProven: (receipts) => {
        if (acknowledged.length === 20) throw new RangeError('the broker is gone');
        for (const { source } of receipts) acknowledged.push(source!);
      },
    };
    const error = (await rejection(client.ingest(records, options).finished())) as unknown as IngestError;
    expect(error).toBeInstanceOf(IngestError);
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', index: 20 });
    expect(error.message).toContain('onProven');
    expect((error.cause as Error).cause).toEqual(new RangeError('the broker is gone'));
    expect(acknowledged).toEqual(range(20));
    const rest: number[] = [];
    for await (const { index } of client.ingest(records, { resume: error.resume })) rest.push(index);
    expect(rest).toEqual(range(20, 20));
    // An error of this package keeps its code, and receipts that are not told are not given.
    const given: number[] = [];
    const own = await rejection(
      (async () => {
        const onProven = () => Promise.reject(new ImmuError('UNAVAILABLE', 'another server'));
        for await (const { index } of client.ingest(records, { onProven })) given.push(index);
      })(),
    );
    expect(own).toMatchObject({ code: 'UNAVAILABLE', index: 0 });
    expect(given).toEqual([]);
  });

  test('that never answers holds up neither an abort nor a close', async () => {
    const never = () => new Promise<never>(() => undefined);
    const { client } = await openClient();
    const controller = new AbortController();
    const onProven = () => {
      setImmediate(() => controller.abort(new Error('enough')));
      return never();
    };
    const { signal } = controller;
    const aborted = await rejection(client.ingest(messages(5), { signal, onProven }).finished());
    expect(aborted).toMatchObject({ code: 'ABORTED', index: 0 });
    const closing = client.ingest(messages(5), {
      onProven: () => {
        setImmediate(() => void client.close());
        return never();
      },
    });
    expect(await rejection(closing.finished())).toMatchObject({ code: 'CLOSED', index: 0 });
  });

  test('goes with one way of taking receipts, and options are checked', async () => {
    const { client } = await openClient();
    const run = client.ingest(messages(1));
    expect(await run.finished()).toMatchObject({ records: 1 });
    expect(await rejection(run.finished())).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(() => run.batches()).toThrow(ArgumentError);
    for (const [name, value] of [
      ['onProven', 5],
      ['onRefused', 'x'],
      ['once', 1],
      ['onProgress', {}],
    ] as const)
      expect(() => client.ingest([], { [name]: value }), name).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: name }),
      );
    expect(() => client.ingest([], { onceMore: true } as never)).toThrow(/onceMore/);
  });
});

describeServer('onRefused', () => {
  const tooLarge = new Uint8Array(32 * 1024 * 1024);
  const bad = (id: number): IngestRecord<Message> | undefined => {
    const source = { id };
    if (id % 7 === 1) return { key: '', value: 'v', source };
    if (id % 7 === 2) return { key: 'x'.repeat(1024), value: 'v', source };
    if (id % 7 === 3) return { key: `m${id}`, value: tooLarge, source };
    if (id % 7 === 4) return { key: `m${id}`, value: 5 as never, source };
    if (id % 7 === 5) return { key: '\ud800', value: 'v', source };
    return undefined;
  };

  test('is told what can never be written, which is passed over; tokens are behind it', async () => {
    const { client } = await openClient();
    const records = range(200).map((id) => bad(id) ?? messages(id + 1)[id]!);
    const order: number[] = [];
    const refusals: IngestRefusal<Message>[] = [];
    const summary = await client
      .ingest(records, {
        onProven: (receipts) => receipts.forEach(({ index, source }) => order.push(index, source!.id)),
        onRefused: (refusal) => {
          refusals.push(refusal);
          order.push(refusal.index, refusal.source!.id);
        },
      })
      .finished();
    // In order, each with what it was given with, none lost.
    expect(order).toEqual(range(200).flatMap((id) => [id, id]));
    const refused = range(200).filter((id) => bad(id));
    expect(refusals.map(({ index }) => index)).toEqual(refused);
    expect(summary).toMatchObject({ records: 200 - refused.length, refused: refused.length });
    for (const { index, key, error } of refusals) {
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(error.message).toContain(`of record ${index}`);
      const length = [undefined, 0, 1024, `m${index}`.length, `m${index}`.length, undefined][index % 7];
      expect(key?.length).toBe(length);
    }
    for (const id of [0, 6, 7, 196]) expect(text((await client.verifiedGet(`m${id}`))?.value)).toBe(`${id}`);
    expect(summary.resume.split('.')[1]).toBe('200');
    const rest = await all(client.ingest([...records, ['last', 'v']], { resume: summary.resume }));
    expect(rest.map(({ index }) => index)).toEqual([200]);
  });

  test('batches are ranges without what was refused, and their sources fit', async () => {
    const { client } = await openClient();
    const records = range(50).map((id) => (id % 7 === 1 ? bad(id)! : messages(id + 1)[id]!));
    const refused: number[] = [];
    const seen: number[] = [];
    const run = client.ingest(records, { onRefused: ({ index }) => void refused.push(index) });
    for await (const { first, last, count, sources, tx } of run.batches()) {
      expect(last - first + 1).toBe(count);
      expect(sources!.map((source) => source!.id)).toEqual(range(count, first));
      expect(text((await client.verifiedGet(`m${last}`, { atTx: tx }))?.value)).toBe(`${last}`);
      seen.push(...range(count, first));
    }
    expect([...seen, ...refused].sort((a, b) => a - b)).toEqual(range(50));
    expect(refused).toEqual(range(50).filter((id) => id % 7 === 1));
  });

  test('a source of nothing else goes through, and its window is bounded', async () => {
    const { client } = await openClient();
    let taken = 0;
    let told = 0;
    function* source(): Generator<IngestRecord> {
      while (taken < 300) {
        taken++;
        yield ['', 'v'];
      }
    }
    const summary = await client
      .ingest(source(), {
        window: 8,
        onRefused: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          expect(taken).toBeLessThanOrEqual(++told + 8);
        },
      })
      .finished();
    expect(summary).toMatchObject({ records: 0, refused: 300 });
  });

  test('what it throws ends the ingestion with a token before that record; without it the record does', async () => {
    const { client } = await openClient();
    const records: IngestRecord[] = [
      ['a', '1'],
      ['', '2'],
      ['c', '3'],
    ];
    const onRefused = () => {
      throw new Error('no dead letters today');
    };
    const error = await rejection(client.ingest(records, { onRefused }).finished());
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', index: 1 });
    expect(error.message).toContain('onRefused failed: no dead letters today');
    expect((error as unknown as IngestError).resume.split('.')[1]).toBe('1');
    expect(await rejection(client.ingest(records).finished())).toMatchObject({
      code: 'INVALID_ARGUMENT',
      index: 1,
    });
    // What is no record at all is a defect, and so is a source that fails.
    for (const record of [null, 5])
      expect(
        await rejection(
          client.ingest([['a', '1'], record as never], { onRefused: () => undefined }).finished(),
        ),
      ).toMatchObject({ code: 'INVALID_ARGUMENT', index: 1 });
  });
});

describeReal('a database with limits of its own', () => {
  test.for([false, true])('hands over what it does not take, each in its place, once: %s', async (once) => {
    const database = await freshDatabase(undefined, { maxKeyLen: 32, maxValueLen: 64, maxTxEntries: 20 });
    const { client } = await openClient({ database });
    const records = range(150).map((id): IngestRecord<number> => {
      if (id % 50 === 7) return { key: `${id}`.padEnd(40, 'x'), value: 'v', source: id };
      if (id % 50 === 8) return { key: `k${id}`, value: 'v'.repeat(100), source: id };
      return { key: `k${id}`, value: `${id}`, source: id };
    });
    const order: number[] = [];
    const refusals: IngestRefusal<number>[] = [];
    const summary = await client
      .ingest(records, {
        once,
        onProven: (receipts) => receipts.forEach(({ source }) => order.push(source!)),
        onRefused: (refusal) => {
          refusals.push(refusal);
          order.push(refusal.source!);
        },
      })
      .finished();
    expect(order).toEqual(range(150));
    expect(summary).toMatchObject({ records: 144, refused: 6, wasThere: 0 });
    expect(refusals.map(({ index }) => index)).toEqual([7, 8, 57, 58, 107, 108]);
    for (const { error } of refusals) expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(text(refusals[0]!.key)).toBe('7'.padEnd(40, 'x'));
    expect(text((await client.verifiedGet('k149'))?.value)).toBe('149');
    expect(await rejection(client.ingest(records, { once }).finished())).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      index: 7,
    });
  });
});

describeReal('what may go well another time, and what the user may not do', () => {
  test('ends the ingestion and is never handed over', async () => {
    const database = await freshDatabase();
    const wire = await openWire(database);
    const user = `r${database}`;
    const asked = { user: Buffer.from(user), password: Buffer.from('Passw0rd!'), permission: 1, database };
    await wire.call('CreateUser', asked);
    const { client } = await openClient({ database, credentials: { user, password: 'Passw0rd!', database } });
    const refused: number[] = [];
    const onRefused = ({ index }: IngestRefusal) => void refused.push(index);
    for (const once of [false, true])
      expect(await rejection(client.ingest([['a', '1']], { once, onRefused }).finished())).toMatchObject({
        code: 'PERMISSION_DENIED',
        index: 0,
      });
    const late = client.ingest(messages(5), { once: true, timeoutMs: 1, onRefused });
    expect((await rejection(late.finished())).code).toMatch(
      /DEADLINE_EXCEEDED|PERMISSION_DENIED|OUTCOME_UNKNOWN/,
    );
    expect(refused).toEqual([]);
  });
});
