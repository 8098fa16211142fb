// Statements and rows by the server's word: every type both ways, parameters, templates, streams; and what is refused unsent.
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { SqlParam } from '#dist/index.js';
import { openClient, rejection } from '../trust/support.js';
import { ALL_TYPES, describeSql, openOrders } from './support.js';

describeSql('values', () => {
  it('of every type come back exactly', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const rows: Record<string, SqlParam>[] = [
      {
        ...{
          id: 9007199254740993n,
          i: -(2n ** 63n),
          b: true,
          v: 'ÄÖ日本🎉\u0000x',
          bl: new Uint8Array([0, 255]),
        },
        ...{ u: 'ffffffff-0000-4000-8000-00000000abcd', ts: sql.timestamp('2026-01-02T03:04:05.678901Z') },
        ...{ f: -0, j: '{"a":[1,2]}' },
      },
      { id: 2n, i: null, b: null, v: null, bl: null, u: null, ts: null, f: null, j: null },
      {
        ...{ id: 3n, i: 2n ** 63n - 1n, b: false, v: '', bl: new Uint8Array(0) },
        ...{ u: '00000000-0000-0000-0000-000000000000', ts: sql.timestamp(-1n), f: Infinity, j: '"text"' },
      },
      {
        ...{ id: 4n, i: 7n, b: false, v: 'x', bl: null, u: null },
        ...{ ts: sql.timestamp('1969-12-31T23:59:59.000001Z'), f: NaN, j: '[]' },
      },
    ];
    const insert =
      'INSERT INTO alltypes (id, i, b, v, bl, u, ts, f, j) VALUES (@id, @i, @b, @v, @bl, @u, @ts, @f, @j)';
    for (const row of rows) await sql.exec(insert, row);
    const read = await sql.query('SELECT * FROM alltypes ORDER BY id');
    expect(read).toEqual([rows[1], rows[2], rows[3], rows[0]]);
    const [first] = await sql.query('SELECT f, ts, id FROM alltypes WHERE i = ?', [-(2n ** 63n)]);
    expect(Object.is(first?.['f'], -0)).toBe(true);
    expect(JSON.parse(JSON.stringify(first))).toEqual({
      f: '-0',
      ts: '2026-01-02T03:04:05.678901Z',
      id: '9007199254740993',
    });
    expect(String(first?.['ts'])).toBe('2026-01-02T03:04:05.678901Z');
  });

  it('of columns whose names mean something in JavaScript are those of columns', async () => {
    const { client } = await openClient();
    const { sql } = client;
    const names = ['__proto__', 'constructor', 'tojson', 'hasownproperty', 'tostring'];
    const columns = names.map((name) => `${name} INTEGER`).join();
    await sql.exec(`CREATE TABLE __proto__ (id INTEGER AUTO_INCREMENT, ${columns}, PRIMARY KEY id)`);
    const written = await sql.verifiedExec(
      `INSERT INTO __proto__ (${names.join()}) VALUES (${names.map((_, i) => i).join()})`,
    );
    const row = { id: 1n, ...Object.fromEntries(names.map((name, i) => [name, BigInt(i)])) };
    const [shown] = await sql.query('SELECT * FROM __proto__');
    const proven = await sql.verifiedGet('__proto__', { id: 1n });
    const { matches } = await sql.verifyRow(row, '__proto__', 1n);
    for (const found of [shown, proven?.values, written.txs[0]?.rows[0]?.values]) {
      expect(Object.entries(found!)).toEqual(Object.entries(row));
      expect(Object.getPrototypeOf(found)).toBe(Object.getPrototypeOf(written.firstInserted));
      expect(inspect(found)).toBe(inspect(row));
      expect(Object.entries(JSON.parse(JSON.stringify(found)) as object)).toEqual(
        Object.entries(row).map(([name, value]) => [name, value.toString()]),
      );
    }
    expect(matches).toBe(true);
    expect(Object.entries(written.lastInserted)).toEqual([['__proto__', 1n]]);
    await sql.exec('UPDATE __proto__ SET constructor = NULL WHERE id = 1');
    expect(inspect(await sql.query('SELECT constructor FROM __proto__'))).toBe('[ { constructor: null } ]');
  });

  it('of JavaScript are what they are in SQL', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const at = new Date('2020-02-02T02:02:02.222Z');
    await sql.exec('INSERT INTO alltypes (id, f, ts, i, v) VALUES (?, ?, ?, ?, ?)', [1, 3, at, 2 ** 40, 'v']);
    await sql.exec('INSERT INTO alltypes (id, f, ts, i, v) VALUES ($2, $1, $3, $2, $4)', [
      0.5,
      2,
      '2020-02-02 02:02:02',
      'w',
    ]);
    const rows = await sql.query('SELECT id, f, ts, i, v FROM alltypes');
    expect(rows).toEqual([
      { id: 1n, f: 3, ts: sql.timestamp(at), i: 2n ** 40n, v: 'v' },
      { id: 2n, f: 0.5, ts: sql.timestamp('2020-02-02T02:02:02Z'), i: 2n, v: 'w' },
    ]);
    expect((rows[0]?.['ts'] as { toDate(): Date }).toDate()).toEqual(at);
  });

  it('by template are parameters, whatever they hold', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.exec('CREATE TABLE notes (id INTEGER, text VARCHAR, PRIMARY KEY id)');
    const text = "'); DROP TABLE orders; --";
    await sql.exec`INSERT INTO notes (id, text) VALUES (${1n}, ${text})`;
    expect(await sql.query<{ text: string }>`SELECT text FROM notes WHERE text = ${text}`).toEqual([
      { text },
    ]);
    const found = sql.statement`SELECT id FROM notes WHERE id = ${1n}`;
    expect(await sql.query(found, { maxRows: 1 })).toEqual([{ id: 1n }]);
    const streamed = [];
    for await (const row of sql.stream`SELECT id, text FROM notes WHERE id < ${5n}`) streamed.push(row);
    expect(streamed).toEqual([{ id: 1n, text }]);
    expect(await sql.tables()).toEqual(['orders', 'notes']);
  });
});

