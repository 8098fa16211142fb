// Queries whose rows are proven, and proven to be all: held against plain queries of the same server, and against one that lies.
import { describe, expect, it } from 'vitest';
import { VerificationError } from '#dist/index.js';
import type { SqlParam } from '#dist/index.js';
import { openClient, openWire, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import type { Message } from './lying-server.js';
import { ALL_TYPES, describeSql, openOrders } from './support.js';

/** `orders`, followed. */
async function openFollowed() {
  const opened = await openOrders();
  await opened.client.follow({ ordered: true });
  return opened;
}

describeSql('verifiedQuery', () => {
  it('gives rows of every type as they are stored', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const row: Record<string, SqlParam> = {
      ...{ id: 9007199254740993n, i: -(2n ** 63n), b: true, v: 'ÄÖ日本🎉', bl: new Uint8Array([0, 255]) },
      ...{ u: 'ffffffff-0000-4000-8000-00000000abcd', ts: sql.timestamp('2026-01-02T03:04:05.678901Z') },
      ...{ f: -0, j: '{"b": 1,  "a":12345678901234567890}' },
    };
    await sql.exec(
      'INSERT INTO alltypes (id, i, b, v, bl, u, ts, f, j) VALUES (@id, @i, @b, @v, @bl, @u, @ts, @f, @j)',
      row,
    );
    await sql.exec('INSERT INTO alltypes (id) VALUES (2)');
    await client.follow({ ordered: true });
    const found = await sql.verifiedQuery('SELECT * FROM AllTypes');
    expect(found.rows).toMatchObject([{ id: 2n, i: null, j: null }, row]);
    expect(found.txs).toEqual([3n, 2n]);
    expect(found).toMatchObject({
      table: 'alltypes',
      tableId: 1,
      catalog: 'followed',
      catalogTx: 1n,
      anomalies: [],
    });
    expect(found.provenLatestAt.tx).toBeGreaterThanOrEqual(3n);
    for (const where of [
      'id = 9007199254740993',
      `v = @v AND bl = @bl AND ts = @ts AND i = @i`,
      'f = 0 AND b = TRUE',
      'id > 2 AND id <= 9007199254740993',
    ])
      expect((await sql.verifiedQuery(`SELECT id FROM alltypes WHERE ${where}`, row)).rows).toEqual([
        { id: 9007199254740993n },
      ]);
  });

  it('sees own writes of every kind, and those of others; deletions and new versions too', async () => {
    const { client, database } = await openFollowed();
    const { sql } = client;
    const ids = async () => (await sql.verifiedQuery('SELECT id, total FROM orders')).rows;
    expect(await ids()).toEqual([]);
    await sql.exec('INSERT INTO orders (total) VALUES (5), (6), (7)');
    expect(await ids()).toHaveLength(3);
    await sql.verifiedExec('UPDATE orders SET total = 60 WHERE id = 2');
    const wire = await openWire(database);
    await wire.call('SQLExec', { sql: 'DELETE FROM orders WHERE id = 1' });
    expect(await ids()).toEqual([
      { id: 2n, total: 60n },
      { id: 3n, total: 7n },
    ]);
    await wire.call('SQLExec', { sql: 'INSERT INTO orders (total) VALUES (1)' });
    for (let i = 0; i < 20; i++) {
      await sql.verifiedExec`UPDATE orders SET total = ${BigInt(i)} WHERE id = 3`;
      expect((await sql.verifiedQuery`SELECT total FROM orders WHERE id = ${3n}`).rows).toEqual([
        { total: BigInt(i) },
      ]);
    }
    expect(await ids()).toHaveLength(3);
    await wire.call('SQLExec', { sql: 'ALTER TABLE orders RENAME COLUMN total TO amount' });
    const { rows } = await sql.verifiedQuery('SELECT amount AS a FROM orders AS o WHERE o.amount = 1');
    expect(rows).toEqual([{ a: 1n }]);
    expect((await rejection(sql.verifiedQuery('SELECT total FROM orders'))).code).toBe('NOT_FOUND');
    expect((await rejection(sql.verifiedQuery('SELECT * FROM nope'))).code).toBe('NOT_FOUND');
  });

  it('reads rows with columns that are dropped, and made anew', async () => {
    const { client } = await openFollowed();
    const { sql } = client;
    await sql.exec('ALTER TABLE orders ADD COLUMN note VARCHAR[8]');
    await sql.exec("INSERT INTO orders (total, note) VALUES (1, 'old')");
    await sql.exec('ALTER TABLE orders DROP COLUMN note');
    await sql.exec('ALTER TABLE orders ADD COLUMN note VARCHAR[8]');
    await sql.exec("INSERT INTO orders (total, note) VALUES (2, 'new')");
    expect((await sql.verifiedQuery('SELECT * FROM orders')).rows).toEqual([
      { id: 1n, total: 1n, note: null },
      { id: 2n, total: 2n, note: 'new' },
    ]);
  });

  it('tells of a row under another key than its own, which honest servers write', async () => {
    const { client } = await openFollowed();
    const { sql } = client;
    await sql.exec('INSERT INTO orders (id, total) VALUES (1, 1)');
    await sql.exec('INSERT INTO orders (id, total) VALUES (1, 2) ON CONFLICT DO UPDATE SET id = 5');
    const { anomalies, rows } = await sql.verifiedQuery('SELECT * FROM orders');
    expect(rows).toMatchObject([{ id: 5n }]);
    expect(anomalies).toMatchObject([{ anomaly: 'key', tx: 3n }]);
  });

  it('of many rows: in order, with LIMIT and OFFSET, and no more than maxRows', async () => {
    const { client } = await openFollowed();
    const { sql } = client;
    const rows = Array.from({ length: 3000 }, (_, i) => `(${(i * 7919) % 3000})`);
    for (let i = 0; i < 3; i++)
      await sql.exec(`INSERT INTO orders (total) VALUES ${rows.slice(1000 * i, 1000 * i + 1000).join()}`);
    const all = await sql.verifiedQuery('SELECT total FROM orders ORDER BY total DESC');
    expect(all.rows.map(({ total }) => total)).toEqual(
      Array.from({ length: 3000 }, (_, i) => BigInt(2999 - i)),
    );
    const few = await sql.verifiedQuery('SELECT total FROM orders ORDER BY total LIMIT 3 OFFSET 10', [], {
      maxRows: 20,
    });
    expect(few.rows).toEqual([{ total: 10n }, { total: 11n }, { total: 12n }]);
    expect((await sql.verifiedQuery('SELECT id FROM orders LIMIT 2 OFFSET 2999')).rows).toEqual([
      { id: 3000n },
    ]);
    const error = await rejection(sql.verifiedQuery('SELECT id FROM orders', [], { maxRows: 2999 }));
    expect(error.code).toBe('LIMIT_EXCEEDED');
    expect((await sql.verifiedQuery('SELECT id FROM orders', [], { maxRows: 3000 })).rows).toHaveLength(3000);
  });

  it('is NOT_PROVABLE where it is not computed over proven rows, and never the word of the server', async () => {
    const { client } = await openFollowed();
    const { sql } = client;
    await sql.exec('CREATE TABLE docs (id INTEGER, j JSON, b BOOLEAN, PRIMARY KEY id)');
    await sql.exec('INSERT INTO orders (total) VALUES (5)');
    for (const text of [
      'SELECT DISTINCT total FROM orders',
      'SELECT id FROM orders, docs',
      'SELECT id + 1 FROM orders',
      'SELECT id FROM orders WHERE id + 1 = 2',
      "SELECT id FROM orders WHERE total LIKE 'a%'",
      'SELECT id FROM orders WHERE id = NOW()',
      'SELECT id FROM (SELECT id FROM orders)',
      'SELECT id FROM orders UNION SELECT id FROM docs',
      'SELECT id FROM (HISTORY OF orders)',
      'SELECT id FROM orders BEFORE TX 2',
      "SELECT id FROM orders WHERE total = 'x'",
      'SELECT id FROM docs WHERE b',
      "SELECT id FROM docs WHERE j = '1'",
      'SELECT id FROM docs ORDER BY j',
      'SELECT others.id FROM orders',
      'SELECT id, id FROM orders',
      'SELECT id FROM orders ORDER BY 1',
      `SELECT id FROM orders WHERE ${'('.repeat(200)}id = 1${')'.repeat(200)}`,
      'SELECT',
      'SHOW TABLES',
    ]) {
      const error = await rejection(sql.verifiedQuery(text));
      expect(error.code, text).toBe('NOT_PROVABLE');
    }
    for (const [text, params] of [
      ['SELECT id FROM orders LIMIT 0', []],
      ['SELECT id FROM orders LIMIT 1.5', []],
      ['SELECT id FROM orders WHERE id = @id', {}],
      ['SELECT id FROM orders; SELECT id FROM orders', []],
      ['', []],
    ] as const)
      expect((await rejection(sql.verifiedQuery(text, params))).code, text).toBe('INVALID_ARGUMENT');
  });

  it('needs a database that is followed from genesis, with its keys in order', async () => {
    const { client } = await openOrders();
    const query = () => rejection(client.sql.verifiedQuery('SELECT * FROM orders'));
    expect((await query()).code).toBe('NOT_PROVABLE');
    await client.follow();
    expect((await query()).message).toContain('ordered');
    await client.follow({ from: 'head', ordered: true });
    expect((await query()).code).toBe('NOT_PROVABLE');
  });
});

