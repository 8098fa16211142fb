// Transactions of SQL: committed together or not at all, conflicts told as such, and tried again only when asked.
import { expect, it } from 'vitest';
import type { SqlTransaction } from '#dist/index.js';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { sharedImmudb } from '../support/real.js';
import { USER, openClient, openWire, rejection } from '../trust/support.js';
import { ALL_TYPES, describeSql, openOrders } from './support.js';

const count = async (client: ImmuClient) =>
  (await client.sql.query<{ n: bigint }>('SELECT COUNT(*) AS n FROM orders'))[0]?.n;

describeSql('a transaction', () => {
  it('is committed when its function returns, with what it returned', async () => {
    const { client } = await openOrders();
    const before = await client.sql.exec('INSERT INTO orders (total) VALUES (1)');
    const value = await client.transaction(async (tx) => {
      await tx.exec`INSERT INTO orders (total) VALUES (${2n})`;
      await tx.exec('CREATE TABLE made_inside (id INTEGER, PRIMARY KEY id)');
      await tx.exec('INSERT INTO made_inside (id) VALUES (@id)', { id: 5n });
      const rows = await tx.query<{ id: bigint }>`INSERT INTO orders (total) VALUES (${3n}) RETURNING id`;
      // Seen inside, and nowhere else.
      expect(await tx.query('SELECT COUNT(*) AS n FROM orders')).toEqual([{ n: 3n }]);
      expect(await count(client)).toBe(1n);
      return rows[0]?.id;
    });
    expect(value).toBe(3n);
    expect(await count(client)).toBe(3n);
    expect(await client.sql.query('SELECT id FROM made_inside')).toEqual([{ id: 5n }]);
    const after = await client.sql.exec('INSERT INTO orders (total) VALUES (4)');
    expect(after.txs[0]?.tx).toBe(before.txs[0]!.tx + 2n);
  });

  it('is rolled back by what its function throws, which is thrown on', async () => {
    const { client } = await openOrders();
    const own = new Error('of the caller');
    const work = async (tx: SqlTransaction) => {
      await tx.exec('INSERT INTO orders (total) VALUES (1)');
      throw own;
    };
    expect(await rejection(client.transaction(work))).toBe(own);
    expect(await count(client)).toBe(0n);
  });

  it('is not committed after a statement that failed, even where its error was caught', async () => {
    const { client } = await openOrders();
    let later: unknown;
    const work = async (tx: SqlTransaction) => {
      await tx.exec('INSERT INTO orders (id, total) VALUES (9, 1)');
      await tx.exec('INSERT INTO orders (id, total) VALUES (9, 1)').catch(() => undefined);
      later = await rejection(tx.exec('INSERT INTO orders (id, total) VALUES (10, 1)'));
      return 'done';
    };
    const error = await rejection(client.transaction(work));
    expect(error.code).toBe('PRECONDITION_FAILED');
    expect(later).toMatchObject({ code: 'CLOSED' });
    expect(await count(client)).toBe(0n);
  });

  it('goes on after a statement that was refused unsent', async () => {
    const { client } = await openOrders();
    await client.transaction(async (tx) => {
      for (const sql of [
        'COMMIT',
        'SAVEPOINT a',
        'INSERT INTO orders (total) VALUES (1) RETURNING id',
        'SELECT id FROM orders',
      ])
        expect((await rejection(tx.exec(sql))).code).toBe('INVALID_ARGUMENT');
      expect((await rejection(tx.query('SELECT id FROM orders WHERE id = @id'))).message).toContain('@id');
      await tx.exec('INSERT INTO orders (total) VALUES (1)');
    });
    expect(await count(client)).toBe(1n);
  });

  it('waits for statements that were not awaited, and takes none when it has ended', async () => {
    const { client } = await openOrders();
    let kept: SqlTransaction | undefined;
    await client.transaction((tx) => {
      kept = tx;
      for (let i = 0; i < 5; i++) void tx.exec('INSERT INTO orders (total) VALUES (?)', [i]);
    });
    expect(await count(client)).toBe(5n);
    expect((await rejection(kept!.exec('INSERT INTO orders (total) VALUES (1)'))).code).toBe('CLOSED');
    expect((await rejection(kept!.query('SELECT id FROM orders'))).code).toBe('CLOSED');
  });

  it('answers RETURNING with what is stored, also where it was given in another kind', async () => {
    const { client } = await openClient();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const u = '00000000-0000-4000-8000-00000000ABCD';
    for (const [id, ts] of ['2026-01-02', '2026-01-02 03:04:05.6789', '2026-01-02T03:04:05Z'].entries()) {
      const returned = await client.transaction((tx) =>
        tx.query('INSERT INTO alltypes (id, f, u, ts) VALUES (?, ?, ?, ?) RETURNING id, f, u, ts', [
          id,
          3,
          u,
          ts,
        ]),
      );
      expect(returned).toEqual(await sql.query('SELECT id, f, u, ts FROM alltypes WHERE id = ?', [id]));
      expect(returned).toMatchObject([{ f: 3, u: u.toLowerCase() }]);
    }
    const renamed = client.transaction((tx) => tx.query('DELETE FROM alltypes RETURNING id AS gone'));
    const { argument, message } = await rejection(renamed);
    expect([argument, message]).toEqual([
      'sql',
      expect.stringContaining('RETURNING cannot hold AS') as string,
    ]);
  });

  it('streams rows, and goes on behind them', async () => {
    const { client } = await openOrders();
    const values = Array.from({ length: 1000 }, (_, i) => `(${i})`).join();
    for (let i = 0; i < 3; i++) await client.sql.exec(`INSERT INTO orders (total) VALUES ${values}`);
    const seen = await client.transaction(async (tx) => {
      let rows = 0;
      for await (const row of tx.stream('SELECT id FROM orders')) rows += Number('id' in row);
      for await (const row of tx.stream('SELECT id FROM orders')) {
        expect(row).toEqual({ id: 1n });
        break;
      }
      await tx.exec('DELETE FROM orders WHERE id = 1');
      return rows;
    });
    expect(seen).toBe(3000);
    expect(await count(client)).toBe(2999n);
  });

  it('that only reads takes no writes, and sees one state', async () => {
    const { client } = await openOrders();
    await client.sql.exec('INSERT INTO orders (total) VALUES (1)');
    const seen = await client.transaction(
      async (tx) => {
        const first = await tx.query('SELECT COUNT(*) AS n FROM orders');
        await client.sql.exec('INSERT INTO orders (total) VALUES (2)');
        return [first, await tx.query('SELECT COUNT(*) AS n FROM orders')];
      },
      { mode: 'read' },
    );
    expect(seen).toEqual([[{ n: 1n }], [{ n: 1n }]]);
    const error = await rejection(
      client.transaction((tx) => tx.exec('UPDATE orders SET total = 5 WHERE id = 1'), { mode: 'read' }),
    );
    expect(error.code).toBe('SERVER_REFUSED');
    expect(await count(client)).toBe(2n);
  });

  it('of nothing is nothing', async () => {
    const { client } = await openOrders();
    expect(await client.transaction(() => 5)).toBe(5);
  });

  it('ends with the deadline of all of it, rolled back', async () => {
    const { client } = await openOrders();
    const work = async (tx: SqlTransaction) => {
      await tx.exec('INSERT INTO orders (total) VALUES (1)');
      await new Promise(() => undefined);
    };
    const error = await rejection(client.transaction(work, { timeoutMs: 300 }));
    expect(error.code).toBe('DEADLINE_EXCEEDED');
    expect(await count(client)).toBe(0n);
  });

  it('of a client that is closed meanwhile ends, and is not committed', async () => {
    const { client, database } = await openOrders();
    const work = async (tx: SqlTransaction) => {
      await tx.exec('INSERT INTO orders (total) VALUES (1)');
      await client.close();
    };
    expect((await rejection(client.transaction(work))).code).toBe('CLOSED');
    const wire = await openWire(database);
    const { rows } = await wire.call('UnarySQLQuery', { sql: 'SELECT COUNT(*) FROM orders' });
    expect(rows[0].values[0].n).toBe('0');
  });

  it('needs a session', async () => {
    const { database } = await openOrders();
    await using client = new ImmuClient({ address: sharedImmudb(), store: new MemoryRootStore() });
    await client.login(USER.user, USER.password, database);
    expect((await rejection(client.transaction(() => 1))).code).toBe('NOT_LOGGED_IN');
  });

  it.each([
    ['work', 5, {}],
    ['mode', () => 1, { mode: 'write' }],
    ['snapshotTx', () => 1, { snapshotTx: 5 }],
    ['retries', () => 1, { retries: -1 }],
    ['retries', () => 1, { retries: 1e9 }],
    ['options', () => 1, { retry: 1 }],
  ])('is refused for a wrong %s', async (argument, work, options) => {
    const { client } = await openOrders();
    const error = await rejection(client.transaction(work as never, options as never));
    expect([error.code, error.argument]).toEqual(['INVALID_ARGUMENT', argument]);
  });
});