describeSql('statements', () => {
  it('say what they have done', async () => {
    const { client } = await openOrders();
    const first = await client.sql.exec('INSERT INTO orders (total) VALUES (1), (2), (3)');
    expect(first).toMatchObject({
      updatedRows: 3,
      firstInserted: { orders: 1n },
      lastInserted: { orders: 3n },
    });
    expect(first.txs).toHaveLength(1);
    const second = await client.sql.exec(
      'UPDATE orders SET total = 5 WHERE id > 1; DELETE FROM orders WHERE id = 1',
    );
    expect(second).toMatchObject({ updatedRows: 3 });
    expect(second.txs).toMatchObject([{ tx: first.txs[0]!.tx + 1n }]);
    expect(await client.sql.exec('DELETE FROM orders WHERE id = 1')).toMatchObject({
      txs: [],
      updatedRows: 0,
    });
    expect(JSON.parse(JSON.stringify(first))).toMatchObject({ lastInserted: { orders: '3' } });
  });

  it('are one transaction: what comes before one that fails is not written', async () => {
    const { client } = await openOrders();
    const error = await rejection(
      client.sql.exec(
        'INSERT INTO orders (id, total) VALUES (7, 1); INSERT INTO orders (id, total) VALUES (7, 2)',
      ),
    );
    expect(error.code).toBe('PRECONDITION_FAILED');
    expect(await client.sql.query('SELECT id FROM orders')).toEqual([]);
  });

  it.each([
    ['a missing name', 'SELECT id FROM orders WHERE id = @id AND total = @Sum', { id: 1n }, 'params', '@sum'],
    ['no params for a name', 'SELECT id FROM orders WHERE id = @id', undefined, 'params', '@id'],
    ['a missing position', 'SELECT id FROM orders WHERE id = ? AND total = ?', [1n], 'params', 'parameter 2'],
    [
      'a missing number',
      'SELECT id FROM orders WHERE id = $1 AND total = $3',
      [1n, 2n],
      'params',
      'parameter 3',
    ],
    ['no params for a position', 'SELECT id FROM orders WHERE id = ?', undefined, 'params', 'parameter 1'],
    ['a surplus position', 'SELECT id FROM orders WHERE id = ?', [1n, 2n], 'params', 'holds 2 values'],
    ['names given by position', 'SELECT id FROM orders WHERE id = @id', [1n], 'params', 'must be an object'],
    [
      'positions given by name',
      'SELECT id FROM orders WHERE id = ?',
      { id: 1n },
      'params',
      'must be an array',
    ],
    ['one name twice', 'SELECT id FROM orders WHERE id = @id', { id: 1n, ID: 2n }, 'params.ID', 'twice'],
    ['names and positions', 'SELECT id FROM orders WHERE id = @id AND total = ?', [1n], 'sql', 'not both'],
    [
      'both kinds of positions',
      'SELECT id FROM orders WHERE id = $1 AND total = ?',
      [1n, 1n],
      'sql',
      'not both',
    ],
    ['undefined', 'SELECT id FROM orders WHERE id = @id', { id: undefined }, 'params.id', 'undefined'],
    ['an object', 'SELECT id FROM orders WHERE id = @id', { id: { a: 1 } }, 'params.id', 'JSON.stringify'],
    ['an integer of 65 bits', 'SELECT id FROM orders WHERE id = @id', { id: 2n ** 63n }, 'params.id', '2^63'],
    ['half a character', 'SELECT id FROM orders WHERE id = @id', { id: '\ud800' }, 'params.id', 'surrogate'],
    ['an invalid date', 'SELECT id FROM orders WHERE id = ?', [new Date(NaN)], 'params[0]', 'invalid Date'],
    ['a symbol', 'SELECT id FROM orders WHERE id = ?', [Symbol('x')], 'params[0]', 'symbol'],
    ['nothing', '', undefined, 'sql', 'empty'],
    ['no statement', ' ; -- nothing\n /* nor here', undefined, 'sql', 'no statement'],
    ['two statements', 'SELECT id FROM orders; SELECT total FROM orders', undefined, 'sql', 'more than one'],
    ['a number', 5, undefined, 'sql', 'must be a string'],
    ['a text of params', 'SELECT id FROM orders', 'x', 'params', 'array or an object'],
  ])('with %s are refused before they are sent, by name', async (_, text, params, argument, words) => {
    const { client } = await openClient({ address: '127.0.0.1:1' });
    const error = await rejection(client.sql.query(text as string, params as never));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
    expect(error.message).toContain(words);
  });

  it.each([
    ['BEGIN TRANSACTION; INSERT INTO orders (total) VALUES (1); COMMIT', 'BEGIN'],
    ['INSERT INTO orders (total) VALUES (1); COMMIT', 'COMMIT'],
    ['/* x */ rollback', 'ROLLBACK'],
    ['SAVEPOINT a', 'SAVEPOINT'],
    ["INSERT INTO orders (total) VALUES ('''x;'); ROLLBACK TO SAVEPOINT a", 'ROLLBACK'],
    ['INSERT INTO orders (total) VALUES (1) -- ;\n RETURNING id', 'RETURNING'],
    ['USE DATABASE defaultdb', 'USE'],
    ['SELECT id FROM orders', 'SELECT'],
    ['SHOW TABLES', 'SHOW'],
  ])('%s is refused with its reason', async (text, word) => {
    const { client } = await openClient({ address: '127.0.0.1:1' });
    const error = await rejection(client.sql.exec(text));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', 'sql']);
    expect(error.message).toContain(`cannot hold ${word}: `);
  });

  it('may have these words in texts, comments and names', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.exec(`CREATE TABLE "Words" ("Id" INTEGER, v VARCHAR, PRIMARY KEY "Id"); -- COMMIT;`);
    await sql.exec("INSERT INTO words (id, v) VALUES (1, 'it''s; COMMIT @x ? $1'); /* SAVEPOINT @y */");
    expect(await sql.query("SELECT id, v FROM words WHERE v LIKE 'it%' -- @z")).toEqual([
      { id: 1n, v: "it's; COMMIT @x ? $1" },
    ]);
  });

  it('are told apart by what is wrong with them', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.exec('CREATE TABLE long (k VARCHAR[502], PRIMARY KEY k)');
    await sql.exec('INSERT INTO orders (id, total) VALUES (1, 1)');
    const codes = async (call: Promise<unknown>) => (await rejection(call)).code;
    expect(await codes(sql.query('SELECT id FROM nope'))).toBe('NOT_FOUND');
    expect(await codes(sql.query('SELECT nope FROM orders'))).toBe('NOT_FOUND');
    expect(await codes(sql.exec('INSERT INTO nope (id) VALUES (1)'))).toBe('NOT_FOUND');
    expect(await codes(sql.describe('nope'))).toBe('NOT_FOUND');
    expect(await codes(sql.exec('INSERT INTO orders (id, total) VALUES (1, 2)'))).toBe('PRECONDITION_FAILED');
    expect(await codes(sql.exec("INSERT INTO long (k) VALUES ('k')"))).toBe('LIMIT_EXCEEDED');
    expect(await codes(sql.exec('INSERT INTO'))).toBe('SERVER_REFUSED');
    expect(await codes(sql.query('INSERT INTO orders (total) VALUES (1)'))).toBe('SERVER_REFUSED');
  });
});

