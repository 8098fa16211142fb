// Joins, groups and what is computed over them: held against plain queries of the same server, against what they must be, and against a
// server that lies.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { VerificationError } from '#dist/index.js';
import type { ImmuClient, SqlRow } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { openClient, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import type { Message } from './lying-server.js';
import { describeSql } from './support.js';

const ITEMS = `CREATE TABLE items (id INTEGER, g VARCHAR[8], n INTEGER, f FLOAT, b BOOLEAN, s TIMESTAMP, x BLOB[8], u UUID, j JSON,
  PRIMARY KEY id)`;
const LINES =
  'CREATE TABLE lines (k VARCHAR[4], id INTEGER, item INTEGER, g VARCHAR[16], amount FLOAT, PRIMARY KEY (k, id))';

/** The same numbers every time. */
function dice(seed: number) {
  let state = seed;
  const random = (below: number) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 8) % below;
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  return { random, pick };
}

/** `items` and `lines` with rows of all kinds of values, followed. */
async function openTables(seed = 7) {
  const { client, database } = await openClient();
  const { sql } = client;
  const { pick, random } = dice(seed);
  await sql.exec(ITEMS);
  await sql.exec(LINES);
  const times = [null, -1n, 0n, 1_700_000_000_000_001n].map((at) => (at === null ? null : sql.timestamp(at)));
  const uuids = [null, 'ffffffff-0000-4000-8000-00000000abcd', '00000000-0000-4000-8000-000000000001'];
  for (let i = 0; i < 40; i++)
    await sql.exec('UPSERT INTO items (id, g, n, f, b, s, x, u) VALUES (@id, @g, @n, @f, @b, @s, @x, @u)', {
      id: BigInt(random(30) - 5),
      g: pick([null, '', 'a', 'b', 'ab', 'é', '日']),
      n: pick([null, -7n, -2n, 0n, 1n, 2n, 3n, 2n ** 63n - 1n]),
      f: pick([null, -1.5, 0.1, 0.2, 0.25, 1, 2, 3]),
      b: pick([null, true, false]),
      s: pick(times),
      x: pick([null, new Uint8Array(), new Uint8Array([0]), new Uint8Array([255, 1])]),
      u: pick(uuids),
    });
  for (let i = 0; i < 60; i++)
    await sql.exec('UPSERT INTO lines (k, id, item, g, amount) VALUES (@k, @id, @item, @g, @amount)', {
      k: pick(['p', 'q', 'r']),
      id: BigInt(random(25)),
      item: pick([null, ...Array.from({ length: 12 }, (_, n) => BigInt(n - 3))]),
      g: pick([null, 'a', 'b', 'long']),
      amount: pick([null, 1, 2, 2.5, -3]),
    });
  await client.follow({ ordered: true });
  return { client, database, random, pick };
}

const shown = (row: unknown) =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));

/** In an order of their own. */
const sorted = (rows: readonly SqlRow[]) => rows.map(shown).sort();

async function same(client: ImmuClient, text: string, ordered = false) {
  const told = await client.sql.query(text);
  const { rows } = await client.sql.verifiedQuery(text);
  if (ordered) expect(rows, text).toEqual(told);
  else expect(sorted(rows), text).toEqual(sorted(told));
  return rows;
}