describeSql('a verified transaction', () => {
  it('is proven with all that it wrote', async () => {
    const { client } = await openOrders();
    const { value, txs, root, lastInserted } = await client.verifiedTransaction(async (tx) => {
      await tx.exec('INSERT INTO orders (total) VALUES (5), (6)');
      await tx.exec('UPDATE orders SET total = 7 WHERE id = 1');
      return 'done';
    });
    expect([value, lastInserted]).toEqual(['done', { orders: 2n }]);
    expect(txs).toMatchObject([
      {
        rows: [
          { table: 'orders', values: { id: 1n, total: 7n } },
          { table: 'orders', values: { id: 2n, total: 6n } },
        ],
      },
    ]);
    expect(root.tx).toBeGreaterThanOrEqual(txs[0]!.tx);
    expect(await client.sql.verifiedGet('orders', 1n)).toMatchObject({
      tx: txs[0]!.tx,
      values: { total: 7n },
    });
    expect(await client.verifiedTransaction(() => 5)).toMatchObject({ value: 5, txs: [] });
    expect(await client.verifiedTransaction(() => 5, { mode: 'read' })).toMatchObject({ value: 5, txs: [] });
  });

  it('is rolled back by what its function throws, and tried again when asked', async () => {
    const { client } = await openOrders();
    const own = new Error('of the caller');
    expect(await rejection(client.verifiedTransaction(() => Promise.reject(own)))).toBe(own);
    const written = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        client.verifiedTransaction((tx) => tx.exec`INSERT INTO orders (total) VALUES (${i})`, {
          retries: 100,
          timeoutMs: 60_000,
        }),
      ),
    );
    expect(new Set(written.map(({ txs }) => txs[0]?.tx)).size).toBe(5);
    expect(await count(client)).toBe(5n);
  });
});

