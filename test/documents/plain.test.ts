// Documents by the server's word: what is stored is what was given, and what is found is what was asked for.
import { expect, test } from 'vitest';
import { ArgumentError } from '#dist/index.js';
import type { DocumentInput } from '#dist/index.js';
import { describeReal } from '../support/real.js';
import { openClient, openWire, rejection } from '../trust/support.js';
import { PEOPLE, all, insertOne, openPeople } from './support.js';

const NESTED = {
  name: 'Ann Ünïcode 🎉',
  age: 41,
  score: -2.5,
  active: true,
  address: { city: 'Zürich', zip: [8001, '8001', null, { deep: [] }] },
  nothing: null,
  '': 'no name',
  empty: {},
  list: [],
  t: [[1], [2, {}]],
  exact: 9007199254740991,
  huge: 1e300,
  tiny: 5e-324,
};

describeReal('documents', () => {
  test('are given back as they were stored', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const odd: DocumentInput = {
      minusZero: -0,
      nan: NaN,
      up: Infinity,
      down: -Infinity,
      ['__proto__']: { x: 1 },
    };
    const { tx, ids } = await documents.insert('people', [NESTED, odd, {}]);
    expect(tx).toBe(2n);
    expect(ids).toHaveLength(3);
    const found = await all(documents.search('people'));
    expect(found.map(({ id }) => id)).toEqual(ids);
    expect(found[0]?.document).toEqual({ ...NESTED, _id: ids[0] });
    const [, second] = found;
    expect(second && { ...second.document }).toMatchObject({ nan: NaN, up: Infinity, down: -Infinity });
    expect(Object.is(second?.document['minusZero'], -0)).toBe(true);
    expect(Object.hasOwn(second?.document ?? {}, '__proto__')).toBe(true);
    expect(found[2]?.document).toEqual({ _id: ids[2] });
    // A second opinion on what the server has.
    const wire = await openWire(client.databaseName);
    const { revisions } = await wire.call(
      'SearchDocuments',
      { query: { collectionName: 'people' }, page: 1, pageSize: 9 },
      { service: 'immudb.model.DocumentService' },
    );
    expect(revisions[0].document.fields.exact.numberValue).toBe(9007199254740991);
  });

  test('bigints that a double has are numbers', async () => {
    const { client } = await openPeople();
    await client.documents.insert('people', { age: 41n, n: -9007199254740991n });
    expect((await all(client.documents.search('people')))[0]?.document).toMatchObject({
      age: 41,
      n: -9007199254740991,
    });
  });

  test('are found by their fields', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await documents.insert('people', [
      { name: 'Ada', age: 36, address: { city: 'London' } },
      { name: 'Alan', age: 41, score: 1.5, active: true },
      { name: 'Bob' },
    ]);
    const names = async (where: Parameters<typeof documents.search>[1]) =>
      (await all(documents.search('people', where))).map(({ document }) => document['name']);
    expect(await names({ where: { age: { GE: 36, LT: 41 } } })).toEqual(['Ada']);
    expect(await names({ where: { name: 'Alan', active: true } })).toEqual(['Alan']);
    expect(await names({ where: [{ name: 'Ada' }, { name: { LIKE: 'B%' } }] })).toEqual(['Ada', 'Bob']);
    expect(await names({ where: { 'address.city': 'London' } })).toEqual(['Ada']);
    expect(await names({ where: { age: null } })).toEqual(['Bob']);
    expect(await names({ orderBy: { field: 'name', desc: true } })).toEqual(['Bob', 'Alan', 'Ada']);
    expect(await names({ orderBy: [{ field: 'age' }, { field: 'name' }], limit: 2 })).toEqual(['Bob', 'Ada']);
    expect(await documents.count('people')).toBe(3n);
    expect(await documents.count('people', { where: { name: { NE: 'Ada' } } })).toBe(2n);
    expect(await rejection(all(documents.search('people', { where: { nope: 1 } })))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('pages of a search are of one moment, and end when the caller does', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    await documents.insert(
      'people',
      Array.from({ length: 25 }, (_, i) => ({ name: `p${i}`, age: i })),
    );
    const seen: unknown[] = [];
    for await (const { document } of documents.search('people', { pageSize: 4, orderBy: { field: 'age' } })) {
      if (seen.length === 5) await documents.insert('people', { age: -1 });
      seen.push(document['age']);
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(await all(documents.search('people', { pageSize: 7, limit: 10 }))).toHaveLength(10);
    for await (const { id } of documents.search('people', { pageSize: 2 })) {
      expect(id).toHaveLength(32);
      break;
    }
  });

  // What makes it safe to send such a question again.
  test('a page of an open search is the same when it is asked for again', async () => {
    const { client } = await openPeople();
    await client.documents.insert(
      'people',
      Array.from({ length: 9 }, (_, i) => ({ age: i })),
    );
    const wire = await openWire(client.databaseName);
    const ask = (page: number, searchId?: string) => {
      const of = searchId === undefined ? { query: { collectionName: 'people' } } : { searchId };
      const request = { ...of, page, pageSize: 2, keepOpen: true };
      return wire.call('SearchDocuments', request, { service: 'immudb.model.DocumentService' });
    };
    const { searchId } = await ask(1);
    const pages = [
      await ask(2, searchId),
      await ask(2, searchId),
      await ask(3, searchId),
      await ask(3, searchId),
    ];
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[3]).toEqual(pages[2]);
    expect(pages[2]).not.toEqual(pages[0]);
  });

  test('a page that does not fit into a message is asked for in smaller ones', async () => {
    const { client } = await openPeople({ maxMessageBytes: 1 << 20 });
    const { documents } = client;
    const large = 'x'.repeat(150_000);
    for (let i = 0; i < 12; i++) await documents.insert('people', { age: i, large });
    const found = await all(documents.search('people', { orderBy: { field: 'age' } }));
    expect(found.map(({ document }) => document['age'])).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  test('are replaced and deleted, and their versions stay', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const id = await insertOne(client, { name: 'Ann' });
    const other = await insertOne(client, { name: 'Bob' });
    const replaced = await documents.replace('people', { where: { name: 'Ann' } }, { name: 'Ann 2' });
    expect(replaced).toEqual([{ id, tx: 4n, revision: 2n }]);
    expect(await documents.replace('people', { where: { name: 'nobody' } }, {})).toEqual([]);
    await documents.delete('people', { where: { _id: id } });
    expect((await all(documents.search('people'))).map((found) => found.id)).toEqual([other]);
    const versions = await all(documents.audit('people', id));
    expect(versions).toMatchObject([
      { tx: 2n, revision: 1n, deleted: false, document: { name: 'Ann', _id: id } },
      { tx: 4n, revision: 2n, deleted: false, document: { name: 'Ann 2' } },
      { tx: 5n, revision: 3n, deleted: true },
    ]);
    expect(versions[0]?.user).toBe('immudb');
    expect(versions[0]?.timestamp).toBeGreaterThan(1_600_000_000n);
    const newest = await all(documents.audit('people', id, { desc: true, pageSize: 2, omitPayload: true }));
    expect(newest.map(({ tx }) => tx)).toEqual([5n, 4n, 2n]);
    expect(newest.every(({ document }) => document === undefined)).toBe(true);
    expect((await all(documents.audit('people', id, { limit: 1 }))).map(({ tx }) => tx)).toEqual([2n]);
    expect(await all(documents.audit('people', 'ab'.repeat(16)))).toEqual([]);
  });

  test('collections, fields and indexes are made, shown and deleted', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    expect(await documents.collection('people')).toEqual({
      name: 'people',
      idField: '_id',
      fields: PEOPLE.fields,
      indexes: PEOPLE.indexes.map(({ fields }) => ({ fields, unique: false })),
    });
    await documents.createCollection('Twins', { idField: 'id' });
    expect((await documents.collections()).map(({ name }) => name).sort()).toEqual(['Twins', 'people']);
    await documents.addField('Twins', { name: 'k', type: 'UUID' });
    await documents.createIndex('Twins', { fields: ['k'], unique: true });
    await documents.updateCollection('Twins', { idField: 'pid' });
    expect(await documents.collection('Twins')).toMatchObject({
      idField: 'pid',
      fields: [{ name: 'k', type: 'UUID' }],
      indexes: [{ fields: ['k'], unique: true }],
    });
    expect(await rejection(documents.removeField('Twins', 'k'))).toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await documents.deleteIndex('Twins', ['k']);
    await documents.removeField('Twins', 'k');
    expect(await rejection(documents.createCollection('Twins'))).toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    await documents.deleteCollection('Twins', { confirm: 'Twins' });
    expect(await rejection(documents.collection('Twins'))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(documents.insert('Twins', {}))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await rejection(documents.addField('people', { name: 'age', type: 'STRING' }))).toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect(await rejection(documents.deleteIndex('people', ['score']))).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a unique index is a conflict that says so', async () => {
    const { client } = await openClient();
    const { documents } = client;
    const indexes = [{ fields: ['k'], unique: true }];
    await documents.createCollection('uniq', { fields: [{ name: 'k', type: 'INTEGER' }], indexes });
    await documents.insert('uniq', { k: 1 });
    expect(await rejection(documents.insert('uniq', { k: 1 }))).toMatchObject({ code: 'CONFLICT' });
    expect(await documents.count('uniq')).toBe(1n);
  });

  test('of one database and another are apart', async () => {
    const { client } = await openPeople();
    const { client: other } = await openClient();
    expect(await rejection(all(other.documents.search('people')))).toMatchObject({ code: 'NOT_FOUND' });
    await client.documents.insert('people', { name: 'x' });
    const handle = other.database(client.databaseName);
    expect(await handle.documents.count('people')).toBe(1n);
  });
});