describeSql('what verifiedQuery computes', () => {
  it('is what the server computes: conditions over values and NULL, orders, limits', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(
      'CREATE TABLE t (a INTEGER, c VARCHAR[8], n INTEGER, f FLOAT, b BOOLEAN, v VARCHAR, s TIMESTAMP, x BLOB, PRIMARY KEY (c, a))',
    );
    let seed = 16;
    const random = (below: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below;
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    const texts = ['', 'a', 'b', 'ab', 'Z', 'é', '🎉', '日', "it's"];
    const times = [-1n, 0n, 1n, 1_700_000_000_000_001n].map((micros) => sql.timestamp(micros));
    const blobs = [new Uint8Array(), new Uint8Array([0]), new Uint8Array([255]), new Uint8Array([0, 1])];
    const columns: Record<string, readonly SqlParam[]> = {
      a: [-2n, -1n, 0n, 1n, 2n, 9007199254740993n],
      c: texts,
      n: [null, -1n, 0n, 1n, 2n, 3n],
      f: [null, -1.5, -0, 0.5, 1, 2.5, NaN, Infinity],
      b: [null, true, false],
      v: [null, ...texts],
      s: [null, ...times],
      x: [null, ...blobs],
    };
    for (let i = 0; i < 60; i++) {
      const row = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, pick(values)]));
      await sql.exec('UPSERT INTO t (a, c, n, f, b, v, s, x) VALUES (@a, @c, @n, @f, @b, @v, @s, @x)', row);
    }
    await client.follow({ ordered: true });
    const params: Record<string, SqlParam> = {};
    const value = (name: string) => {
      const key = `p${Object.keys(params).length}`;
      params[key] = pick(columns[name]!);
      return `@${key}`;
    };
    const single = (): string => {
      const name = pick(Object.keys(columns));
      switch (random(6)) {
        case 0:
          return `${name} IS ${pick(['', 'NOT '])}NULL`;
        case 1:
          return `${name} IN (${value(name)}, ${value(name)})`;
        case 2:
          return pick(['n < a', 'a = n', 'v >= c', 'n < 1.5', 'f >= 1', '0.5 < a', 'f = 0', 'a > -1']);
        default:
          return `${name} ${pick(['=', '!=', '<>', '<', '<=', '>', '>='])} ${value(name)}`;
      }
    };
    const condition = (depth: number): string => {
      if (depth === 0) return single();
      switch (random(4)) {
        case 0:
          return `(${condition(depth - 1)} OR ${condition(depth - 1)})`;
        case 1:
          return `NOT (${condition(depth - 1)})`;
        default:
          return `${condition(depth - 1)} AND ${condition(depth - 1)}`;
      }
    };
    const count = (await sql.verifiedQuery('SELECT a FROM t')).rows.length;
    let [some, refused] = [0, 0];
    for (let i = 0; i < 150; i++) {
      for (const key of Object.keys(params)) Reflect.deleteProperty(params, key);
      const where = condition(random(3));
      const order =
        random(2) === 0 ? '' : ` ORDER BY ${pick(['n', 'v', 's', 'b', 'x'])}${pick(['', ' DESC'])}, c, a`;
      const text = `SELECT c, a, n, f FROM t WHERE ${where}${order}`;
      const told = await sql.query(text, params).catch((error: unknown) => error as Error);
      if (told instanceof Error) {
        refused++;
        continue;
      }
      const { rows } = await sql.verifiedQuery(text, params);
      expect(rows, `${text} ${JSON.stringify(params, (_, each: unknown) => String(each))}`).toEqual(told);
      if (rows.length > 0 && rows.length < count) some++;
    }
    expect(some).toBeGreaterThan(60);
    // The server compares some NULL with nothing of another type.
    expect(refused).toBeLessThan(30);
    for (const text of [
      "SELECT a FROM t WHERE v = 'it''s' AND a >= -2",
      "SELECT a, c FROM t WHERE x = x'0001' OR c = 'é'",
      'SELECT a, c FROM t WHERE n BETWEEN 0 AND 2 LIMIT 3 OFFSET 1',
      'SELECT t.a, t.c FROM t WHERE NOT t.a = 1 -- all the others',
    ])
      expect((await sql.verifiedQuery(text)).rows, text).toEqual(await sql.query(text));
  });
});

