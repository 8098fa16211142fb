// verifiedGet of documents: what is proven, by which catalog, and of which document.
import { expect, test } from 'vitest';
import { describeReal } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { insertOne, openPeople } from './support.js';

describeReal('a document that is proven', () => {
  test('has its content, its transaction and its collection', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await client.set('k', 'v');
    const ann = {
      name: 'Ann',
      age: 41,
      score: -2.5,
      active: true,
      address: { city: 'Graz' },
      more: [1, null],
    };
    const { tx, ids } = await documents.insert('people', [ann, { name: 'Bob' }, {}]);
    const id = ids[0] as string;
    const found = await documents.verifiedGet('people', id);
    expect(found).toMatchObject({
      id,
      document: { ...ann, _id: id },
      tx,
      collection: { name: 'people', id: 1, idField: '_id' },
      root: { tx: 3n },
    });
    expect(['proven', 'followed']).toContain(found?.collection.level);
    expect(found?.timestamp).toBeGreaterThan(1_600_000_000n);
    expect(await documents.verifiedGet('people', ids[2] as string)).toMatchObject({
      document: { _id: ids[2] },
    });
    expect(await documents.verifiedGet('people', 'ab'.repeat(16))).toBeNull();
    const { collection } = (await documents.verifiedGet('people', id, { catalog: 'followed' })) ?? {};
    expect(collection?.level).toBe('followed');
    expect((await documents.verifiedGet('people', id, { catalog: 'claimed' }))?.collection).toMatchObject({
      id: 1,
      level: 'claimed',
    });
    const pin = { collectionId: 1, idField: '_id' };
    expect((await documents.verifiedGet('people', id, { catalog: pin }))?.collection.level).toBe('pinned');
    const other = await rejection(
      documents.verifiedGet('people', id, { catalog: { ...pin, collectionId: 2 } }),
    );
    expect(other).toMatchObject({ code: 'VERIFICATION_FAILED', evidence: { check: 'document.collection' } });
  });

  test('is of the version that was asked for; a deletion is none', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const id = await insertOne(client, { name: 'Ann' });
    await documents.replace('people', { where: { _id: id } }, { name: 'Ann 2' });
    expect(await documents.verifiedGet('people', id)).toMatchObject({ tx: 3n, document: { name: 'Ann 2' } });
    expect(await documents.verifiedGet('people', id, { atTx: 2n })).toMatchObject({
      tx: 2n,
      document: { name: 'Ann' },
    });
    await documents.delete('people', { where: { _id: id } });
    expect(await documents.verifiedGet('people', id)).toBeNull();
    expect(await documents.verifiedGet('people', id, { atTx: 4n })).toBeNull();
    expect(await documents.verifiedGet('people', id, { atTx: 1n })).toBeNull();
    expect(await documents.verifiedGet('people', id, { atTx: 99n })).toBeNull();
    expect(await documents.verifiedGet('people', id, { atTx: 3n })).toMatchObject({
      document: { name: 'Ann 2' },
    });
  });

  test('of the same content in two collections is of its own', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await documents.createCollection('twins', { idField: 'id', fields: [{ name: 'name', type: 'STRING' }] });
    const one = await insertOne(client, { name: 'Same' });
    const two = await insertOne(client, { name: 'Same' }, 'twins');
    expect(await documents.verifiedGet('people', one)).toMatchObject({
      collection: { id: 1, idField: '_id' },
    });
    expect(await documents.verifiedGet('twins', two)).toMatchObject({
      collection: { id: 2, idField: 'id' },
      document: { name: 'Same', id: two },
    });
    expect(await documents.verifiedGet('twins', one)).toBeNull();
    expect(await documents.verifiedGet('people', two)).toBeNull();
  });

  test('keeps the name that its id field had when it was written', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const before = await insertOne(client, { name: 'Ann' });
    await documents.updateCollection('people', { idField: 'pid' });
    const after = await insertOne(client, { name: 'Eve', _id: 'ffff' });
    for (const catalog of ['proven', 'followed', 'claimed'] as const) {
      expect(await documents.verifiedGet('people', before, { catalog })).toMatchObject({
        document: { _id: before },
        collection: { idField: '_id' },
      });
      expect(await documents.verifiedGet('people', after, { catalog })).toMatchObject({
        document: { _id: 'ffff', pid: after },
        collection: { idField: 'pid' },
      });
    }
    const pin = { collectionId: 1, idField: ['pid', '_id'] };
    expect(await documents.verifiedGet('people', before, { catalog: pin })).toMatchObject({
      collection: { idField: '_id', level: 'pinned' },
    });
  });

  test('fits to fields that came and went', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const first = await insertOne(client, { name: 'Ann', email: 'ann@example.invalid' });
    await documents.addField('people', { name: 'email', type: 'STRING' });
    const second = await insertOne(client, { name: 'Di', email: 'di@example.invalid' });
    await documents.deleteIndex('people', ['name']);
    await documents.removeField('people', 'name');
    const third = await insertOne(client, { name: 'Cy', email: 'cy@example.invalid' });
    const { client: fresh } = await openClient({ database: client.databaseName });
    for (const by of [client, fresh])
      for (const id of [third, first, second])
        expect(await by.documents.verifiedGet('people', id)).toMatchObject({ id, document: { _id: id } });
  });

  test('a collection that was deleted and made anew has documents of its own', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const old = await insertOne(client, { name: 'Ann' });
    expect(await documents.verifiedGet('people', old)).toMatchObject({ collection: { id: 1 } });
    await documents.deleteCollection('people', { confirm: 'people' });
    expect(await rejection(documents.verifiedGet('people', old))).toMatchObject({ code: 'NOT_FOUND' });
    await documents.createCollection('people');
    const id = await insertOne(client, { name: 'Ann' });
    expect(await documents.verifiedGet('people', id)).toMatchObject({ collection: { id: 2 } });
    expect(await rejection(documents.verifiedGet('none', id))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('own writes are seen, many at a time', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => insertOne(client, { age: i })));
    const read = () => Promise.all(ids.map((id) => documents.verifiedGet('people', id)));
    expect((await read()).map((found) => found?.document['age'])).toEqual(ids.map((_, i) => i));
    for (const [i, id] of ids.entries()) {
      const [replaced] = await documents.replace('people', { where: { _id: id } }, { age: i + 100 });
      const { tx = 0n } = replaced ?? {};
      expect(await documents.verifiedGet('people', id, { atTx: tx })).toMatchObject({
        document: { age: i + 100 },
      });
      expect(await documents.verifiedGet('people', id)).toMatchObject({ document: { age: i + 100 } });
    }
  });
});
