// verifiedInsert, verifiedReplace, verifiedDelete, verifiedSearch and verifiedAudit on an honest server.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import { describeReal } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { all, insertOne, openPeople } from './support.js';

describeReal('verified writes of documents', () => {
  test('an insert is proven, of one and of many', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const odd = { minusZero: -0, nan: NaN, up: Infinity, ['__proto__']: 1, '': [{}] };
    const one = await documents.verifiedInsert('people', { name: 'Ann', age: 41, ...odd });
    expect(one).toMatchObject({
      tx: 2n,
      root: { tx: 2n },
      collection: { name: 'people', id: 1, idField: '_id' },
    });
    expect(one.ids).toHaveLength(1);
    expect(one.alh).toHaveLength(32);
    const few = await documents.verifiedInsert('people', [
      { name: 'a' },
      {},
      { name: 'c', deep: { x: [null] } },
    ]);
    expect(few).toMatchObject({ tx: 3n });
    const many = await documents.verifiedInsert(
      'people',
      Array.from({ length: 200 }, (_, i) => ({ age: i })),
    );
    expect(many).toMatchObject({ tx: 4n });
    expect(new Set(many.ids).size).toBe(200);
    expect(await documents.verifiedGet('people', many.ids[199] as string)).toMatchObject({
      document: { age: 199 },
    });
    expect(await documents.count('people')).toBe(204n);
    for (const catalog of ['claimed', 'followed', { collectionId: 1, idField: '_id' }] as const) {
      const list = Array.from({ length: 10 }, (_, i) => ({ age: i }));
      const { collection } = await documents.verifiedInsert('people', list, { catalog });
      expect(collection).toMatchObject({ id: 1, idField: '_id' });
      const { collection: replaced } = await documents.verifiedReplace(
        'people',
        { limit: 1 },
        {},
        { catalog },
      );
      expect(replaced).toMatchObject({ id: 1, level: collection.level });
    }
    expect(await rejection(documents.verifiedInsert('none', {}))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('by a user who may not export', async () => {
    const { client } = await openPeople();
    await client.createUser('writer1', 'Passw0rd!', 2, client.databaseName);
    const { client: writer } = await openClient({
      database: client.databaseName,
      credentials: { user: 'writer1', password: 'Passw0rd!', database: client.databaseName },
    });
    const { ids } = await writer.documents.verifiedInsert(
      'people',
      Array.from({ length: 20 }, (_, i) => ({ age: i })),
    );
    expect(await writer.documents.verifiedGet('people', ids[7] as string)).toMatchObject({
      document: { age: 7 },
    });
  });

  test('inserts in flight at the same time', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => documents.verifiedInsert('people', { age: i })),
    );
    expect(new Set(made.map(({ tx }) => tx)).size).toBe(12);
  });

  test('a replacement is proven, with what it takes out of indexes', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const { ids } = await documents.verifiedInsert('people', [
      { name: 'a', age: 1 },
      { name: 'a' },
      { name: 'b' },
    ]);
    const replaced = await documents.verifiedReplace('people', { where: { name: 'a' } }, { name: 'x', n: 1 });
    expect(replaced).toMatchObject({ ids: ids.slice(0, 2), tx: 3n, collection: { id: 1 } });
    expect(await documents.verifiedGet('people', ids[1] as string)).toMatchObject({
      tx: 3n,
      document: { name: 'x', n: 1, _id: ids[1] },
    });
    const own = await documents.verifiedReplace(
      'people',
      { where: { _id: ids[2] as string } },
      { _id: ids[2] as string, k: 1 },
    );
    expect(own).toMatchObject({ ids: [ids[2]], tx: 4n });
    expect(await documents.verifiedReplace('people', { where: { name: 'none' } }, {})).toMatchObject({
      ids: [],
    });
  });

  test('a deletion is proven, among the writes of others', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const { ids } = await documents.verifiedInsert('people', [{ name: 'a' }, { name: 'a' }, { name: 'b' }]);
    const [{ deleted, root }] = await Promise.all([
      documents.verifiedDelete('people', { where: { name: 'a' } }),
      client.set('k', 'v'),
      insertOne(client, { name: 'c' }),
    ]);
    expect(deleted.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort());
    expect(deleted[0]?.tx).toBeGreaterThan(2n);
    expect(root.tx).toBeGreaterThanOrEqual(deleted[0]?.tx ?? 99n);
    expect(await documents.verifiedGet('people', ids[0] as string)).toBeNull();
    expect(await documents.verifiedDelete('people', { where: { name: 'a' } })).toMatchObject({ deleted: [] });
    expect((await documents.verifiedDelete('people', {})).deleted).toHaveLength(2);
    expect(await documents.count('people')).toBe(0n);
  });
});

