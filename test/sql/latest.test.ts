// Rows and documents that are proven to be the latest, or not to be there, by the follower.
import { expect, it } from 'vitest';
import { VerificationError } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { insertOne, openPeople } from '../documents/support.js';
import { openWire, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import { describeSql, openOrders } from './support.js';

const DOCUMENTS = { service: 'immudb.model.DocumentService' } as const;

describeSql('a row that is proven to be the latest', () => {
  it('is so as of a followed head; or is not there, and why', async () => {
    const { client, database } = await openOrders();
    const { sql } = client;
    await sql.exec('INSERT INTO orders (total) VALUES (1), (2), (3)');
    expect((await rejection(sql.verifiedGet('orders', 1n, { latest: true }))).code).toBe('NOT_PROVABLE');
    await client.follow();
    const wire = await openWire(database);
    await wire.call('SQLExec', { sql: 'UPDATE orders SET total = 20 WHERE id = 2' });
    await wire.call('SQLExec', { sql: 'DELETE FROM orders WHERE id = 3' });
    const { txs } = await sql.verifiedExec('UPDATE orders SET total = 10 WHERE id = 1');
    const tx = txs[0]!.tx;
    const row = await sql.verifiedGet('orders', 1n, { latest: true });
    expect(row).toMatchObject({
      ...{ table: 'orders', tableId: 1, tx, values: { id: 1n, total: 10n }, deleted: false, revision: 2n },
      ...{ catalog: 'followed', catalogTx: 1n },
    });
    expect(row.provenLatestAt.tx).toBeGreaterThanOrEqual(tx);
    expect(row.absent === undefined && row.timestamp > 0n).toBe(true);
    expect(await sql.verifiedGet('orders', 2n, { latest: true })).toMatchObject({ values: { total: 20n } });
    const gone = await sql.verifiedGet('orders', 3n, { latest: true });
    expect(gone).toMatchObject({ values: null, absent: 'deleted', tx: tx - 1n, tableId: 1 });
    expect(gone.provenLatestAt.tx).toBeGreaterThanOrEqual(tx);
    expect(await sql.verifiedGet('orders', 99n, { latest: true })).toMatchObject({ absent: 'never-written' });
    // Deleted and inserted anew; and under another name of the table.
    await sql.exec('CREATE TABLE plain (id INTEGER, total INTEGER, PRIMARY KEY id)');
    await sql.exec('INSERT INTO plain (id, total) VALUES (3, 3)');
    await sql.exec('DELETE FROM plain WHERE id = 3');
    await sql.exec('INSERT INTO plain (id, total) VALUES (3, 33)');
    await sql.exec('ALTER TABLE plain RENAME TO sales');
    await sql.exec('ALTER TABLE orders RENAME TO plain');
    await client.verifiedState();
    expect(await sql.verifiedGet('sales', 3n, { latest: true })).toMatchObject({
      ...{ tableId: 2, values: { total: 33n }, revision: 3n },
    });
    expect(await sql.verifiedGet('plain', 3n, { latest: true })).toMatchObject({
      ...{ tableId: 1, absent: 'deleted' },
    });
    expect((await rejection(sql.verifiedGet('orders', 3n, { latest: true }))).code).toBe('NOT_FOUND');
    for (const [argument, options] of [
      ['latest', { latest: false }],
      ['options', { latest: true, atTx: 1n }],
      ['options', { latest: true, schema: 'claimed' }],
    ] as const)
      expect(await rejection(sql.verifiedGet('sales', 3n, options as never))).toMatchObject({ argument });
    expect((await rejection(sql.verifiedGet('sales', 'x', { latest: true }))).code).toBe('INVALID_ARGUMENT');
    // From the head on nothing is known of what was before.
    await client.follow({ from: 'head' });
    expect((await rejection(sql.verifiedGet('sales', 3n, { latest: true }))).code).toBe('NOT_PROVABLE');
  });
});

describeSql('a document that is proven to be the latest', () => {
  it('is so as of a followed head; or is not there, and why', async () => {
    const { client, database } = await openPeople();
    const { documents } = client;
    const ann = await insertOne(client, { name: 'Ann' });
    const bob = await insertOne(client, { name: 'Bob' });
    expect((await rejection(documents.verifiedGet('people', ann, { latest: true }))).code).toBe(
      'NOT_PROVABLE',
    );
    await client.follow();
    await documents.replace('people', { where: { name: 'Ann' } }, { name: 'Ann', age: 5 });
    await documents.delete('people', { where: { name: 'Bob' } });
    await client.verifiedState();
    const found = await documents.verifiedGet('people', ann, { latest: true });
    expect(found).toMatchObject({ document: { age: 5 }, revision: 2n, collection: { level: 'followed' } });
    expect(found.provenLatestAt.tx).toBeGreaterThanOrEqual(found.tx!);
    expect(await documents.verifiedGet('people', bob, { latest: true })).toMatchObject({
      ...{ id: bob, document: null, absent: 'deleted', collection: { name: 'people', id: 1 } },
    });
    expect(await documents.verifiedGet('people', 'ab'.repeat(16), { latest: true })).toMatchObject({
      absent: 'never-written',
    });
    const wire = await openWire(database);
    await wire.call('DeleteCollection', { name: 'people' }, DOCUMENTS);
    await client.verifiedState();
    expect((await rejection(documents.verifiedGet('people', ann, { latest: true }))).code).toBe('NOT_FOUND');
    expect(
      await rejection(documents.verifiedGet('people', ann, { latest: true, atTx: 1n } as never)),
    ).toMatchObject({ argument: 'options' });
  });
});

describeSql('of a server that lies', () => {
  const server = new LyingServer();

  it('nothing but what was followed is told', async () => {
    const { client } = await server.open();
    const { sql, documents } = client;
    await sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    await sql.exec('INSERT INTO orders (id, total) VALUES (1, 10)');
    await documents.createCollection('people');
    const { ids } = await documents.insert('people', { n: 1 });
    const following = await client.follow();
    await following.ready();
    server.lieOnLastBytes();
    const error = await rejection(sql.verifiedGet('orders', 1n, { latest: true }));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('sql.value');
    // Another document's proof, and none.
    for (const [lie, check] of [
      ['other', 'document.value'],
      ['none', 'latest.missing'],
    ] as const) {
      const method = methodDefinition('immudb.model.DocumentService', 'ProofDocument');
      server.proxy.intercept = async (passing) => {
        if (passing.method !== 'ProofDocument') return passing.forward();
        if (lie === 'none')
          throw Object.assign(new Error('document not found'), { code: 5, details: 'document not found' });
        // eslint-disable-next-line @typescript-eslint/no-explicit-any
        const answer = method.responseDeserialize(await passing.forward()) as any;
        answer.encodedDocument[answer.encodedDocument.length - 1] ^= 1;
        return method.responseSerialize(answer);
      };
      const refused = await rejection(documents.verifiedGet('people', ids[0]!, { latest: true }));
      expect(refused).toBeInstanceOf(VerificationError);
      expect(refused.evidence.check).toBe(check);
    }
  });
});