describeSql('groups that verifiedQuery computes', () => {
  it('are those of the server: over all types, with and without rows', async () => {
    const { client } = await openTables();
    const all = 'COUNT(*), COUNT(n), SUM(n), AVG(n), MIN(n), MAX(n), SUM(f), AVG(f), MIN(f), MAX(f)';
    for (const text of [
      `SELECT ${all} FROM items`,
      `SELECT ${all} FROM items WHERE id > 1000`,
      'SELECT MIN(g), MAX(g), MIN(b), MAX(b), MIN(s), MAX(s), MIN(x), MAX(x), MIN(u), MAX(u), COUNT(u) FROM items',
      'SELECT MIN(g), MAX(b), MIN(s), MAX(x), MIN(u), COUNT(s) FROM items WHERE id > 1000',
      `SELECT g, ${all} FROM items GROUP BY g`,
      'SELECT g FROM items GROUP BY g',
      'SELECT COUNT(*) FROM items GROUP BY b, g',
      'SELECT b, COUNT(*) AS c, g FROM items GROUP BY g, b',
      'SELECT n, COUNT(*) FROM items GROUP BY n',
      'SELECT s, x, u, COUNT(*) FROM items GROUP BY s, x, u',
      'SELECT id, SUM(n) FROM items GROUP BY id',
      'SELECT i.g, COUNT(i.n) FROM items AS i WHERE i.n < 3 GROUP BY i.g',
      'SELECT g, COUNT(*) FROM items WHERE id > 1000 GROUP BY g',
      'SELECT COUNT(*) FROM items OFFSET 1',
      'SELECT k, COUNT(*), SUM(amount) FROM lines GROUP BY k',
      "SELECT k, COUNT(*) FROM lines WHERE k = 'p' AND id < 10 GROUP BY k",
    ])
      await same(client, text);
    for (const text of [
      'SELECT g, COUNT(*) FROM items GROUP BY g ORDER BY g',
      'SELECT g, COUNT(*) FROM items GROUP BY g ORDER BY g DESC LIMIT 3 OFFSET 1',
      'SELECT b, g, SUM(n) AS total FROM items GROUP BY b, g ORDER BY b DESC, g',
      'SELECT g, COUNT(*) AS c FROM items GROUP BY g ORDER BY c DESC, g',
      'SELECT g, SUM(n) AS c FROM items GROUP BY g ORDER BY SUM(n), g',
      'SELECT b, g, COUNT(*) FROM items GROUP BY b, g ORDER BY COUNT(*) DESC, g, b LIMIT 4',
    ])
      await same(client, text, true);
  });

  it('are those of the server, of random queries', async () => {
    const { client, random, pick } = await openTables(11);
    const columns = ['g', 'n', 'b', 's', 'x', 'u'];
    const aggregate = () => {
      const column = pick([...columns, 'f']);
      const ofNumbers = column === 'n' || column === 'f' ? [`SUM(${column})`, `AVG(${column})`] : [];
      return pick(['COUNT(*)', `COUNT(${column})`, `MIN(${column})`, `MAX(${column})`, ...ofNumbers]);
    };
    const conditions = [
      'n < 3',
      'g IS NOT NULL',
      "g IN ('a', 'b') OR b = TRUE",
      'id BETWEEN -2 AND 12',
      'NOT b = FALSE',
    ];
    let rows = 0;
    for (let i = 0; i < 120; i++) {
      const by = [...new Set(Array.from({ length: random(3) }, () => pick(columns)))];
      const selected = [...by, ...Array.from({ length: 1 + random(3) }, aggregate)];
      const where = random(4) > 0 ? ` WHERE ${pick(conditions)}` : '';
      const group = by.length > 0 ? ` GROUP BY ${by.join(', ')}` : '';
      const isOrdered = by.length > 0 && random(2) === 0;
      const order = isOrdered ? ` ORDER BY ${by.map((each) => each + pick(['', ' DESC'])).join(', ')}` : '';
      const text = `SELECT ${selected.join(', ')} FROM items${where}${group}${order}`;
      rows += (await same(client, text, isOrdered)).length;
    }
    expect(rows).toBeGreaterThan(300);
  });

  it('tell the newest transaction of their rows, and the tables', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec('CREATE TABLE t (id INTEGER, g INTEGER, PRIMARY KEY id)');
    await sql.exec('CREATE TABLE o (id INTEGER, PRIMARY KEY id)');
    await sql.exec('INSERT INTO t (id, g) VALUES (1, 1), (2, 2), (3, 1)');
    await sql.exec('INSERT INTO o (id) VALUES (2)');
    await sql.exec('UPDATE t SET g = 2 WHERE id = 3');
    await client.follow({ ordered: true });
    const groups = await sql.verifiedQuery('SELECT g, COUNT(*) FROM t GROUP BY g');
    expect(groups).toMatchObject({
      txs: [3n, 5n],
      table: 't',
      tables: [{ table: 't', tableId: 1, catalogTx: 1n }],
    });
    expect((await sql.verifiedQuery('SELECT COUNT(*) FROM t WHERE id = 9')).txs).toEqual([0n]);
    const joined = await sql.verifiedQuery('SELECT t.id FROM t JOIN o ON o.id = t.g');
    expect(joined).toMatchObject({ rows: [{ id: 2n }, { id: 3n }], txs: [4n, 5n], catalogTx: 1n });
    expect(joined.tables.map(({ table, catalogTx }) => [table, catalogTx])).toEqual([
      ['t', 1n],
      ['o', 2n],
    ]);
  });

  it('are as many as maxRows, of tables that are joined too', async () => {
    const { client } = await openTables();
    const limits: [string, number][] = [
      ['SELECT id, COUNT(*) FROM items GROUP BY id', 5],
      ['SELECT i.id FROM lines l JOIN items i ON i.id = l.item LIMIT 1', 10],
      ['SELECT i.id FROM items i JOIN lines l ON i.g = l.g', 40],
    ];
    for (const [text, maxRows] of limits) {
      const error = await rejection(client.sql.verifiedQuery(text, [], { maxRows }));
      expect(error.code, text).toBe('LIMIT_EXCEEDED');
    }
    const many = 'SELECT COUNT(*) FROM items i JOIN items o ON i.b = o.b JOIN items p ON p.b = o.b';
    const { rows } = await client.sql.verifiedQuery(many, [], { maxRows: 40 });
    expect(Number(rows[0]?.['col0'])).toBeGreaterThan(1000);
  });

  it('end with the time of the call', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec('CREATE TABLE t (id INTEGER, g INTEGER, PRIMARY KEY id)');
    const rows = Array.from({ length: 1000 }, (_, n) => `(${n}, 1)`);
    await sql.exec(`INSERT INTO t (id, g) VALUES ${rows.join()}`);
    await client.follow({ ordered: true });
    const counted = () => sql.verifiedQuery('SELECT COUNT(*) FROM t');
    expect((await counted()).rows).toEqual([{ col0: 1000n }]);
    // A thousand million rows.
    const endless = 'SELECT COUNT(*) FROM t a JOIN t b ON a.g = b.g JOIN t c ON c.g = b.g';
    const error = await rejection(sql.verifiedQuery(endless, [], { timeoutMs: 4000 }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    expect(error.message).toContain('its rows to be computed');
    // Nor is it computed behind their backs, turn by turn.
    const turns = vi.spyOn(globalThis, 'setImmediate');
    onTestFinished(() => turns.mockRestore());
    await new Promise((resume) => setTimeout(resume, 500));
    expect(turns.mock.calls.length).toBeLessThan(20);
    expect((await counted()).rows).toEqual([{ col0: 1000n }]);
  });
});

