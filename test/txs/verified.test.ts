// verifiedTx, verifiedTransactions, verifiedState: what is proven of transactions of every kind, and where that ends.
import { expect, test } from 'vitest';
import { describeServer } from '../support/real.js';
import { openClient, openWire, rowsOf } from '../trust/support.js';
import { HAS_ROWS, KINDS, addDocument, all, everyKind, grow, lines, utf8 } from './support.js';

describeServer('verifiedTx', () => {
  test.skipIf(!HAS_ROWS)('every kind of entry, with values where they are asked for and shown', async () => {
    const { client } = await everyKind();
    const raw = async (tx: bigint) => lines((await client.verifiedTx(tx, { entries: 'raw' }))?.entries);
    expect(lines((await client.verifiedTx(1n))?.entries)).toEqual(['a', 'b']);
    expect(await raw(KINDS.values)).toEqual(['a=1', 'b=']);
    expect(await raw(KINDS.reference)).toEqual(['ref -> a@0']);
    expect(await raw(KINDS.member)).toEqual(['set: -1.5 a@0']);
    expect(await raw(KINDS.deletion)).toEqual(['b deleted']);
    expect(await raw(KINDS.expired)).toEqual(['old withheld: expired', 'kept=gone']);
    expect((await raw(KINDS.table)).length).toBe(4);
  });

  test.skipIf(!HAS_ROWS)('documents: proven, their values withheld', async () => {
    const world = await everyKind();
    const tx = await addDocument(world);
    const found = await world.client.verifiedTx(tx, { entries: 'raw' });
    expect(lines(found?.entries)).toEqual(['document ? withheld: document']);
    expect(found?.metadata?.extra).toEqual(new Uint8Array(utf8('immudb')));
  });

  test.skipIf(!HAS_ROWS)('kinds filter what is shown; none shows the header', async () => {
    const { client } = await everyKind();
    expect((await client.verifiedTx(1n, { kinds: ['sql'] }))?.entries).toEqual([]);
    expect((await client.verifiedTx(4n, { entries: 'raw', kinds: ['sql'] }))?.entries).toHaveLength(4);
    expect(await client.verifiedTx(4n, { entries: 'none' })).toMatchObject({ entries: [], entryCount: 4 });
  });

  test('one above the head moves it; one that is not there is null; each is counted', async () => {
    const { client, wire, store, database } = await everyKind();
    const seen = await client.verifiedTx(3n);
    await wire.call('Set', { KVs: [{ key: utf8('late'), value: utf8('v') }] });
    const late = await client.verifiedTx(8n);
    expect([seen?.root.tx, late?.root.tx]).toEqual([7n, 8n]);
    expect(await client.verifiedTx(9n)).toBeNull();
    expect(await client.verifiedTx(3n)).toMatchObject({ alh: seen?.alh, root: { tx: 8n } });
    await client.close();
    const calls = (await rowsOf(store, { database })).filter(({ operation }) => operation === 'verifiedTx');
    expect(calls.reduce((sum, { calls: each }) => sum + each, 0)).toBe(3);
  });

  test('in an empty database there is none', async () => {
    const { client } = await openClient();
    expect(await client.verifiedTx(1n)).toBeNull();
    await client.verifiedSet('a', '1');
    expect(lines((await client.verifiedTx(1n, { entries: 'raw' }))?.entries)).toEqual(['a=1']);
  });
});

describeServer('verifiedTransactions', () => {
  test('the same as verifiedTx one by one, in both orders', async () => {
    const world = await everyKind();
    await addDocument(world);
    const { client } = world;
    const up = await all(client.verifiedTransactions({ entries: 'raw' }));
    const alone = [];
    for (const { tx } of up) alone.push(await client.verifiedTx(tx, { entries: 'raw' }));
    expect(up).toEqual(alone);
    expect(up.length).toBe(9);
    const down = await all(client.verifiedTransactions({ entries: 'raw', desc: true }));
    expect(down.reverse()).toEqual(up);
    const some = await all(client.verifiedTransactions({ from: 3n, to: 4n, kinds: ['sql'] }));
    expect(some.map(({ tx, entries }) => [tx, entries.length])).toEqual([
      [3n, 0],
      [4n, HAS_ROWS ? 4 : 0],
    ]);
  });

  test('many pages, and what is written meanwhile', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    await grow(wire, 150);
    const ids: bigint[] = [];
    for await (const { tx } of client.verifiedTransactions()) {
      ids.push(tx);
      if (tx === 150n) await grow(wire, 1);
    }
    expect(ids).toEqual(Array.from({ length: 151 }, (_, i) => BigInt(i + 1)));
    expect((await all(client.verifiedTransactions({ desc: true, from: 999n, to: 140n }))).length).toBe(12);
  });

  test('an empty database has none', async () => {
    const { client } = await openClient();
    expect(await all(client.verifiedTransactions())).toEqual([]);
    expect(await all(client.verifiedTransactions({ desc: true }))).toEqual([]);
  });
});

describeServer('verifiedState', () => {
  test('is the newest, and the head; in an empty database too', async () => {
    const { client, database } = await openClient();
    const wire = await openWire(database);
    expect(await client.verifiedState()).toMatchObject({ database, tx: 0n, signed: false, root: { tx: 0n } });
    for (const key of ['a', 'b']) {
      await wire.call('Set', { KVs: [{ key: utf8(key), value: utf8('v') }] });
      const state = await client.verifiedState();
      const word = await client.currentState();
      expect(state).toMatchObject({ tx: word.tx, alh: word.alh, root: { tx: word.tx, alh: word.alh } });
    }
    expect(await client.verifiedState()).toMatchObject({ tx: 2n });
  });
});