describeSql('conflicts', () => {
  it('are told as such, and nothing is lost: 20 inserts at a time', async () => {
    const { client } = await openOrders();
    const ended = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => client.sql.exec`INSERT INTO orders (total) VALUES (${i})`),
    );
    const failed = ended.flatMap((each) =>
      each.status === 'rejected' ? [each.reason as { code: string }] : [],
    );
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['CONFLICT']));
    expect(await count(client)).toBe(BigInt(20 - failed.length));
  });

  it('end a transaction, unless it is to be tried again', async () => {
    const { client } = await openOrders();
    await client.sql.exec('INSERT INTO orders (id, total) VALUES (1, 0)');
    let calls = 0;
    const add = async (tx: SqlTransaction, meanwhile: boolean) => {
      calls++;
      const [row] = await tx.query<{ total: bigint }>('SELECT total FROM orders WHERE id = 1');
      if (meanwhile && calls < 3) await client.sql.exec('UPDATE orders SET total = total + 100 WHERE id = 1');
      await tx.exec('UPDATE orders SET total = @total WHERE id = 1', { total: row!.total + 1n });
    };
    expect((await rejection(client.transaction((tx) => add(tx, true)))).code).toBe('CONFLICT');
    expect(calls).toBe(1);
    await client.transaction((tx) => add(tx, true), { retries: 5 });
    expect(calls).toBe(3);
    expect(await client.sql.query('SELECT total FROM orders WHERE id = 1')).toEqual([{ total: 201n }]);
  });

  it('of 20 transactions at a time are all resolved by trying again', async () => {
    const { client } = await openOrders();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        client.transaction((tx) => tx.exec`INSERT INTO orders (total) VALUES (${i})`, {
          retries: 200,
          timeoutMs: 60_000,
        }),
      ),
    );
    expect(await count(client)).toBe(20n);
  });
});
