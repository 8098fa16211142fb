// A mirror of tables in a SQLite file: complete as of a proven head, kept up to date, and never what the server only says.
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ImmuClient, VerificationError } from '#dist/index.js';
import type { SqlParam } from '#dist/index.js';
import { openSqlite } from '#dist/sqlite/open.js';
import type { Methods } from '#dist/wire/messages.js';
import { wireMethod } from '#dist/wire/schema.js';
import { sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import type { Message } from './lying-server.js';
import { ALL_TYPES, describeSql, openOrders } from './support.js';

const SOON = { timeout: 20_000 };

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'immu-ts-mirror-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'mirror.sqlite');
}

describeSql('a mirror', () => {
  it('has the rows of all tables, and goes along with what anybody writes', async () => {
    const { client, database } = await openOrders();
    const { sql } = client;
    await sql.exec('CREATE TABLE customers (id INTEGER, name VARCHAR[32], PRIMARY KEY id)');
    await sql.exec("INSERT INTO customers (id, name) VALUES (1, 'Ann'), (2, 'Bob')");
    await sql.exec('ALTER TABLE orders ADD COLUMN customer INTEGER');
    await sql.exec('INSERT INTO orders (total, customer) VALUES (10, 1), (20, 2), (30, 1)');
    await client.follow({ ordered: true });
    const path = newPath();
    const mirror = await client.mirror({ path });
    expect(() => mirror.query('SELECT 1')).toThrow('ready()');
    const head = await mirror.ready();
    expect(mirror.head).toEqual(head);
    const sums = () =>
      mirror.query(
        'SELECT c.name, sum(o.total) AS total FROM orders o JOIN customers c ON c.id = o.customer GROUP BY c.id ORDER BY 2',
      );
    expect(sums()).toMatchObject({
      rows: [
        { name: 'Bob', total: 20n },
        { name: 'Ann', total: 40n },
      ],
      provenLatestAt: head,
    });

    const { txs } = await sql.verifiedExec('UPDATE orders SET total = 100 WHERE id = 3');
    const wire = await openWire(database);
    await wire.call('SQLExec', { sql: 'DELETE FROM orders WHERE id = 1' });
    await wire.call('SQLExec', { sql: 'INSERT INTO orders (total, customer) VALUES (7, 2)' });
    const after = await mirror.ready();
    expect(after.tx).toBeGreaterThan(head.tx);
    expect(sums().rows).toEqual([
      { name: 'Bob', total: 27n },
      { name: 'Ann', total: 100n },
    ]);
    // Which transaction wrote a row is beside it.
    expect(
      mirror.query(
        'SELECT r.tx FROM orders o JOIN _immu_rows r ON r.row = o.rowid JOIN _immu_tables t ON t.id = r.table_id AND t.name = ? WHERE o.id = 3',
        'orders',
      ).rows,
    ).toEqual([{ tx: txs[0]!.tx }]);
    expect(mirror.progress).toMatchObject({ status: 'current', tx: after.tx });

    // Tables that change are written anew.
    await wire.call('SQLExec', { sql: 'ALTER TABLE orders RENAME COLUMN total TO amount' });
    await wire.call('SQLExec', { sql: 'ALTER TABLE orders RENAME TO sales' });
    await wire.call('SQLExec', { sql: 'DROP TABLE customers' });
    await wire.call('SQLExec', { sql: 'UPDATE sales SET amount = 1 WHERE id = 4' });
    await mirror.ready();
    expect(mirror.query('SELECT sum(amount) AS sum FROM sales').rows).toEqual([{ sum: 121n }]);
    expect(() => mirror.query('SELECT * FROM customers')).toThrow('no such table');
    expect(() => mirror.query('DELETE FROM sales RETURNING id')).toThrow('readonly');

    await mirror.close();
    await client.close();
    // Offline: the file is a file.
    const db = openSqlite(path, { readonly: true });
    expect(db.prepare('SELECT count(*) AS n FROM sales').get()).toEqual({ n: 3 });
    expect(db.prepare('SELECT database FROM _immu_mirror').pluck().get()).toBe(database);
    db.close();
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('goes along by itself', async () => {
    const { client } = await openOrders();
    await client.follow({ ordered: true, everyMs: 20 });
    await using mirror = await client.mirror({ path: newPath(), tables: ['Orders'], everyMs: 5 });
    await mirror.ready();
    await client.sql.exec('INSERT INTO orders (total) VALUES (1)');
    await vi.waitFor(
      () => expect(mirror.query('SELECT total FROM orders').rows).toEqual([{ total: 1n }]),
      SOON,
    );
    await client.set('k', 'v');
    await vi.waitFor(() => expect(mirror.progress.tx).toBe(3n), SOON);
    const next = mirror.reach(5n);
    for (let i = 0; i < 2; i++) await client.sql.exec('UPDATE orders SET total = 9 WHERE id = 1');
    expect((await next).tx).toBeGreaterThanOrEqual(5n);
    expect(mirror.query('SELECT total FROM orders').rows).toEqual([{ total: 9n }]);
  });

  it('has values of every type, and what honest servers write oddly', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const json = '{"b": 1,  "a":12345678901234567890}';
    const row: Record<string, SqlParam> = {
      ...{ id: 9007199254740993n, i: -(2n ** 63n), b: true, v: 'a\0ÄÖ日本🎉', bl: new Uint8Array([0, 255]) },
      ...{ u: 'ffffffff-0000-4000-8000-00000000abcd', ts: sql.timestamp('2026-01-02T03:04:05.678901Z') },
      ...{ f: NaN, j: json },
    };
    await sql.exec(
      'INSERT INTO alltypes (id, i, b, v, bl, u, ts, f, j) VALUES (@id, @i, @b, @v, @bl, @u, @ts, @f, @j)',
      row,
    );
    await sql.exec('INSERT INTO alltypes (id, f) VALUES (1, 2.5)');
    await sql.exec('INSERT INTO alltypes (id, f) VALUES (1, 0.5) ON CONFLICT DO UPDATE SET id = 5');
    await sql.exec('CREATE TABLE odd (id INTEGER, t INTEGER, PRIMARY KEY id)');
    await sql.exec('ALTER TABLE odd ALTER COLUMN t TYPE VARCHAR; ALTER TABLE odd RENAME COLUMN t TO u');
    await client.follow({ ordered: true });
    await using mirror = await client.mirror({ path: newPath() });
    await mirror.ready();
    const { rows } = mirror.query('SELECT * FROM alltypes ORDER BY id');
    expect(rows[1]).toEqual({
      ...row,
      ...{ b: 1n, ts: 1_767_323_045_678_901n, f: 'NaN', bl: expect.anything() as Uint8Array },
    });
    expect(Array.from(rows[1]!['bl'] as Uint8Array)).toEqual([0, 255]);
    expect(rows[0]).toMatchObject({ id: 5n, i: null });
    expect(mirror.query('SELECT anomaly FROM _immu_rows WHERE anomaly IS NOT NULL').rows).toEqual([
      { anomaly: 'key' },
    ]);
    expect(mirror.query('SELECT name, anomaly FROM _immu_tables ORDER BY name').rows).toEqual([
      { name: 'alltypes', anomaly: null },
      { name: 'odd', anomaly: 'unreadable' },
    ]);
  });

  it('is as of one root for whoever reads it, while thousands of rows are written', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await client.follow({ ordered: true, everyMs: 5 });
    await using mirror = await client.mirror({ path: newPath(), everyMs: 1 });
    await mirror.ready();
    await sql.exec('INSERT INTO orders (total) VALUES (100), (0)');
    await mirror.ready();
    const writes = (async () => {
      for (let i = 1n; i <= 60n; i++)
        await sql.exec`UPDATE orders SET total = ${100n - i} WHERE id = 1; UPDATE orders SET total = ${i} WHERE id = 2`;
      const values = Array.from({ length: 900 }, () => '(0)').join();
      for (let i = 0; i < 3; i++) await sql.exec(`INSERT INTO orders (total) VALUES ${values}`);
    })();
    const sums = new Set<unknown>();
    const over = new AbortController();
    void writes.finally(() => over.abort());
    while (!over.signal.aborted) {
      sums.add(mirror.query('SELECT sum(total) AS sum FROM orders').rows[0]?.['sum']);
      await new Promise((resume) => setTimeout(resume, 2));
    }
    await writes;
    await mirror.ready();
    expect([...sums]).toEqual([100n]);
    expect(mirror.query('SELECT count(*) AS n FROM orders').rows).toEqual([{ n: 2702n }]);
  });

  it('goes on where it ended: with what was written, deleted, made and changed meanwhile', async () => {
    const { client, store, database } = await openOrders();
    const { sql } = client;
    await sql.exec('CREATE TABLE a (id INTEGER, v INTEGER, PRIMARY KEY id)');
    await sql.exec('CREATE TABLE b (id INTEGER, v INTEGER, PRIMARY KEY id)');
    await sql.exec(
      'INSERT INTO a (id, v) VALUES (1, 10), (2, 20), (3, 30); INSERT INTO b (id, v) VALUES (1, 1)',
    );
    const path = newPath();
    const keep = `${path}.followed`;
    await client.follow({ ordered: true, keep });
    const first = await client.mirror({ path });
    expect(first.beginning).toEqual({ how: 'new' });
    const { tx } = await first.ready();
    // Not closed by itself: the client's close is its own.
    await client.close();
    expect((await rejection(first.ready())).code).toBe('CLOSED');

    const open = () => {
      const next = new ImmuClient({ address: sharedImmudb(), store, credentials: { ...USER, database } });
      onTestFinished(() => next.close());
      return next;
    };
    const writer = open();
    await writer.sql.exec('UPDATE a SET v = 21 WHERE id = 2');
    await writer.sql.exec('DELETE FROM a WHERE id = 3');
    await writer.sql.exec('INSERT INTO a (id, v) VALUES (4, 40)');
    await writer.sql.exec('ALTER TABLE b RENAME COLUMN v TO w');
    await writer.sql.exec('CREATE TABLE c (id INTEGER, PRIMARY KEY id)');
    await writer.sql.exec('INSERT INTO c (id) VALUES (7)');
    await writer.sql.exec('DROP TABLE orders');
    await writer.close();

    const second = open();
    await second.follow({ ordered: true, keep });
    const mirror = await second.mirror({ path });
    expect(mirror.beginning).toEqual({ how: 'resumed', tx });
    // What it was as of is there at once.
    expect(mirror.query('SELECT 1 AS one').provenLatestAt.tx).toBe(tx);
    await mirror.ready();
    expect(mirror.query('SELECT id, v FROM a ORDER BY id').rows).toEqual([
      { id: 1n, v: 10n },
      { id: 2n, v: 21n },
      { id: 4n, v: 40n },
    ]);
    expect(mirror.query('SELECT w FROM b').rows).toEqual([{ w: 1n }]);
    expect(mirror.query('SELECT id FROM c').rows).toEqual([{ id: 7n }]);
    expect(() => mirror.query('SELECT * FROM orders')).toThrow('no such table');
    expect(mirror.query('SELECT count(*) AS n FROM _immu_rows').rows).toEqual([{ n: 5n }]);
    await second.sql.exec('INSERT INTO a (id, v) VALUES (5, 50)');
    await mirror.ready();
    expect(mirror.query('SELECT count(*) AS n FROM a').rows).toEqual([{ n: 4n }]);
    await mirror.close();

    // Others see to it that it is not as it was left: it is not believed.
    for (const [change, why] of [
      ['UPDATE a SET v = 999 WHERE id = 1', 'it is not as a mirror that ended by close() has left it'],
      ['UPDATE _immu_mirror SET tx = tx + 1', 'it is not as a mirror that ended by close() has left it'],
    ] as const) {
      const db = openSqlite(path);
      db.exec(change);
      db.close();
      const again = await second.mirror({ path });
      expect(again.beginning).toEqual({ how: 'anew', why });
      await again.ready();
      expect(again.query('SELECT v FROM a WHERE id = 1').rows).toEqual([{ v: 10n }]);
      await again.close();
    }
    const sealed = await second.mirror({ path });
    expect(sealed.beginning).toMatchObject({ how: 'resumed' });
    await sealed.close();
    // Nor after trust was forgotten.
    await second.forgetTrust('a test');
    await second.follow({ ordered: true });
    const forgotten = await second.mirror({ path });
    expect(forgotten.beginning).toMatchObject({ how: 'anew' });
    await forgotten.ready();
    expect(forgotten.query('SELECT count(*) AS n FROM a').rows).toEqual([{ n: 4n }]);
  });

  it('has documents: fields as searches know them, and each whole; deleted ones are none', async () => {
    const { client } = await openOrders();
    const { documents, sql } = client;
    await sql.exec('INSERT INTO orders (total) VALUES (1)');
    const fields = [
      { name: 'name', type: 'STRING' },
      { name: 'age', type: 'INTEGER' },
      { name: 'address.city', type: 'STRING' },
    ] as const;
    await documents.createCollection('People', { fields });
    await documents.createCollection('twins', { fields, idField: 'pid' });
    const content = { name: 'Ann', age: 41, address: { city: 'Ulm' }, more: [1, null, { a: true }] };
    const [ann, bob] = (await documents.insert('People', [content, { name: 'Bob' }])).ids as [string, string];
    const [twin] = (await documents.insert('twins', content)).ids as [string];
    await client.follow({ ordered: true });
    await using mirror = await client.mirror({ path: newPath() });
    await mirror.ready();
    const people = () => mirror.query('SELECT * FROM doc_People ORDER BY name').rows;
    expect(people()).toEqual([
      {
        ...{ _id: ann, name: 'Ann', age: 41n, 'address.city': 'Ulm' },
        _doc: expect.any(String) as string,
      },
      { _id: bob, name: 'Bob', age: null, 'address.city': null, _doc: expect.any(String) as string },
    ]);
    expect(JSON.parse(people()[0]!['_doc'] as string)).toEqual({ _id: ann, ...content });
    expect(mirror.query('SELECT pid, name FROM doc_twins').rows).toEqual([{ pid: twin, name: 'Ann' }]);
    expect(mirror.query('SELECT total FROM orders').rows).toEqual([{ total: 1n }]);

    await documents.replace('People', { where: { name: 'Bob' } }, { name: 'Bob', age: 9 });
    await documents.delete('People', { where: { name: 'Ann' } });
    await mirror.ready();
    expect(people()).toMatchObject([{ _id: bob, age: 9n }]);
    // One that others write over with a field that is new.
    await documents.addField('People', { name: 'score', type: 'DOUBLE' });
    const { ids } = await documents.insert('People', { name: 'Cid', score: 0.5 });
    await mirror.ready();
    expect(people()).toMatchObject([
      { name: 'Bob', score: null },
      { _id: ids[0], score: 0.5 },
    ]);
    await documents.deleteCollection('twins', { confirm: 'twins' });
    await mirror.ready();
    expect(() => mirror.query('SELECT * FROM doc_twins')).toThrow('no such table');
    expect(mirror.query('SELECT kind, name FROM _immu_tables ORDER BY id').rows).toEqual([
      { kind: 'table', name: 'orders' },
      { kind: 'collection', name: 'People' },
    ]);

    // Whose name in the file is not only its own is in neither.
    await sql.exec('CREATE TABLE doc_people (id INTEGER, PRIMARY KEY id)');
    await mirror.ready();
    expect(() => mirror.query('SELECT * FROM doc_people')).toThrow('no such table');
    expect(mirror.query('SELECT name, anomaly FROM _immu_tables ORDER BY id').rows).toEqual([
      { name: 'orders', anomaly: null },
      { name: 'doc_people', anomaly: 'name' },
      { name: 'People', anomaly: 'name' },
    ]);
    await using only = await client.mirror({ path: newPath(), collections: ['People'] });
    await only.ready();
    expect(only.query('SELECT count(*) AS n FROM doc_People').rows).toEqual([{ n: 2n }]);
    expect(only.query('SELECT name FROM _immu_tables').rows).toEqual([{ name: 'People' }]);
    expect((await rejection(client.mirror({ path: newPath(), collections: ['nobody'] }))).code).toBe(
      'NOT_FOUND',
    );
  });

  it('has the same for a user who may only read', async () => {
    const { client } = await openOrders();
    const database = client.databaseName;
    await client.documents.createCollection('people', { fields: [{ name: 'age', type: 'INTEGER' }] });
    const people = Array.from({ length: 30 }, (_, i) => ({ age: i }));
    await client.documents.insert('people', people);
    await client.sql.exec('INSERT INTO orders (total) VALUES (5)');
    await client.createUser('reader1', 'Passw0rd!', 1, database);
    const { client: reader } = await openClient({
      database,
      credentials: { user: 'reader1', password: 'Passw0rd!', database },
    });
    await reader.follow({ ordered: true });
    await using mirror = await reader.mirror({ path: newPath() });
    await mirror.ready();
    expect(mirror.query('SELECT sum(age) AS sum, count(*) AS n FROM doc_people').rows).toEqual([
      { sum: 435n, n: 30n },
    ]);
    expect(mirror.query('SELECT total FROM orders').rows).toEqual([{ total: 5n }]);
  });

  it('begins anew over a mirror of the same database, and over nothing else', async () => {
    const { client } = await openOrders();
    await client.sql.exec('INSERT INTO orders (total) VALUES (1)');
    await client.follow({ ordered: true });
    const path = newPath();
    const first = await client.mirror({ path });
    await first.ready();
    const second = await client.mirror({ path, tables: ['orders'] });
    await second.ready();
    // The first one is written no more.
    await client.sql.exec('INSERT INTO orders (total) VALUES (2)');
    expect((await rejection(first.ready())).code).toBe('STORE_FAILED');
    await vi.waitFor(() => expect(first.progress.status).toBe('ended'));
    await second.ready();
    expect(second.query('SELECT count(*) AS n FROM orders').rows).toEqual([{ n: 2n }]);

    const other = await openOrders();
    await other.client.follow({ ordered: true });
    expect((await rejection(other.client.mirror({ path }))).code).toBe('STORE_FOREIGN');
    const foreign = newPath();
    const db = openSqlite(foreign);
    db.exec('CREATE TABLE mine (id INTEGER)');
    db.close();
    expect((await rejection(client.mirror({ path: foreign }))).code).toBe('STORE_FOREIGN');
    const text = newPath();
    writeFileSync(text, 'no database at all, and longer than a header of one would have to be '.repeat(20));
    expect((await rejection(client.mirror({ path: text }))).message).toContain('not a database');
    const none = newPath();
    expect((await rejection(client.mirror({ path: none, tables: ['nope'] }))).code).toBe('NOT_FOUND');
    expect(existsSync(none)).toBe(false);
    for (const [name, options] of Object.entries({
      path: { path: ':memory:' },
      tables: { path: none, tables: [] },
      collections: { path: none, collections: [''].slice(1) },
      everyMs: { path: none, everyMs: 0 },
      options: { path: none, nope: 1 },
    }))
      expect(await rejection(client.mirror(options as { path: string }))).toMatchObject({ argument: name });
  });

  it('needs a database that is followed, and ends with it', async () => {
    const { client } = await openOrders();
    expect((await rejection(client.mirror({ path: newPath() }))).code).toBe('NOT_PROVABLE');
    await client.follow();
    expect((await rejection(client.mirror({ path: newPath() }))).code).toBe('NOT_PROVABLE');
    const following = await client.follow({ ordered: true });
    const mirror = await client.mirror({ path: newPath() });
    await mirror.ready();
    await following.stop();
    expect((await rejection(mirror.ready())).code).toBe('NOT_PROVABLE');
    await mirror.close();
    expect((await rejection(mirror.ready())).code).toBe('NOT_PROVABLE');
    expect(mirror.progress.status).toBe('ended');
  });
});