describeSql('joins that verifiedQuery computes', () => {
  it('are those of the server, of random queries', async () => {
    const { client, random, pick } = await openTables(12);
    const on = () =>
      pick([
        'l.item = i.id',
        'i.g = l.g',
        'l.amount = i.f',
        'l.item = i.n',
        'i.id = l.id',
        'i.g = l.g AND i.n < 3',
        'l.g = i.g AND l.item = i.id',
      ]);
    const conditions = [
      'i.n < 3',
      "i.g = 'a'",
      'i.id > 3 AND l.id < 12',
      "l.k = 'q'",
      "l.k = 'q' AND i.id = 3",
      'i.n < l.item',
      'i.f = l.amount OR l.g IS NULL',
      'i.id < l.id AND NOT i.b = TRUE',
    ];
    const thirds = [
      ' JOIN items AS o ON o.id = l.item',
      ' INNER JOIN lines o ON o.item = i.id',
      ' JOIN items o ON o.g = l.g AND o.id = i.id',
    ];
    const columns = ['i.id, l.k, l.id', 'i.id AS x, l.id AS y, l.k', '*', 'i.g, l.g, i.n'];
    const groups: [string, string][] = [
      ['i.g, COUNT(*), SUM(l.amount)', 'i.g'],
      ['l.g, COUNT(i.n), MAX(i.f)', 'l.g'],
      ['COUNT(*), AVG(i.n), MIN(l.g)', ''],
      ['l.g, i.g AS h, COUNT(*)', 'l.g, i.g'],
      ['i.b, SUM(i.n), AVG(l.amount)', 'i.b'],
    ];
    let rows = 0;
    for (let i = 0; i < 120; i++) {
      const [selected, by] = random(3) === 0 ? pick(groups) : [pick(columns), ''];
      const from = pick([`items i JOIN lines l ON ${on()}`, `lines AS l INNER JOIN items AS i ON ${on()}`]);
      const third = random(4) === 0 ? pick(thirds) : '';
      const where = random(4) > 0 ? ` WHERE ${pick(conditions)}` : '';
      const group = by ? ` GROUP BY ${by}` : '';
      rows += (await same(client, `SELECT ${selected} FROM ${from}${third}${where}${group}`)).length;
    }
    expect(rows).toBeGreaterThan(1000);
  });

  it('are in the order that is asked for, and in whole groups, where the server errs', async () => {
    const { client } = await openTables();
    const { sql } = client;
    const from = 'FROM items AS i INNER JOIN lines AS l ON i.g = l.g';
    const all = await sql.query<{ id: bigint }>(`SELECT l.id ${from}`);
    const ids = all.map(({ id }) => id).sort((a, b) => Number(a - b));
    const { rows } = await sql.verifiedQuery<{ id: bigint }>(`SELECT l.id ${from} ORDER BY l.id`);
    expect(rows.map(({ id }) => id)).toEqual(ids);
    const groups = await sql.verifiedQuery<{ id: bigint; c: bigint }>(
      `SELECT l.id, COUNT(*) AS c ${from} GROUP BY l.id ORDER BY l.id`,
    );
    const counts = [...new Set(ids)].map((id) => ({
      id,
      c: BigInt(ids.filter((each) => each === id).length),
    }));
    expect(groups.rows).toEqual(counts);
  });
});

