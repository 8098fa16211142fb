// However a transaction or a query ends, nothing of it stays open on the server: in databases that allow few transactions at a time,
// through the handle of a database that is not the selected one.
import { expect, it } from 'vitest';
import type { DatabaseHandle, SqlTransaction } from '#dist/index.js';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import { openClient, rejection } from '../trust/support.js';
import { describeSql } from './support.js';

/** Transactions that the database allows to be open; what left one open would soon be refused. */
const MOST = 8;
const TIMES = 2 * MOST;

async function openFew() {
  const { client } = await openClient();
  const name = await freshDatabase(sharedImmudb(), {
    indexSettings: { maxActiveSnapshots: { value: MOST } },
  });
  const shop = client.database(name);
  await shop.sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
  await shop.sql.exec('INSERT INTO orders (id, total) VALUES (1, 0)');
  const values = Array.from({ length: 1000 }, (_, i) => `(${i + 10}, 1)`).join();
  await shop.sql.exec(`INSERT INTO orders (id, total) VALUES ${values}`);
  return { client, shop };
}

const insert = (tx: SqlTransaction) => tx.exec('INSERT INTO orders (id, total) VALUES (2, 2)');
/** Half a million rows. */
const MANY = 'SELECT a.id FROM orders AS a INNER JOIN orders AS b ON b.id > a.id';
const forever = () => new Promise<never>(() => undefined);
const after = (ms: number) => {
  const given = new AbortController();
  setTimeout(() => given.abort(), ms);
  return given.signal;
};