describeSql('a mirror of a server that lies', () => {
  const server = new LyingServer();

  it('never has what is not proven: it stays as it was, and goes on when the lie ends', async () => {
    const { client } = await server.open();
    await client.sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    await client.sql.exec('INSERT INTO orders (id, total) VALUES (1, 10)');
    await client.follow({ ordered: true });
    const mirror = await client.mirror({ path: newPath() });
    const head = await mirror.ready();
    server.lieOnLastBytes();
    await client.sql.exec('UPDATE orders SET total = 11 WHERE id = 1');
    const error = await rejection(mirror.ready());
    expect(error, error.message).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('sql.value');
    expect(mirror.progress).toMatchObject({ status: 'refused', tx: head.tx });
    expect(mirror.query('SELECT total FROM orders')).toMatchObject({
      rows: [{ total: 10n }],
      provenLatestAt: head,
    });
    server.tellTheTruth();
    await vi.waitFor(() => expect(mirror.query('SELECT total FROM orders').rows).toEqual([{ total: 11n }]), {
      timeout: 5000,
    });
    expect(mirror.progress.status).toBe('current');
  });

  it('has no documents but those that were followed, under no other names', async () => {
    const { client } = await server.open();
    const { documents } = client;
    await documents.createCollection('people', { fields: [{ name: 'age', type: 'INTEGER' }] });
    await documents.createCollection('others', { fields: [{ name: 'age', type: 'INTEGER' }] });
    await documents.insert('people', { age: 1 });
    await documents.insert('others', [{ age: 2 }, { age: 3 }]);
    await client.follow({ ordered: true });
    // A name that one collection has is known, whichever the server says it of.
    const everyCollection = (change: (collection: Message) => void) => (answer: Message) => {
      for (const collection of answer.collections) change(collection);
    };
    const lies: [keyof Methods, string, (answer: Message) => void][] = [
      ['ProofDocument', 'sql.value', (answer) => (answer.encodedDocument[20] ^= 1)],
      // Its only chunk: the last bytes but for three are of a value.
      ['exportTx', 'sql.value', ({ content }) => (content[content.length - 5] ^= 1)],
      ['exportTx', 'sql.value', ({ content }) => (content[content.length - 1] = 1)],
      [
        'GetCollections',
        'document.catalog',
        everyCollection((each) => (each.name = `${each.name as string}x`)),
      ],
      ['GetCollections', 'document.catalog', (answer) => answer.collections.pop()],
      ['GetCollections', 'document.catalog', everyCollection((each) => (each.documentIdFieldName = 'pid'))],
      [
        'GetCollections',
        'document.catalog',
        everyCollection(({ fields }) =>
          fields.forEach((field: Message) => (field.name = `${field.name as string}s`)),
        ),
      ],
    ];
    for (const [method, check, lie] of lies) {
      const { responseDeserialize, responseSerialize } = wireMethod(method);
      const told = (answer: Buffer) => {
        const message = responseDeserialize(answer) as Message;
        lie(message);
        return responseSerialize(message);
      };
      server.proxy.intercept = async (passing) => {
        const answer = await passing.forward();
        return passing.method === method ? told(answer) : answer;
      };
      // Nothing else is streamed.
      server.proxy.streamed = (chunk) => (method === 'exportTx' ? told(chunk) : chunk);
      // What is known of names is known to one follower.
      await client.follow({ ordered: true });
      const mirror = await client.mirror({ path: newPath() });
      const error = await rejection(mirror.ready());
      expect([method, error.code, error.message]).toEqual([method, 'VERIFICATION_FAILED', error.message]);
      expect([method, error.evidence.check]).toEqual([method, check]);
      expect(mirror.progress.status).toBe('refused');
      await mirror.close();
    }
    server.tellTheTruth();
    server.proxy.streamed = (chunk) => chunk;
    await using mirror = await client.mirror({ path: newPath() });
    await mirror.ready();
    expect(mirror.query('SELECT age FROM doc_others ORDER BY age').rows).toEqual([{ age: 2n }, { age: 3n }]);
  });
});
