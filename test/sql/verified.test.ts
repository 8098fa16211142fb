// What statements wrote, and rows by their keys, proven on a real server: every type, catalogs that change, deletions, own writes.
import { expect, it } from 'vitest';
import type { SqlParam } from '#dist/index.js';
import { openClient, openWire, rejection } from '../trust/support.js';
import { ALL_TYPES, describeSql, openOrders } from './support.js';

describeSql('verifiedExec', () => {
  it('proves what was written, row by row', async () => {
    const { client } = await openOrders();
    const first = await client.sql.verifiedExec`INSERT INTO orders (total) VALUES (${5n}), (${6n})`;
    expect(first).toMatchObject({
      updatedRows: 2,
      firstInserted: { orders: 1n },
      lastInserted: { orders: 2n },
    });
    expect(first.txs[0]?.rows).toMatchObject([
      { table: 'orders', tableId: 1, values: { id: 1n, total: 5n }, deleted: false },
      { table: 'orders', tableId: 1, values: { id: 2n, total: 6n }, deleted: false },
    ]);
    const second = await client.sql.verifiedExec(
      'UPDATE orders SET total = 7 WHERE id = 1; DELETE FROM orders WHERE id = 2',
    );
    expect(second.txs).toMatchObject([
      {
        tx: first.txs[0]!.tx + 1n,
        rows: [
          { values: { id: 1n, total: 7n }, deleted: false },
          { values: { id: 2n, total: 6n }, deleted: true },
        ],
      },
    ]);
    expect(second.root.tx).toBeGreaterThanOrEqual(second.txs[0]!.tx);
  });

  it('proves changes of tables, and rows beside them', async () => {
    const { client } = await openClient();
    const { txs } = await client.sql.verifiedExec(
      "CREATE TABLE t (id INTEGER, v VARCHAR[8], PRIMARY KEY id); INSERT INTO t (id, v) VALUES (1, 'one')",
    );
    expect(txs[0]?.rows).toMatchObject([{ table: 't', values: { id: 1n, v: 'one' } }]);
    expect(
      txs[0]?.catalog.map(({ of, value }) => [of.kind, value && 'name' in value ? value.name : undefined]),
    ).toEqual(
      expect.arrayContaining([
        ['table', 't'],
        ['column', 'id'],
        ['column', 'v'],
        ['index', undefined],
      ]),
    );
    const changed = await client.sql.verifiedExec(
      'ALTER TABLE t RENAME COLUMN v TO w; CREATE INDEX ON t (w)',
    );
    expect(changed.txs[0]?.catalog).toMatchObject([
      { of: { kind: 'column', table: 1, column: 2, type: 'VARCHAR' }, value: { name: 'w', maxLength: 8 } },
      { of: { kind: 'index', table: 1, index: 1 }, value: { unique: false, columns: [2] } },
    ]);
  });

  it('of nothing proves nothing, and of a refused statement writes nothing', async () => {
    const { client } = await openOrders();
    expect(await client.sql.verifiedExec('DELETE FROM orders WHERE id = 1')).toMatchObject({ txs: [] });
    const error = await rejection(client.sql.verifiedExec('INSERT INTO nope (id) VALUES (1)'));
    expect(error.code).toBe('NOT_FOUND');
    expect(
      (await rejection(client.sql.verifiedExec('INSERT INTO orders (total) VALUES (@x)'))).message,
    ).toContain('@x');
  });

  it('sees the columns that others have made meanwhile', async () => {
    const { client, database } = await openOrders();
    await client.sql.verifiedExec('INSERT INTO orders (total) VALUES (1)');
    const wire = await openWire(database);
    await wire.call('SQLExec', { sql: 'ALTER TABLE orders ADD COLUMN note VARCHAR' });
    const { txs } = await client.sql.verifiedExec("INSERT INTO orders (total, note) VALUES (2, 'new')");
    expect(txs[0]?.rows).toMatchObject([{ values: { id: 2n, total: 2n, note: 'new' } }]);
  });

  it('loses none of 20 at a time', async () => {
    const { client } = await openOrders();
    const ended = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => client.sql.verifiedExec`INSERT INTO orders (total) VALUES (${i})`),
    );
    const done = ended.flatMap((each) => (each.status === 'fulfilled' ? each.value.txs : []));
    const failed = ended.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { code: string }).code] : [],
    );
    for (const code of failed) expect(code).toBe('CONFLICT');
    expect(new Set(done.map(({ tx }) => tx)).size).toBe(done.length);
    expect(await client.sql.query('SELECT COUNT(*) AS n FROM orders')).toEqual([{ n: BigInt(done.length) }]);
  });
});