describeSql('what verifiedQuery does not compute of groups and joins', () => {
  it('is NOT_PROVABLE, with the reason', async () => {
    const { client } = await openTables();
    await client.sql.exec('UPSERT INTO items (id, f) VALUES (100, @f)', { f: NaN });
    for (const [text, reason] of [
      ['SELECT * FROM items GROUP BY g', 'SELECT * of groups'],
      ['SELECT id, COUNT(*) FROM items', 'id'],
      ['SELECT id FROM items GROUP BY g', 'id'],
      ['SELECT g, COUNT(*) FROM items GROUP BY g ORDER BY n', 'n'],
      ['SELECT g, COUNT(*) AS n FROM items GROUP BY g ORDER BY n', 'a column too'],
      ['SELECT g, COUNT(*) FROM items GROUP BY g ORDER BY SUM(n)', 'SUM'],
      ['SELECT g, COUNT(*) FROM items GROUP BY g HAVING COUNT(*) > 1', 'HAVING'],
      ['SELECT g FROM items ORDER BY COUNT(*)', 'COUNT'],
      ['SELECT f, COUNT(*) FROM items GROUP BY f', 'FLOAT'],
      ['SELECT j, COUNT(*) FROM items GROUP BY j', 'JSON'],
      ['SELECT COUNT(j) FROM items', 'JSON'],
      ['SELECT MIN(j) FROM items', 'JSON'],
      ['SELECT SUM(g) FROM items', 'VARCHAR'],
      ['SELECT AVG(b) FROM items', 'BOOLEAN'],
      ['SELECT MAX(f) FROM items', 'NaN'],
      ['SELECT COUNT(DISTINCT g) FROM items', 'DISTINCT'],
      ['SELECT COUNT(1) FROM items', '1'],
      ['SELECT SUM(*) FROM items', '*'],
      ['SELECT SUM(n) + 1 FROM items', '"+ 1'],
      ['SELECT COUNT(*) AS a, SUM(n) AS a FROM items', 'a'],
      ['SELECT i.id FROM items i LEFT JOIN lines l ON l.item = i.id', 'LEFT'],
      ['SELECT i.id FROM items RIGHT JOIN lines l ON l.item = items.id', 'RIGHT'],
      ['SELECT i.id FROM items i, lines l', ','],
      ['SELECT i.id FROM items i JOIN lines l ON l.item < i.id', 'equal'],
      ['SELECT i.id FROM items i JOIN lines l ON l.item = i.id OR l.g = i.g', 'equal'],
      ['SELECT i.id FROM items i JOIN lines l ON l.item = 3', 'equal'],
      ['SELECT i.id FROM items i JOIN lines l ON l.amount = i.n', 'FLOAT and INTEGER'],
      ['SELECT i.id FROM items i JOIN lines l ON l.k = i.id', 'VARCHAR and INTEGER'],
      ['SELECT i.id FROM items i JOIN lines l ON l.item = o.id JOIN items o ON o.id = i.id', 'behind'],
      ['SELECT i.id FROM items i JOIN lines l ON i.g = i.g', 'equal'],
      ['SELECT id FROM items i JOIN lines l ON l.item = i.id', 'several tables'],
      ['SELECT items.id FROM items JOIN items ON items.id = items.id', 'two tables'],
      ['SELECT z.id FROM items i JOIN lines l ON l.item = i.id', 'z'],
      ['SELECT i.id, i.id FROM items i JOIN lines l ON l.item = i.id', 'two columns'],
      [
        `SELECT a.id FROM items a ${Array.from({ length: 16 }, (_, i) => `JOIN items t${i} ON t${i}.id = a.id`).join(' ')}`,
        'so many',
      ],
    ] as const) {
      const error = await rejection(client.sql.verifiedQuery(text));
      expect(error.code, text).toBe('NOT_PROVABLE');
      expect(error.message.split(' is not computed')[0], text).toContain(reason.replace('"+ 1', '+ 1'));
    }
    for (const text of [
      'SELECT COUNT(nope) FROM items',
      'SELECT g FROM items GROUP BY nope',
      'SELECT i.id FROM items i JOIN nope l ON l.item = i.id',
      'SELECT i.id FROM items i JOIN lines l ON l.nope = i.id',
    ])
      expect((await rejection(client.sql.verifiedQuery(text))).code, text).toBe('NOT_FOUND');
  });
});