describeReal('what cannot be a document', () => {
  test('is an error that names the place, and nothing is sent', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const cyclic: Record<string, unknown> = { a: {} };
    (cyclic['a'] as Record<string, unknown>)['b'] = cyclic;
    let deep: unknown = 1;
    for (let i = 0; i < 120; i++) deep = { deep };
    const endless = new Proxy([] as unknown[], {
      get: (of, key) => (key === 'length' ? 2 ** 32 : Reflect.get(of, key)),
    });
    const shared = { x: 1 };
    const bad: [unknown, string][] = [
      [{ a: undefined }, 'document.a'],
      [{ a: [1, undefined] }, 'document.a[1]'],

      [{ a: [1, , 2] }, 'document.a[1]'],
      [{ a: () => 1 }, 'document.a'],
      [{ a: Symbol('s') }, 'document.a'],
      [{ [Symbol('s')]: 1 }, 'document'],
      [{ a: { b: 2n ** 53n } }, 'document.a.b'],
      [{ a: -(2n ** 64n) }, 'document.a'],
      [{ a: new Date() }, 'document.a'],
      [{ a: new Uint8Array(2) }, 'document.a'],
      [{ a: new Map() }, 'document.a'],
      [{ a: '\ud800' }, 'document.a'],
      [{ ['\udc00']: 1 }, 'document.\udc00'],
      [cyclic, 'document.a.b'],
      [{ deep }, `document${'.deep'.repeat(100)}`],
      [{ _doc: 1 }, 'document._doc'],
      [{ a: endless }, 'document'],
      [{ a: 'x'.repeat(33 << 20) }, 'document'],
      [[{ a: 1 }, { a: undefined }], 'documents[1].a'],
      [[], 'documents'],
      [Array.from({ length: 1025 }, () => ({})), 'documents'],
      [endless, 'documents'],
      [null, 'document'],
      ['text', 'document'],
      [5, 'document'],
      [undefined, 'document'],
      [new Map(), 'document'],
    ];
    for (const [document, argument] of bad) {
      const error = await rejection(documents.insert('people', document as never));
      expect([error instanceof ArgumentError, error.argument]).toEqual([true, argument]);
      if (!Array.isArray(document)) {
        const replacing = await rejection(documents.replace('people', {}, document as never));
        expect(replacing).toBeInstanceOf(ArgumentError);
      }
    }
    await documents.insert('people', { twice: [shared, shared] });
    expect(await documents.count('people')).toBe(1n);
  });

  test('nor are names, queries and options that mean nothing', async () => {
    const { client } = await openPeople();
    const { documents } = client;
    const any = documents as unknown as Record<string, (...args: unknown[]) => unknown>;
    const call = async (name: string, ...args: unknown[]) => {
      const made = any[name]?.(...args);
      return made instanceof Promise ? (made as Promise<unknown>) : all(made as AsyncIterable<unknown>);
    };
    const endless = new Proxy([] as unknown[], {
      get: (of, key) => (key === 'length' ? 2 ** 32 : Reflect.get(of, key)),
    });
    const bad: [unknown[], string][] = [
      ...['', 5, null, undefined, 'a b', '1a', 'a.b', 'x'.repeat(5000), '\ud800'].map(
        (name): [unknown[], string] => [['createCollection', name], 'name'],
      ),
      [['createCollection', 'c', { idField: '_doc' }], 'idField'],
      [['createCollection', 'c', { idField: 'a.b' }], 'idField'],
      [['createCollection', 'c', { fields: 5 }], 'fields'],
      [['createCollection', 'c', { fields: endless }], 'fields'],
      [['createCollection', 'c', { fields: [{ name: 'a', type: 'TEXT' }] }], 'fields[0].type'],
      [['createCollection', 'c', { fields: [{ name: 'a b', type: 'UUID' }] }], 'fields[0].name'],
      [['createCollection', 'c', { fields: [{ name: 'a', type: 'UUID', x: 1 }] }], 'fields[0]'],
      [['createCollection', 'c', { indexes: [{ fields: [] }] }], 'indexes[0].fields'],
      [['createCollection', 'c', { indexes: [{ fields: ['a'], unique: 1 }] }], 'indexes[0].unique'],
      [['createCollection', 'c', { indices: [] }], 'options'],
      [['updateCollection', 'people', {}], 'idField'],
      [['updateCollection', 'people'], 'changed'],
      [['deleteCollection', 'people', {}], 'confirm'],
      [['deleteCollection', 'people', { confirm: 'peoples' }], 'confirm'],
      [['collection', 'a b'], 'collection'],
      [['addField', 'people', { name: 'a' }], 'field.type'],
      [['addField', 'people'], 'field'],
      [['removeField', 'people', 7], 'field'],
      [['createIndex', 'people', {}], 'index.fields'],
      [['deleteIndex', 'people', 'name'], 'fields'],
      [['insert', 'a b', {}], 'collection'],
      [['delete', 'people'], 'query'],
      [['delete', 'people', { were: {} }], 'query'],
      [['replace', 'people', undefined, {}], 'query'],
      [['count', 'people', { where: { 'a b': 1 } }], 'where: the field "a b"'],
      [['count', 'people', { where: { age: { EQ: {} } } }], 'where.age.EQ'],
      [['count', 'people', { where: { age: { GTE: 1 } } }], 'where.age'],
      [['count', 'people', { where: { age: {} } }], 'where.age'],
      [['count', 'people', { where: { age: undefined } }], 'where.age'],
      [['count', 'people', { where: { age: 2n ** 60n } }], 'where.age'],
      [['count', 'people', { where: { name: { LIKE: 5 } } }], 'where.name.LIKE'],
      [['count', 'people', { where: 5 }], 'where'],
      [['count', 'people', { where: endless }], 'where'],
      [['count', 'people', { orderBy: { field: 'a', asc: true } }], 'orderBy'],
      [['count', 'people', { orderBy: [{ field: 'a', desc: 1 }] }], 'orderBy[0].desc'],
      [['count', 'people', { limit: 0 }], 'limit'],
      [['count', 'people', { limit: 2 ** 32 }], 'limit'],
      [['search', 'people', { pageSize: 2501 }], 'pageSize'],
      [['search', 'people', { page: 1 }], 'options'],
      [['audit', 'people', 'zz'], 'id'],
      [['audit', 'people', ''], 'id'],
      [['audit', 'people', 'ab'.repeat(33)], 'id'],
      [['audit', 'people', 5], 'id'],
      [['audit', 'people', 'ab', { pageSize: 0 }], 'pageSize'],
      [['audit', 'people', 'ab', { limit: 1.5 }], 'limit'],
      [['audit', 'people', 'ab', { omit: true }], 'options'],
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
    expect((await documents.collections()).map(({ name }) => name)).toEqual(['people']);
  });
});