describeSql('verifiedGet', () => {
  it('proves rows of every type', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const json = '{"b": 1,  "a":12345678901234567890, "h":"<&>"}';
    const row: Record<string, SqlParam> = {
      ...{ id: 9007199254740993n, i: -(2n ** 63n), b: true, v: 'ÄÖ日本🎉', bl: new Uint8Array([0, 255]) },
      ...{ u: 'ffffffff-0000-4000-8000-00000000abcd', ts: sql.timestamp('2026-01-02T03:04:05.678901Z') },
      ...{ f: -0, j: json },
    };
    await sql.exec(
      'INSERT INTO alltypes (id, i, b, v, bl, u, ts, f, j) VALUES (@id, @i, @b, @v, @bl, @u, @ts, @f, @j)',
      row,
    );
    await sql.exec('INSERT INTO alltypes (id) VALUES (2)');
    const proven = await sql.verifiedGet('AllTypes', 9007199254740993n);
    // JSON is what was stored, byte for byte; a query shows it written anew.
    expect(proven).toMatchObject({
      values: row,
      deleted: false,
      catalog: 'proven',
      catalogTx: 1n,
      tx: 2n,
      tableId: 1,
    });
    expect(Object.is(proven?.values['f'], -0)).toBe(true);
    expect((await sql.verifiedGet('alltypes', 2))?.values).toEqual({
      ...Object.fromEntries(Object.keys(row).map((name) => [name, null])),
      id: 2n,
    });
    expect(await sql.verifiedGet('alltypes', 3n)).toBeNull();
    expect(JSON.parse(JSON.stringify(proven))).toMatchObject({
      values: { id: '9007199254740993', ts: '2026-01-02T03:04:05.678901Z' },
    });
  });

  it.each([
    ['BOOLEAN', [true, false]],
    ['VARCHAR[501]', ['', 'x', 'k'.repeat(501), 'a\u0000']],
    ['BLOB[3]', [new Uint8Array(0), new Uint8Array([0]), new Uint8Array([255, 0, 255])]],
    ['UUID', ['00000000-0000-0000-0000-000000000000', 'ffffffff-0000-4000-8000-00000000abcd']],
    ['FLOAT', [0, -0, -2.5, 5e-324, Infinity, -Infinity, NaN]],
    ['INTEGER', [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n]],
  ] as [string, SqlParam[]][])('finds keys of type %s', async (type, keys) => {
    const { client } = await openClient();
    await client.sql.exec(`CREATE TABLE t (k ${type}, n INTEGER, PRIMARY KEY k)`);
    for (const [n, k] of keys.entries())
      await client.sql.exec('INSERT INTO t (k, n) VALUES (@k, @n)', { k, n });
    const rows = await client.sql.verifiedGetAll('t', keys as never);
    expect(rows.map((row) => row?.values)).toEqual(keys.map((k, n) => ({ k, n: BigInt(n) })));
  });

  it('finds times to the microsecond', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec('CREATE TABLE t (k TIMESTAMP, n INTEGER, PRIMARY KEY k)');
    const at = sql.timestamp('2026-01-02T03:04:05.678901Z');
    await sql.exec`INSERT INTO t (k, n) VALUES (${at}, ${1n})`;
    expect((await sql.verifiedGet('t', at))?.values).toEqual({ k: at, n: 1n });
    expect(await sql.verifiedGet('t', sql.timestamp('2026-01-02T03:04:05.678902Z'))).toBeNull();
  });

  it('finds keys of several columns in another order than the columns', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(
      'CREATE TABLE t (a INTEGER, b VARCHAR[8], c UUID, d BOOLEAN, x VARCHAR, PRIMARY KEY (c, a, b, d))',
    );
    const c = 'ffffffff-0000-4000-8000-00000000abcd';
    await sql.exec('INSERT INTO t (a, b, c, d, x) VALUES (@a, @b, @c, @d, @x)', {
      a: -7n,
      b: 'ä',
      c,
      d: true,
      x: 'row',
    });
    const values = { a: -7n, b: 'ä', c, d: true, x: 'row' };
    expect((await sql.verifiedGet('t', [c, -7n, 'ä', true]))?.values).toEqual(values);
    expect((await sql.verifiedGet('t', { a: -7n, B: 'ä', d: true, c }))?.values).toEqual(values);
    for (const [pk, words] of [
      [c, 'array or an object'],
      [[c, -7n], '2 values'],
      [{ a: 1n, b: '', c }, 'no value for d'],
      [{ a: 1n, b: '', c, d: true, x: '' }, 'names x'],
      [['no uuid', -7n, 'ä', true], 'no UUID'],
      [[c, '7', 'ä', true], 'INTEGER'],
    ] as const) {
      const error = await rejection(sql.verifiedGet('t', pk));
      expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining(words)]);
    }
  });

  it('refuses a key that is too long before it is sent', async () => {
    const { client } = await openClient();
    await client.sql.exec('CREATE TABLE t (k VARCHAR[501], PRIMARY KEY k)');
    await client.sql.exec('CREATE TABLE u (k VARCHAR[502], PRIMARY KEY k)');
    const tooLong = await rejection(client.sql.verifiedGet('t', 'k'.repeat(502)));
    expect([tooLong.code, tooLong.argument]).toEqual(['LIMIT_EXCEEDED', 'pk.k']);
    const never = await rejection(client.sql.verifiedGet('u', 'k'));
    expect([never.code, never.argument]).toEqual(['LIMIT_EXCEEDED', 'pk']);
  });

  it('reads old rows by tables that have changed', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec('CREATE TABLE t (id INTEGER, a INTEGER, b VARCHAR, PRIMARY KEY id)');
    await sql.exec("INSERT INTO t (id, a, b) VALUES (1, 11, 'old')");
    expect((await sql.verifiedGet('t', 1n))?.values).toEqual({ id: 1n, a: 11n, b: 'old' });
    await sql.exec('ALTER TABLE t ADD COLUMN c FLOAT');
    await sql.exec('ALTER TABLE t DROP COLUMN a');
    await sql.exec('ALTER TABLE t ADD COLUMN a VARCHAR');
    await sql.exec('ALTER TABLE t RENAME COLUMN b TO d');
    // Of the column that was made anew the old row has nothing; the one before it is not shown.
    const old = { id: 1n, d: 'old', c: null, a: null };
    expect((await sql.verifiedGet('t', 1n))?.values).toEqual(old);
    await sql.exec('ALTER TABLE t RENAME TO u');
    await sql.exec('CREATE TABLE t (id INTEGER, PRIMARY KEY id)');
    expect(await sql.verifiedGet('t', 1n)).toBeNull();
    expect(await sql.verifiedGet('u', 1n)).toMatchObject({ values: old, tableId: 1 });
    await sql.exec('INSERT INTO t (id) VALUES (1)');
    expect(await sql.verifiedGet('t', 1n)).toMatchObject({ values: { id: 1n }, tableId: 2 });
    await sql.exec('TRUNCATE TABLE t; INSERT INTO t (id) VALUES (2)');
    expect(await sql.verifiedGet('t', 2n)).toMatchObject({ values: { id: 2n }, tableId: 3 });
    expect((await rejection(sql.verifiedGet('nope', 1n))).code).toBe('NOT_FOUND');
  });

  it('tells rows that an honest server wrote and nobody can read, and goes on with other tables', async () => {
    const { client, database } = await openClient();
    const { sql } = client;
    const wire = await openWire(database);
    const run = (text: string) => wire.call('SQLExec', { sql: text });
    // A type that is altered in the transaction that inserts, or that renames: what it wrote fits no catalog.
    await run('CREATE TABLE u (id INTEGER, n INTEGER, PRIMARY KEY id)');
    await run(
      "BEGIN TRANSACTION; ALTER TABLE u ALTER COLUMN n TYPE VARCHAR; INSERT INTO u (id, n) VALUES (1, 'abc'); COMMIT;",
    );
    await run('CREATE TABLE w (id INTEGER, n INTEGER, PRIMARY KEY id)');
    await run(
      'BEGIN TRANSACTION; ALTER TABLE w ALTER COLUMN n TYPE VARCHAR; ALTER TABLE w RENAME COLUMN n TO m; COMMIT;',
    );
    await run("INSERT INTO w (id, m) VALUES (1, 'x')");
    await run('CREATE TABLE t (id INTEGER, n INTEGER, PRIMARY KEY id)');
    await run('INSERT INTO t (id, n) VALUES (1, 1)');
    for (const table of ['u', 'w'])
      expect((await rejection(sql.verifiedGet(table, 1n))).code).toBe('DECODE_FAILED');
    expect(await sql.verifiedGet('t', 1n)).toMatchObject({ values: { id: 1n, n: 1n } });
    const { txs } = await sql.verifiedExec(
      "INSERT INTO w (id, m) VALUES (2, 'y'); INSERT INTO t (id, n) VALUES (2, 2)",
    );
    expect(txs[0]?.rows).toMatchObject([
      { tableId: 2, values: undefined },
      { table: 't', values: { id: 2n, n: 2n } },
    ]);
    // Stored under key 1 with a row that says 5: the server finds neither that way, and what it does find is proven.
    await run('INSERT INTO t (id, n) VALUES (1, 1) ON CONFLICT DO UPDATE SET id = 5');
    await sql.query('SELECT id FROM t');
    expect((await sql.verifiedGet('t', 1n))?.values).toEqual({ id: 1n, n: 1n });
    expect(await sql.verifiedGet('t', 5n)).toBeNull();
  });

  it('proves a row that was deleted, and one that was inserted anew', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    const inserted = await sql.verifiedExec('INSERT INTO orders (id, total) VALUES (1, 5)');
    const deleted = await sql.verifiedExec('DELETE FROM orders WHERE id = 1');
    await sql.query('SELECT id FROM orders');
    expect(await sql.verifiedGet('orders', 1n)).toBeNull();
    const atTx = deleted.txs[0]!.tx;
    expect(await sql.verifiedGet('orders', 1n, { atTx })).toMatchObject({
      deleted: true,
      tx: atTx,
      values: { id: 1n, total: 5n },
    });
    expect(await sql.verifiedGet('orders', 1n, { atTx: inserted.txs[0]!.tx })).toMatchObject({
      deleted: false,
      values: { total: 5n },
    });
    await sql.verifiedExec('INSERT INTO orders (id, total) VALUES (1, 6)');
    expect(await sql.verifiedGet('orders', 1n)).toMatchObject({
      deleted: false,
      values: { id: 1n, total: 6n },
    });
    expect(await sql.verifiedGet('orders', 1n, { atTx: 1n })).toBeNull();
  });

  it('sees own writes, again and again', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.verifiedExec('INSERT INTO orders (id, total) VALUES (1, 0)');
    for (let i = 1; i <= 100; i++) {
      await sql.verifiedExec`UPDATE orders SET total = ${i} WHERE id = ${1n}`;
      expect((await sql.verifiedGet('orders', 1n))?.values['total']).toBe(BigInt(i));
    }
  }, 60_000);

  it('goes by the schema that it is given, and says so', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.exec('INSERT INTO orders (id, total) VALUES (1, 5)');
    expect(await sql.verifiedGet('orders', 1n, { schema: 'claimed' })).toMatchObject({
      catalog: 'claimed',
      values: { id: 1n, total: 5n },
    });
    const schema = await sql.verifiedSchema('Orders');
    expect(schema).toMatchObject({
      id: 1,
      name: 'orders',
      tx: 1n,
      catalog: 'proven',
      primaryKey: [1],
      columns: [{ name: 'id', autoIncrement: true }, { name: 'total' }],
    });
    expect(await sql.verifiedGet('orders', 1n, { schema })).toMatchObject({
      catalog: 'pinned',
      values: { id: 1n, total: 5n },
    });
    const other = await rejection(sql.verifiedGet('orders', 1n, { schema: { ...schema, id: 2 } }));
    expect(other.code).toBe('PRECONDITION_FAILED');
    await sql.exec('ALTER TABLE orders ADD COLUMN note VARCHAR');
    await sql.exec("INSERT INTO orders (id, total, note) VALUES (2, 6, 'n')");
    expect(await sql.verifiedGet('orders', 1n, { schema })).toMatchObject({ values: { id: 1n, total: 5n } });
  });

  it.each([
    [[5, 1n], 'table'],
    [['orders', 1n, { schema: 'followed' }], 'schema'],
    [['orders', 1n, { schema: { id: 0, columns: [], primaryKey: [] } }], 'schema.id'],
    [['orders', 1n, { schema: { id: 1, columns: [], primaryKey: [] } }], 'schema.columns'],
    [
      ['orders', 1n, { schema: { id: 1, columns: [{ id: 1, name: 'id', type: 'TEXT' }], primaryKey: [1] } }],
      'schema.columns[0].type',
    ],
    [
      [
        'orders',
        1n,
        { schema: { id: 1, columns: [{ id: 1, name: 'id', type: 'INTEGER' }], primaryKey: [2] } },
      ],
      'schema.primaryKey',
    ],
    [['orders', 1n, { atTx: 5 }], 'atTx'],
    [['orders', 1n, { attx: 5n }], 'options'],
    [['orders', undefined], 'pk.id'],
    [['orders', '1'], 'pk.id'],
    [['orders', { id: 1n }, { schema: 'claimed' }], 'pk'],
  ])('refuses bad input %# by name', async (given, argument) => {
    const { client } = await openOrders();
    const error = await rejection(client.sql.verifiedGet(...(given as [string, never])));
    expect(error.argument).toBe(argument);
  });
});

