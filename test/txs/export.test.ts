// exportTx, exportTxs, replicateTx and verifiedExportTx: a database handed to a replica, tx by tx, and where that ends.
import { expect, test } from 'vitest';
import { describeReal } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { addDocument, all, everyKind, lines, replica, utf8 } from './support.js';

describeReal('exports', () => {
  test('a whole database goes to a replica, and has the same state there', async () => {
    const world = await everyKind();
    await addDocument(world);
    const { client } = world;
    const copy = await replica();
    for await (const exported of client.exportTxs()) {
      const taken = await copy.client.replicateTx(exported);
      expect(taken).toMatchObject({ tx: exported.tx, alh: exported.alh });
    }
    expect(await copy.client.verifiedState()).toMatchObject({ alh: (await client.verifiedState()).alh });
    expect(lines((await copy.client.verifiedTx(1n, { entries: 'raw' }))?.entries)).toEqual(['a=1', 'b=']);
  });

  test('all values are there, of what has expired and of documents too', async () => {
    const world = await everyKind();
    const document = await addDocument(world);
    const { client } = world;
    for (const read of [client.exportTx, client.verifiedExportTx].map((each) => each.bind(client))) {
      const expired = await read(6n);
      expect(lines(expired?.entries)).toEqual(['old=gone', 'kept=gone']);
      expect(expired?.valuesTruncated).toBe(false);
      expect(lines((await read(document))?.entries)).toEqual([expect.stringMatching(/^document \d\d+$/)]);
      expect((await read(1n))?.alh).toEqual((await client.txById(1n))?.alh);
    }
  });

  test('a value of several chunks', async () => {
    const { client } = await openClient();
    const value = Buffer.alloc(3_000_000, 'x');
    await client.verifiedSet('big', value);
    const { client: copy } = await replica();
    const exported = await client.verifiedExportTx(1n);
    expect(exported?.bytes.length).toBeGreaterThan(value.length);
    await copy.replicateTx(exported?.bytes as Uint8Array);
    expect(Buffer.from((await copy.verifiedGet('big'))?.value ?? []).equals(value)).toBe(true);
  });

  test('past the end there is null, and the run ends: nothing is thrown', async () => {
    const { client } = await everyKind();
    expect(await client.exportTx(8n)).toBeNull();
    expect(await client.verifiedExportTx(8n)).toBeNull();
    expect((await all(client.exportTxs({ from: 6n }))).map(({ tx }) => tx)).toEqual([6n, 7n]);
    expect((await all(client.exportTxs({ from: 2n, to: 3n }))).map(({ tx }) => tx)).toEqual([2n, 3n]);
    expect(await all(client.exportTxs({ from: 99n }))).toEqual([]);
  });

  test('what a replica, or a database that is none, does not take', async () => {
    const { client } = await everyKind();
    const { client: copy } = await replica();
    const [first, , third] = await all(client.exportTxs());
    await copy.replicateTx(first as never);
    expect(await rejection(copy.replicateTx(first as never))).toMatchObject({ code: 'CONFLICT' });
    expect(await rejection(client.replicateTx(first as never))).toMatchObject({
      code: 'SERVER_REFUSED',
      message: expect.stringMatching(/no replica/) as string,
    });
    expect(await rejection(copy.replicateTx(utf8('junk'), { timeoutMs: 2000 }))).toMatchObject({
      code: 'SERVER_REFUSED',
    });
    // It waits for the one between.
    expect(await rejection(copy.replicateTx(third as never, { timeoutMs: 700 }))).toMatchObject({
      code: expect.stringMatching(/^(DEADLINE_EXCEEDED|OUTCOME_UNKNOWN)$/) as string,
    });
    expect(await copy.txById(2n)).toBeNull();
  });
});