describe('a server that lies', () => {
  const server = new LyingServer();

  /** A client before whose server the proxy stands, with three rows, which is followed. */
  async function opened() {
    const { client } = await server.open();
    await client.sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    await client.sql.exec('INSERT INTO orders (id, total) VALUES (1, 10), (2, 20)');
    await client.sql.exec('INSERT INTO orders (id, total) VALUES (3, 30)');
    await client.follow({ ordered: true });
    await client.sql.verifiedSchema('orders');
    return client;
  }

  const entriesOf = (tx: Message, change: (entries: Message[]) => Message[]) => ({
    ...tx,
    entries: change(tx.entries),
  });

  describeSql('about the rows of a query', () => {
    it.each<[string, (txs: Message[]) => Message[]]>([
      [
        'another value',
        (txs) =>
          txs.map((tx) =>
            entriesOf(tx, (entries) =>
              entries.map((entry) => ({ ...entry, value: Buffer.from([...entry.value.subarray(0, -1), 9]) })),
            ),
          ),
      ],
      [
        'values of two rows exchanged',
        (txs) =>
          txs.map((tx) =>
            entriesOf(tx, (entries) =>
              entries.map((entry, i) => ({ ...entry, value: entries[entries.length - 1 - i].value })),
            ),
          ),
      ],
      ['a row is left out', (txs) => txs.map((tx) => entriesOf(tx, (entries) => entries.slice(1)))],
    ])('%s: refused', async (_, change) => {
      const client = await opened();
      server.lieOnValues(change);
      const error = await rejection(client.sql.verifiedQuery('SELECT * FROM orders'));
      expect(error).toBeInstanceOf(VerificationError);
      expect(error.evidence.check).toBe('sql.value');
      server.tellTheTruth();
      expect((await client.sql.verifiedQuery('SELECT * FROM orders')).rows).toHaveLength(3);
    });

    it.each<[string, (txs: Message[]) => Message[]]>([
      ['fewer transactions', (txs) => txs.slice(1)],
      ['other ones', (txs) => [...txs].reverse()],
      ['more', (txs) => [...txs, ...txs]],
    ])('%s: refused too', async (_, change) => {
      const client = await opened();
      server.lieOnValues(change);
      const error = await rejection(client.sql.verifiedQuery('SELECT * FROM orders'));
      expect(error.evidence.check).toBe('sql.value');
    });

    it('a value that is gone is said to be so', async () => {
      const client = await opened();
      server.lieOnValues((txs) =>
        txs.map((tx) =>
          entriesOf(tx, (entries) => entries.map((entry) => ({ ...entry, value: Buffer.alloc(0) }))),
        ),
      );
      expect((await rejection(client.sql.verifiedQuery('SELECT * FROM orders'))).code).toBe('TRUNCATED');
    });
  });
});
