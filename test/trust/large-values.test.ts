// Values that do not fit into one answer together, and what they teach about the sizes of groups.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';

interface Place {
  readonly address: string;
  readonly database: string;
}

function largeValues(place: () => Promise<Place>): void {
  async function open(usual: number): Promise<(maxMessageBytes?: number) => ImmuClient> {
    const { address, database } = await place();
    const credentials = { user: 'immudb', password: 'immudb', database };
    return (maxMessageBytes = usual) => {
      const client = new ImmuClient({
        ...{ address, credentials, maxMessageBytes, store: new MemoryRootStore(), verifier: { threads: 0 } },
      });
      onTestFinished(() => client.close().catch(() => undefined));
      return client;
    };
  }
  const value = (kib: number, fill: number) => new Uint8Array(kib * 1024).fill(fill);

  test('three of them, each of which fits alone, are read by one call: at the first time', async () => {
    const make = await open(70 * 1024);
    const keys = ['one', 'two', 'three'];
    const writer = make();
    for (const [i, key] of keys.entries()) await writer.verifiedSet(key, value(30, i));
    const wanted = keys.map((_, i) => i);
    expect((await make().getAll(keys)).map((entry) => entry?.value[0])).toEqual(wanted);
    expect((await make().verifiedGetAll(keys)).map((entry) => entry?.value[0])).toEqual(wanted);
    // And by calls that share their requests.
    const apart = make();
    const each = await Promise.all(keys.map((key) => apart.verifiedGet(key)));
    expect(each.map((entry) => entry?.value[0])).toEqual(wanted);
    const plain = make();
    expect((await Promise.all(keys.map((key) => plain.get(key)))).map((entry) => entry?.value[0])).toEqual(
      wanted,
    );
    // One that never fits is the call's failure.
    await make(200 * 1024).verifiedSet('four', value(90, 3));
    await expect(make().getAll(['one', 'four'])).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('do not end the grouping of reads for the life of a client', async () => {
    const client = (await open(64 * 1024 * 1024))();
    const small = Array.from({ length: 200 }, (_, i) => `small ${i}`);
    await client.verifiedSetAll(small.map((key) => [key, 'v'] as const));
    await client.verifiedSet('large 1', value(5000, 1));
    await client.verifiedSet('large 2', value(5000, 2));
    expect(await client.getAll(['large 1', 'large 2'])).toHaveLength(2);
    const sent = () => {
      const { reads } = client.diagnostics.groups[client.databaseName]!;
      return reads.groups + reads.alone;
    };
    const rounds: number[] = [];
    for (let round = 0; round < 6; round++) {
      const before = sent();
      await Promise.all(small.map((key) => client.get(key)));
      rounds.push(sent() - before);
    }
    // As many requests as a client needs that never saw a large value.
    expect(rounds[0]).toBeLessThan(100);
    expect(rounds.at(-1)).toBeLessThanOrEqual(4);
  });
}

describe('on the embedded ledger', () => {
  let ledger: EmbeddedLedger;
  let count = 0;
  beforeAll(async () => {
    ledger = await EmbeddedLedger.start();
  });
  afterAll(async () => {
    await ledger[Symbol.asyncDispose]();
  });
  largeValues(async () => {
    const database = `large${count++}`;
    await using client = new ImmuClient({
      ...{ address: ledger.address, store: new MemoryRootStore() },
      credentials: { user: 'immudb', password: 'immudb' },
    });
    await client.createDatabase(database);
    return { address: ledger.address, database };
  });
});

describeServer('on an immudb', () => {
  largeValues(async () => ({ address: sharedImmudb(), database: await freshDatabase() }));
});