describeReal('verified reads of many documents', () => {
  test('a search gives what the plain one gives, proven', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await documents.insert(
      'people',
      Array.from({ length: 40 }, (_, i) => ({
        ...(i % 5 > 0 && { age: i % 7 }),
        name: `p${i}\n`,
        score: i % 3 === 0 ? NaN : i / 2,
        active: i % 2 === 0,
        address: { city: i % 4 === 0 ? 'Graz' : 'Wien' },
      })),
    );
    const ref = 'FFFFFFFF-0000-4000-8000-00000000ABCD';
    const { ids } = await documents.insert('people', [
      { ref, name: 'Ab%c' },
      { name: '' },
      { name: null, score: -0 },
    ]);
    const queries: NonNullable<Parameters<typeof documents.verifiedSearch>[1]>[] = [
      {},
      { pageSize: 7 },
      { pageSize: 7, limit: 10 },
      { where: { _id: ids[0] as string } },
      { where: { _id: { GT: ids[0] as string } } },
      { where: { 'address.city': 'Graz', active: true }, orderBy: { field: 'name' } },
      { where: { ref: ref.toLowerCase() } },
      { where: { ref: null }, pageSize: 10 },
      {
        where: { age: { GE: 2, LT: 5 } },
        orderBy: [{ field: 'age', desc: true }, { field: 'score' }],
        pageSize: 3,
      },
      { where: [{ age: null }, { age: { EQ: 6.7 } }] },
      { orderBy: { field: 'score' } },
      { orderBy: { field: '_id', desc: true } },
      ...(['EQ', 'NE', 'LT', 'LE', 'GT', 'GE'] as const).flatMap((operator) => [
        { where: { age: { [operator]: 3 } } },
        { where: { age: { [operator]: null } } },
        { where: { score: { [operator]: 5 } } },
        { where: { score: { [operator]: NaN } } },
        { where: { active: { [operator]: true } } },
        { where: { name: { [operator]: 'p3' } } },
      ]),
      ...['%', 'p%', 'p_', 'p_\n', '%c', '', 'Ab\\%c', 'a%', '%1%', '_b%c'].flatMap((pattern) => [
        { where: { name: { LIKE: pattern } } },
        { where: { name: { NOT_LIKE: pattern } } },
      ]),
    ];
    for (const query of queries) {
      const plain = await all(documents.search('people', query));
      const proven = await all(documents.verifiedSearch('people', query));
      expect([query, proven.map(({ id }) => id)]).toEqual([query, plain.map(({ id }) => id)]);
      expect(proven.map(({ document }) => ({ ...document }))).toEqual(
        plain.map(({ document }) => ({ ...document })),
      );
    }
    expect(await rejection(all(documents.verifiedSearch('people', { where: { nope: 1 } })))).toMatchObject({
      code: 'NOT_FOUND',
    });
    const many = await all(documents.verifiedSearch('people', { catalog: 'followed', limit: 1 }));
    expect(many[0]?.collection.level).toBe('followed');
  });

  test('what was changed since the search began is given as it is, if it still matches', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await documents.insert(
      'people',
      Array.from({ length: 30 }, (_, i) => ({ age: i, name: 'a' })),
    );
    const seen: unknown[] = [];
    const found = documents.verifiedSearch('people', {
      where: { name: 'a' },
      orderBy: { field: 'age' },
      pageSize: 5,
    });
    for await (const { document } of found) {
      if (seen.length === 0) {
        await documents.replace('people', { where: { age: 20 } }, { age: -20, name: 'a' });
        await documents.replace('people', { where: { age: 21 } }, { age: 21, name: 'b' });
        await documents.delete('people', { where: { age: 22 } });
      }
      seen.push(document['age']);
    }
    expect(seen).toEqual(
      Array.from({ length: 30 }, (_, i) => (i === 20 ? -20 : i)).filter((i) => i !== 21 && i !== 22),
    );
  });

  test('fields that were removed and added anew are other ones', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const { client: other } = await openClient({ database: client.databaseName });
    await documents.insert('people', { score: 1 });
    await documents.deleteIndex('people', ['age', 'score']);
    expect(await all(documents.verifiedSearch('people', { where: { score: 1 } }))).toHaveLength(1);
    await other.documents.removeField('people', 'score');
    await other.documents.addField('people', { name: 'score', type: 'STRING' });
    await other.documents.insert('people', { score: 'x' });
    expect(await all(documents.verifiedSearch('people', { where: { score: 'x' } }))).toHaveLength(1);
    expect(await all(documents.verifiedSearch('people', { where: { score: null } }))).toHaveLength(1);
  });

  test('an audit has every version, with who and when', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const { ids } = await documents.verifiedInsert('people', { name: 'v1' });
    const id = ids[0] as string;
    for (let i = 2; i < 9; i++) await documents.replace('people', { where: { _id: id } }, { name: `v${i}` });
    await documents.updateCollection('people', { idField: 'pid' });
    await documents.verifiedDelete('people', { where: { pid: id } });
    const versions = await all(documents.verifiedAudit('people', id, { pageSize: 3 }));
    expect(versions.map(({ document }) => document?.['name'])).toEqual([
      ...['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'],
      undefined,
    ]);
    expect(versions.map(({ unproven }) => unproven.revision)).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
    expect(versions[8]).toMatchObject({ deleted: true, user: 'immudb', collection: { idField: '_id' } });
    expect(versions[0]?.timestamp).toBeGreaterThan(1_600_000_000n);
    const newest = await all(
      documents.verifiedAudit('people', id, { desc: true, limit: 4, pageSize: 3, omitPayload: true }),
    );
    expect(newest.map(({ tx }) => tx)).toEqual(
      versions
        .slice(-4)
        .map(({ tx }) => tx)
        .reverse(),
    );
    expect(newest.every(({ document }) => document === undefined)).toBe(true);
    expect(await all(documents.verifiedAudit('people', 'ab'.repeat(16)))).toEqual([]);
  });

  test('options that mean nothing are refused before anything is sent', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const any = documents as unknown as Record<string, (...args: unknown[]) => unknown>;
    const call = async (name: string, ...args: unknown[]) => {
      const made = any[name]?.(...args);
      return made instanceof Promise ? (made as Promise<unknown>) : all(made as AsyncIterable<unknown>);
    };
    const bad: [unknown[], string][] = [
      [['verifiedGet', 'a b', 'ab'], 'collection'],
      [['verifiedGet', 'people', 'zz'], 'id'],
      [['verifiedGet', 'people', 'ab', { atTx: 0n }], 'atTx'],
      [['verifiedGet', 'people', 'ab', { atTx: 5 }], 'atTx'],
      [['verifiedGet', 'people', 'ab', { tx: 5n }], 'options'],
      [['verifiedGet', 'people', 'ab', { catalog: 'believed' }], 'catalog'],
      [['verifiedGet', 'people', 'ab', { catalog: { idField: '_id' } }], 'catalog.collectionId'],
      [
        ['verifiedGet', 'people', 'ab', { catalog: { collectionId: 0, idField: '_id' } }],
        'catalog.collectionId',
      ],
      [['verifiedGet', 'people', 'ab', { catalog: { collectionId: 1 } }], 'catalog.idField'],
      [['verifiedGet', 'people', 'ab', { catalog: { collectionId: 1, idField: [] } }], 'catalog.idField'],
      [['verifiedGet', 'people', 'ab', { catalog: { collectionId: 1, idField: 'a', x: 1 } }], 'catalog'],
      [['verifiedInsert', 'people', { a: undefined }], 'document.a'],
      [['verifiedInsert', 'people', {}, { catalog: 5 }], 'catalog'],
      [['verifiedReplace', 'people', {}, { a: 2n ** 70n }], 'document.a'],
      [['verifiedReplace', 'people', 5, {}], 'query'],
      [['verifiedDelete', 'people'], 'query'],
      [['verifiedDelete', 'people', {}, { catalog: 'claimed' }], 'catalog'],
      [['verifiedSearch', 'people', { catalog: 'claimed' }], 'catalog'],
      [['verifiedSearch', 'people', { where: { name: { LIKE: 'a\\b' } } }], 'where'],
      [['verifiedSearch', 'people', { pageSize: 0 }], 'pageSize'],
      [['verifiedSearch', 'people', { were: {} }], 'options'],
      [['verifiedSearch', 'people', 5], 'options'],
      [['verifiedAudit', 'people', 'ab', { catalog: 1 }], 'catalog'],
      [['verifiedAudit', 'people', 'ab', { pageSize: 2501 }], 'pageSize'],
      [['verifiedAudit', 'people', 'ab', null], 'options'],
    ];
    for (const [[name, ...args], argument] of bad) {
      const error = await rejection((async () => call(name as string, ...args))());
      expect([name, args, error instanceof ArgumentError, error.argument]).toEqual([
        name,
        args,
        true,
        argument,
      ]);
    }
    expect(await documents.count('people')).toBe(0n);
  });
});