describeSql('nothing stays open', () => {
  it('in a database that refuses more transactions than it allows', async () => {
    const { shop } = await openFew();
    let end: () => void = () => undefined;
    const ended = new Promise<void>((tell) => (end = tell));
    const more = Array.from({ length: 3 * MOST }, () =>
      shop
        .transaction(() => ended)
        .then(
          () => 'committed',
          (error: unknown) => (error as { code: string }).code,
        ),
    );
    await Promise.any(more.map(async (each) => expect(await each).toBe('OVERLOADED')));
    end();
    expect(new Set(await Promise.all(more))).toEqual(new Set(['OVERLOADED', 'committed']));
    await shop.transaction(insert);
  });

  it.each<[string, string | RegExp, (shop: DatabaseHandle, i: number) => Promise<unknown>]>([
    [
      'its function throws',
      'own',
      (shop) =>
        shop.transaction(async (tx) => {
          await insert(tx);
          throw Object.assign(new Error('own'), { code: 'own' });
        }),
    ],
    [
      'a statement fails',
      'PRECONDITION_FAILED',
      (shop) => shop.transaction((tx) => tx.exec('INSERT INTO orders (id, total) VALUES (1, 1)')),
    ],
    [
      'a statement fails, verified',
      'PRECONDITION_FAILED',
      (shop) => shop.verifiedTransaction((tx) => tx.exec('INSERT INTO orders (id, total) VALUES (1, 1)')),
    ],
    [
      'a statement is aborted',
      'ABORTED',
      (shop, i) =>
        shop.transaction(
          async (tx) => {
            await insert(tx);
            await tx.query(MANY, [], { signal: after(i % 4), maxRows: 1e6 });
            await forever();
          },
          { timeoutMs: 500 },
        ),
    ],
    [
      'the deadline of a statement passes',
      /DEADLINE_EXCEEDED|UNAVAILABLE/,
      (shop) =>
        shop.transaction(async (tx) => {
          await insert(tx);
          const many = Array.from({ length: 900 }, (_, i) => `(${i + 5000}, 1)`).join();
          await tx.exec(`INSERT INTO orders (id, total) VALUES ${many}`, [], { timeoutMs: 1 });
        }),
    ],
    [
      'it is aborted while a statement is under way',
      'ABORTED',
      (shop, i) =>
        shop.transaction(
          async (tx) => {
            for (;;) await tx.query('SELECT * FROM orders');
          },
          { signal: after(10 + i) },
        ),
    ],
    [
      'its deadline passes',
      'DEADLINE_EXCEEDED',
      (shop) =>
        shop.transaction(
          async (tx) => {
            await insert(tx);
            await forever();
          },
          { timeoutMs: 50 },
        ),
    ],
    [
      'it is aborted as it begins',
      'ABORTED',
      (shop, i) => shop.transaction(forever, { signal: after(i % 3) }),
    ],
    [
      'its deadline passes as it begins',
      'DEADLINE_EXCEEDED',
      (shop, i) => shop.transaction(forever, { timeoutMs: 1 + (i % 3) }),
    ],
    [
      'it meets a conflict',
      'CONFLICT',
      (shop) =>
        shop.transaction(async (tx) => {
          await tx.query('SELECT total FROM orders WHERE id = 1');
          await shop.sql.exec('UPDATE orders SET total = total + 1 WHERE id = 1');
          await tx.exec('UPDATE orders SET total = 5 WHERE id = 1');
        }),
    ],
    [
      'it has more rows than are taken',
      'LIMIT_EXCEEDED',
      (shop) => shop.transaction((tx) => tx.query(MANY, [], { maxRows: 10 })),
    ],
    [
      'rows are left where they are',
      'DEADLINE_EXCEEDED',
      (shop) =>
        shop.transaction(
          async (tx) => {
            await tx.stream(MANY).next();
          },
          { timeoutMs: 100 },
        ),
    ],
    [
      'a query has more rows than are taken',
      'LIMIT_EXCEEDED',
      (shop) => shop.sql.query(MANY, [], { maxRows: 10 }),
    ],
    [
      'a query is aborted',
      'ABORTED',
      (shop, i) => shop.sql.query(MANY, [], { signal: after(i % 3), maxRows: 1e6 }),
    ],
    [
      'the rows of a query are left where they are',
      /left|DEADLINE_EXCEEDED/,
      async (shop) => {
        await shop.sql.stream(MANY, [], { timeoutMs: 100 }).next();
        // Nobody can tell that they were left: the deadline ends them.
        await new Promise((wake) => setTimeout(wake, 150));
        throw Object.assign(new Error(), { code: 'left' });
      },
    ],
    [
      'a statement of its own fails',
      'PRECONDITION_FAILED',
      (shop) => shop.sql.exec('INSERT INTO orders (id, total) VALUES (3, 3), (1, 1)'),
    ],
  ])('when %s', async (_, code, end) => {
    const { client, shop } = await openFew();
    for (let i = 0; i < TIMES; i++) {
      const error = await rejection(end(shop, i));
      expect([i, error.code, error.message]).toEqual([i, expect.stringMatching(code), expect.any(String)]);
    }
    // As many as there may be, all at once; and none of those before has written anything.
    const counts = await Promise.all(
      Array.from({ length: MOST - 1 }, () =>
        shop.transaction(
          async (tx) => {
            const [row] = await tx.query<{ n: bigint }>('SELECT COUNT(*) AS n FROM orders');
            await new Promise((wake) => setTimeout(wake, 30));
            return row?.n;
          },
          { mode: 'read' },
        ),
      ),
    );
    expect(counts).toEqual(Array.from({ length: MOST - 1 }, () => 1001n));
    await shop.transaction(insert);
    expect(await shop.sql.query('SELECT total FROM orders WHERE id = 2')).toEqual([{ total: 2n }]);
    expect(await client.sql.tables()).toEqual([]);
  });

  it('when it is aborted as it is committed: it is committed, or it is not', async () => {
    const { shop } = await openFew();
    for (let i = 0; i < TIMES; i++) {
      const given = new AbortController();
      const work = async (tx: SqlTransaction) => {
        await tx.exec(`INSERT INTO orders (id, total) VALUES (${i + 5000}, 1)`);
        if (i % 4 === 0) queueMicrotask(() => given.abort());
        else setTimeout(() => given.abort(), (i % 4) - 1);
      };
      const [ended] = await Promise.allSettled([shop.transaction(work, { signal: given.signal })]);
      const [row] = await shop.sql.query(`SELECT id FROM orders WHERE id = ${i + 5000}`);
      const code = ended.status === 'rejected' ? (ended.reason as { code: string }).code : 'committed';
      // Whether the server still does it is its own matter.
      expect(code).toMatch(/^(committed|ABORTED)$/);
      if (code === 'committed') expect(row).toEqual({ id: BigInt(i + 5000) });
    }
    await shop.transaction(insert);
  });

  it('when its rows are left where they are: what comes next is committed', async () => {
    const { shop } = await openFew();
    for (let i = 0; i < TIMES; i++)
      await shop.transaction(async (tx) => {
        await tx.exec(`UPDATE orders SET total = ${i} WHERE id = 1`);
        for await (const row of tx.stream('SELECT id FROM orders')) {
          expect(row).toEqual({ id: 1n });
          break;
        }
      });
    expect(await shop.sql.query('SELECT total FROM orders WHERE id = 1')).toEqual([
      { total: BigInt(TIMES - 1) },
    ]);
  });
});
