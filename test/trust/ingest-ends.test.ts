// How an ingestion ends whose source is quiet, or does not let go: at once, and with a token to go on with.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, IngestError, MemoryRootStore } from '#dist/index.js';
import type { ImmuClientOptions, IngestReceipt, IngestRecord } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { rejection } from './support.js';

let ledger: EmbeddedLedger;
beforeAll(async () => {
  ledger = await EmbeddedLedger.start();
});
afterAll(async () => {
  await ledger[Symbol.asyncDispose]();
});

function open(options: ImmuClientOptions = {}): ImmuClient {
  const credentials = { user: 'immudb', password: 'immudb' };
  const client = new ImmuClient({
    ...{ address: ledger.address, credentials, store: new MemoryRootStore(), verifier: { threads: 0 } },
    ...options,
  });
  onTestFinished(() => client.close().catch(() => undefined));
  return client;
}

const never = new Promise<never>(() => undefined);

/** Two records, and then nothing for ever. */
async function* quiet(): AsyncGenerator<IngestRecord> {
  yield ['a', '1'];
  yield ['b', '2'];
  await never;
}

const RECORDS: IngestRecord[] = [['a', '1'], ['b', '2'], ['c', '3']]; // prettier-ignore

/** Takes all receipts there are; `onSecond` is told when the source has fallen quiet. */
async function ingestQuiet(
  client: ImmuClient,
  onSecond: () => void,
  signal?: AbortSignal,
): Promise<IngestReceipt[]> {
  const receipts: IngestReceipt[] = [];
  for await (const receipt of client.ingest(quiet(), signal ? { signal } : {})) {
    receipts.push(receipt);
    if (receipts.length === 2) setImmediate(onSecond);
  }
  return receipts;
}

test('break leaves a quiet source at once', async () => {
  const client = open();
  let seen = 0;
  for await (const { proven } of client.ingest(quiet())) {
    expect(proven).toBe(true);
    if (++seen === 2) break;
  }
  expect(seen).toBe(2);
  expect(client.diagnostics.queued.calls).toBe(0);
});

test('an abort ends it with ABORTED, and a token that goes on behind what is proven', async () => {
  const client = open();
  const controller = new AbortController();
  const work = ingestQuiet(client, () => controller.abort(new Error('enough')), controller.signal);
  const error = (await rejection(work)) as unknown as IngestError;
  expect(error).toBeInstanceOf(IngestError);
  expect(error).toMatchObject({ code: 'ABORTED', index: 2 });
  expect((error.cause as Error).cause).toEqual(new Error('enough'));
  expect(error.stack).toContain('ingest-ends.test.ts');
  const rest: number[] = [];
  for await (const { index } of client.ingest(RECORDS, { resume: error.resume })) rest.push(index);
  expect(rest).toEqual([2]);
});

test('close() ends it with CLOSED, and a token that another client goes on with', async () => {
  const store = new MemoryRootStore();
  const client = open({ store });
  let closed: Promise<void> | undefined;
  const error = (await rejection(
    ingestQuiet(client, () => {
      closed = client.close();
    }),
  )) as unknown as IngestError;
  await closed;
  expect(error).toBeInstanceOf(IngestError);
  expect(error).toMatchObject({ code: 'CLOSED', index: 2 });
  const rest: number[] = [];
  for await (const { index } of open({ store }).ingest(RECORDS, { resume: error.resume })) rest.push(index);
  expect(rest).toEqual([2]);
});

test('a source that was never heard of has a token too', async () => {
  const client = open();
  const signal = AbortSignal.abort();
  const run = async (options: object) => {
    for await (const { index } of client.ingest(RECORDS, options)) expect(index).toBeGreaterThanOrEqual(0);
  };
  const error = (await rejection(run({ signal }))) as unknown as IngestError;
  expect(error).toMatchObject({ code: 'ABORTED', index: 0 });
  await run({ resume: error.resume });
  const silent = open();
  await silent.close();
  expect(await rejection((async () => {
    for await (const { index } of silent.ingest(RECORDS)) expect(index).toBe(-1);
  })())).toMatchObject({ code: 'CLOSED', index: 0, resume: error.resume }); // prettier-ignore
});

test.for(['its next()', 'its return()', 'both'])(
  'a source that never answers %s holds nobody up',
  async (what) => {
    const client = open();
    let asked = 0;
    let left = 0;
    const source: AsyncIterable<IngestRecord> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          ++asked > 2 && what !== 'its return()'
            ? never
            : Promise.resolve({ done: false, value: [`k${asked}`, 'v'] }),
        return: () => {
          left += 1;
          return what === 'its next()' ? Promise.reject(new Error('not now')) : never;
        },
      }),
    };
    let seen = 0;
    for await (const { index } of client.ingest(source, { window: 2 })) {
      expect(index).toBe(seen);
      if (++seen === 2) break;
    }
    expect(left).toBe(1);
  },
);

test.for([
  [
    'next()',
    () => ({
      [Symbol.iterator]: () => ({
        next: () => {
          throw new RangeError('broke');
        },
      }),
    }),
  ],
  [
    'the iterator',
    () => ({
      [Symbol.iterator]: () => {
        throw new RangeError('broke');
      },
    }),
  ],
  [
    'a promise',
    () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new RangeError('broke')) }) }),
  ],
  ['no step', () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(7) }) })],
] as const)('what a source throws is told: %s', async ([, source]) => {
  // prettier-ignore
  const client = open();
  const run = (async () => {
    for await (const { index } of client.ingest(source() as never)) expect(index).toBe(-1);
  })();
  const error = (await rejection(run)) as unknown as IngestError;
  expect(error).toBeInstanceOf(IngestError);
  expect(error).toMatchObject({ code: 'SOURCE_FAILED', index: 0 });
  expect(error.resume).toMatch(/^immu-ingest-1\.0\./);
});

test.for([false, true])(
  'never takes all the room there is, and waits for it rather than to fail, once: %s',
  async (once) => {
    const client = open({ maxQueuedCalls: 8, overload: 'fail' });
    await client.verifiedSet('first', 'v');
    const many = Array.from({ length: 200 }, (_, i) => [`m${i}`, 'v'] as const);
    let most = 0;
    let count = 0;
    // Some of them are there already.
    if (once) for (const i of [0, 7, 100, 101, 150]) await client.verifiedSet(`m${i}`, 'v');
    for await (const { index } of client.ingest(
      once ? many.map(([key, value]) => ({ key, value, redelivered: true })) : many,
      { once },
    )) {
      most = Math.max(most, client.diagnostics.queued.calls);
      expect(index).toBe(count++);
      // Beside it there is room for others.
      if (index % 50 === 0) expect(await client.verifiedGet('first')).not.toBeNull();
    }
    expect(count).toBe(200);
    expect(most).toBeLessThanOrEqual(4);
  },
);