describe('a server that lies', () => {
  const server = new LyingServer();

  /** Two tables, which are followed. */
  async function opened() {
    const { client } = await server.open();
    await client.sql.exec('CREATE TABLE people (id INTEGER, name VARCHAR[20], PRIMARY KEY id)');
    await client.sql.exec('CREATE TABLE orders (id INTEGER, who INTEGER, total INTEGER, PRIMARY KEY id)');
    await client.sql.exec("INSERT INTO people (id, name) VALUES (1, 'Ada'), (2, 'Bob')");
    await client.sql.exec('INSERT INTO orders (id, who, total) VALUES (1, 1, 10), (2, 2, 20), (3, 1, 30)');
    await client.follow({ ordered: true });
    for (const table of ['people', 'orders']) await client.sql.verifiedSchema(table);
    return client;
  }

  const JOINED =
    'SELECT p.name, COUNT(*), SUM(o.total) FROM people p JOIN orders o ON o.who = p.id GROUP BY p.name';
  const TRUE = [
    { name: 'Ada', col1: 2n, col2: 40n },
    { name: 'Bob', col1: 1n, col2: 20n },
  ];

  describeSql('about what groups are made of', () => {
    it.each<[string, (entries: Message[]) => Message[]]>([
      ['a row is left out', (entries) => entries.slice(1)],
      ['the last row is left out', (entries) => entries.slice(0, -1)],
      [
        'a row is shown for another',
        (entries) => entries.map((entry) => ({ ...entry, value: entries[0].value })),
      ],
      [
        'another value',
        (entries) =>
          entries.map((entry) => ({ ...entry, value: Buffer.from([...entry.value.subarray(0, -1), 9]) })),
      ],
    ])('%s: refused, of every table', async (_, change) => {
      const client = await opened();
      for (const text of [JOINED, 'SELECT COUNT(*) FROM orders', 'SELECT MAX(name) FROM people']) {
        server.lieOnValues((txs) => txs.map((tx) => ({ ...tx, entries: change(tx.entries) })));
        const error = await rejection(client.sql.verifiedQuery(text));
        expect(error, text).toBeInstanceOf(VerificationError);
        expect(error.evidence.check).toBe('sql.value');
        server.tellTheTruth();
      }
      expect((await client.sql.verifiedQuery(JOINED)).rows).toEqual(TRUE);
    });

    it('what it would count itself is not asked for', async () => {
      const client = await opened();
      const { responseDeserialize, responseSerialize } = methodDefinition(
        'immudb.schema.ImmuService',
        'SQLQuery',
      );
      server.proxy.streamed = (message) => {
        const answer = responseDeserialize(message) as Message;
        for (const { values } of answer.rows) for (const value of values) value.n = '99';
        return responseSerialize(answer);
      };
      onTestFinished(() => void (server.proxy.streamed = (message) => message));
      expect(await client.sql.query('SELECT COUNT(*) AS c FROM orders')).toEqual([{ c: 99n }]);
      expect((await client.sql.verifiedQuery('SELECT COUNT(*) AS c FROM orders')).rows).toEqual([{ c: 3n }]);
      expect((await client.sql.verifiedQuery(JOINED)).rows).toEqual(TRUE);
    });

    it('a new row that it hides while it is followed: refused', async () => {
      const client = await opened();
      await client.sql.exec('INSERT INTO orders (id, who, total) VALUES (4, 2, 5), (5, 2, 6)');
      server.lieOn('TxScan', (list) => {
        for (const tx of list.txs) if (tx.entries?.length === 2) tx.entries = tx.entries.slice(1);
      });
      const error = await rejection(
        client.sql.verifiedQuery('SELECT COUNT(*) FROM orders', [], { timeoutMs: 5000 }),
      );
      expect(error).toBeInstanceOf(VerificationError);
    });
  });
});
