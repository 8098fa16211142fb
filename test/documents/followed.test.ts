// The catalog of documents where the database is followed: what the follower has seen is what collections are known by.
import { expect, test } from 'vitest';
import { describeReal } from '../support/real.js';
import { openClient, openWire, rejection } from '../trust/support.js';
import { insertOne, openPeople } from './support.js';

const DOCUMENTS = { service: 'immudb.model.DocumentService' } as const;

describeReal('documents of a followed database', () => {
  test('are in a collection that is followed: renamed, deleted and made anew behind the client', async () => {
    const { client, database } = await openPeople();
    const following = await client.follow();
    const id = await insertOne(client, { name: 'Ann', age: 41 });
    const found = await client.documents.verifiedGet('people', id);
    expect(found?.collection).toMatchObject({ id: 1, idField: '_id', level: 'followed' });
    const wire = await openWire(database);
    await wire.call('UpdateCollection', { name: 'people', documentIdFieldName: 'pid' }, DOCUMENTS);
    const after = await client.documents.insert('people', { name: 'Bob' });
    expect((await client.documents.verifiedGet('people', after.ids[0]!))?.collection).toMatchObject({
      idField: 'pid',
      level: 'followed',
    });
    // As it was when the document was written.
    expect((await client.documents.verifiedGet('people', id))?.collection.idField).toBe('_id');
    await wire.call('DeleteCollection', { name: 'people' }, DOCUMENTS);
    await client.documents.createCollection('people', { fields: [{ name: 'name', type: 'STRING' }] });
    const anew = await insertOne(client, { name: 'Cid' });
    expect((await client.documents.verifiedGet('people', anew))?.collection).toMatchObject({
      id: 2,
      level: 'followed',
    });
    // Followed no more: known by what is proven, as before.
    await following.stop();
    expect((await client.documents.verifiedGet('people', anew))?.collection.id).toBe(2);
  });

  test('are found, and are not, in what the follower has seen', async () => {
    const { client } = await openClient();
    await client.documents.createCollection('people', { fields: [{ name: 'name', type: 'STRING' }] });
    await client.follow();
    const { ids } = await client.documents.verifiedInsert('people', [{ name: 'Ann' }, { name: 'Bob' }]);
    const hits = [];
    for await (const hit of client.documents.verifiedSearch('people', { where: { name: 'Bob' } }))
      hits.push(hit);
    expect(hits).toMatchObject([{ id: ids[1], collection: { level: 'followed' } }]);
    expect((await rejection(client.documents.verifiedGet('nobody', ids[0]!))).code).toBe('NOT_FOUND');
  });
});