describeSql('verifyRow', () => {
  it('holds rows of other drivers against the proven ones', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    await sql.exec('INSERT INTO alltypes (id, v, u, ts, f, j, bl) VALUES (@id, @v, @u, @ts, @f, @j, @bl)', {
      ...{
        id: 1n,
        v: 'text',
        u: 'ffffffff-0000-4000-8000-00000000abcd',
        ts: sql.timestamp('2026-01-02T03:04:05.678901Z'),
      },
      ...{ f: 2.5, j: '{"a":[1,2],"b":null}', bl: new Uint8Array([1, 2]) },
    });
    const row = {
      ...{
        id: '1',
        v: 'text',
        u: 'FFFFFFFF-0000-4000-8000-00000000ABCD',
        ts: new Date('2026-01-02T03:04:05.678Z'),
      },
      ...{ f: 2.5, j: { b: null, a: [1, 2] }, bl: Buffer.from([1, 2]), i: null },
    };
    expect(await sql.verifyRow(row, 'alltypes', 1n)).toMatchObject({
      matches: true,
      differences: [],
      proven: { tx: 2n },
    });
    const [asked] = await sql.query('SELECT * FROM alltypes WHERE id = 1');
    expect(await sql.verifyRow(asked!, 'alltypes', 1n)).toMatchObject({ matches: true });
    for (const [column, value] of Object.entries({
      id: 2,
      v: 'Text',
      ts: new Date(0),
      f: 2,
      j: { a: [2, 1] },
      bl: Buffer.from([1]),
      i: 0,
      other: null,
    })) {
      const compared = await sql.verifyRow({ ...row, [column]: value }, 'alltypes', 1n);
      expect(compared).toMatchObject({ matches: false, differences: [{ column, given: value }] });
    }
    expect(await sql.verifyRow(row, 'alltypes', 2n)).toEqual({
      matches: false,
      differences: [],
      proven: null,
    });
    expect((await rejection(sql.verifyRow({}, 'alltypes', 2n))).argument).toBe('row');
    expect((await rejection(sql.verifyRow([] as never, 'alltypes', 2n))).argument).toBe('row');
  });
});

describeSql('a row that an honest server stores under another key', () => {
  it('makes no later answer a lie', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.verifiedExec('INSERT INTO orders (id, total) VALUES (1, 1)');
    await sql.verifiedExec('INSERT INTO orders (id, total) VALUES (1, 2) ON CONFLICT DO UPDATE SET id = 5');
    expect(await sql.verifiedGet('orders', 1n)).toMatchObject({ tx: 2n, values: { id: 1n, total: 1n } });
  });
});