describeSql('rows', () => {
  it('are any number, streamed with flat memory', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    const values = Array.from({ length: 1000 }, (_, i) => `(${i})`).join();
    for (let i = 0; i < 6; i++) await sql.exec(`INSERT INTO orders (total) VALUES ${values}`);
    let [seen, last] = [0, 0n];
    for await (const { id } of sql.stream<{ id: bigint }>('SELECT id, total FROM orders', undefined, {
      timeoutMs: 60_000,
    })) {
      expect(id).toBe(last + 1n);
      last = id;
      seen++;
    }
    expect(seen).toBe(6000);
    expect(await sql.query('SELECT id FROM orders')).toHaveLength(6000);
    const error = await rejection(sql.query('SELECT id FROM orders', undefined, { maxRows: 5999 }));
    expect([error.code, error.message]).toEqual(['LIMIT_EXCEEDED', expect.stringContaining('5999')]);
    // Leaving early ends the call, and the client goes on.
    for await (const row of sql.stream('SELECT id FROM orders')) {
      expect(row).toEqual({ id: 1n });
      break;
    }
    expect(await sql.query('SELECT COUNT(*) AS c FROM orders')).toEqual([{ c: 6000n }]);
  });

  it('have columns that can be told apart', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await sql.exec('INSERT INTO orders (total) VALUES (5)');
    const joined = await sql.query(
      'SELECT a.id, b.id, a.total FROM orders AS a INNER JOIN orders AS b ON a.id = b.id',
    );
    expect(joined).toEqual([{ 'a.id': 1n, 'b.id': 1n, total: 5n }]);
    expect(await sql.query('SELECT id, id, total + 1 FROM orders')).toEqual([
      { 'orders.id': 1n, 'orders.id:2': 1n, col2: 6n },
    ]);
  });

  it('of no result are none', async () => {
    const { client } = await openOrders();
    expect(await client.sql.query('SELECT * FROM orders')).toEqual([]);
    for await (const row of client.sql.stream('SELECT * FROM orders')) expect(row).toBe('none');
  });

  it('of a stream end with the caller', async () => {
    const { client } = await openOrders();
    const over = new AbortController();
    over.abort(new Error('enough'));
    const rows = client.sql.stream('SELECT * FROM orders', undefined, { signal: over.signal });
    expect((await rejection(rows.next())).code).toBe('ABORTED');
    expect(() => client.sql.stream('SELECT * FROM orders', undefined, { maxRows: 1 } as never)).toThrow(
      'maxRows',
    );
  });
});

describeSql('tables', () => {
  it('are listed and described', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(
      'CREATE TABLE t (id INTEGER AUTO_INCREMENT, v VARCHAR[10] NOT NULL, f FLOAT, PRIMARY KEY id)',
    );
    await sql.exec('CREATE UNIQUE INDEX ON t (v)');
    expect(await sql.tables()).toEqual(['t']);
    const common = { nullable: true, autoIncrement: false, primaryKey: false, indexed: false, unique: false };
    expect(await sql.describe('T')).toEqual([
      {
        ...common,
        name: 'id',
        type: 'INTEGER',
        autoIncrement: true,
        primaryKey: true,
        indexed: true,
        unique: true,
      },
      { ...common, name: 'v', type: 'VARCHAR', maxLength: 10, nullable: false, indexed: true, unique: true },
      { ...common, name: 'f', type: 'FLOAT' },
    ]);
    expect((await rejection(sql.describe(5 as never))).argument).toBe('table');
  });
});
