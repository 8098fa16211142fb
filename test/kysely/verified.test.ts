// Kysely with answers that are proven: what is told is, and what there is no proof of is refused, whatever the server says.
import { expect, it } from 'vitest';
import { sql } from 'kysely';
import type { Compilable, Kysely, SelectQueryBuilder } from 'kysely';
import { ImmuKysely } from '#dist/kysely.js';
import { all } from '../scans/support.js';
import { describeSql } from '../sql/support.js';
import { rejection } from '../trust/support.js';
import { openTables } from './support.js';
import type { Tables } from './support.js';

async function openFilled() {
  const opened = await openTables();
  await opened.db
    .insertInto('orders')
    .values([
      { item: 'lamp', total: 450n },
      { item: 'chair', total: 20n },
      { item: null, total: null },
      { item: 'Ämter', total: 20n },
    ])
    .execute();
  await opened.db
    .insertInto('prices')
    .values([
      { country: 'de', item: 'lamp', cents: 5n, factor: 0.5 },
      { country: 'fr', item: 'lamp', cents: 6n, factor: null },
    ])
    .execute();
  return { ...opened, verified: opened.db.verified() };
}

describeSql('verified Kysely', () => {
  it('proves what it writes', async () => {
    const { db, client } = await openTables();
    const verified = db.verified();
    const values = [{ item: 'lamp' }, { item: 'chair' }];
    expect(await verified.insertInto('orders').values(values).executeTakeFirst()).toMatchObject({
      insertId: 2n,
      numInsertedOrUpdatedRows: 2n,
    });
    expect((await verified.updateTable('orders').set({ total: 1n }).executeTakeFirst()).numUpdatedRows).toBe(
      2n,
    );
    expect(
      await verified.insertInto('orders').values({ item: 'x' }).returning(['id', 'item as what']).execute(),
    ).toEqual([{ id: 3n, what: 'x' }]);
    expect(await verified.deleteFrom('orders').where('id', '=', 3n).returningAll().execute()).toEqual([
      { id: 3n, item: 'x', total: null },
    ]);
    expect((await verified.deleteFrom('orders').where('id', '=', 3n).executeTakeFirst()).numDeletedRows).toBe(
      0n,
    );
    const operations: string[] = [];
    for await (const row of client.audit.roots()) operations.push(row.operation);
    expect(new Set(operations)).toContain('sql.verifiedExec');
    expect(new Set(operations)).toContain('verifiedTransaction');
  });

  it('proves a transaction when it is committed, and refuses to read in it', async () => {
    const { verified, db } = await openFilled();
    const deleted = await verified.transaction().execute(async (trx) => {
      await trx.insertInto('orders').values({ item: 'new' }).execute();
      return trx.deleteFrom('orders').where('total', '=', 20n).executeTakeFirst();
    });
    expect(deleted.numDeletedRows).toBe(2n);
    const reading = verified.transaction().execute(async (trx) => {
      await trx.insertInto('orders').values({ item: 'never' }).execute();
      return trx.selectFrom('orders').selectAll().execute();
    });
    expect((await rejection(reading)).code).toBe('NOT_PROVABLE');
    expect(await db.selectFrom('orders').select('item').execute()).toEqual([
      { item: 'lamp' },
      { item: null },
      { item: 'new' },
    ]);
  });

  type Orders = SelectQueryBuilder<Tables, 'orders', object>;
  it.each<[string, (of: Orders) => Orders, bigint[]]>([
    ['everything', (of) => of, [1n, 2n, 3n, 4n]],
    ['a key', (of) => of.where('id', '=', 2n), [2n]],
    ['nothing', (of) => of.where('id', '=', 77n), []],
    ['NULL', (of) => of.where('item', 'is', null), [3n]],
    ['no NULL', (of) => of.where('item', 'is not', null), [1n, 2n, 4n]],
    ['less: NULL is', (of) => of.where('total', '<', 21n), [2n, 3n, 4n]],
    ['more', (of) => of.where('total', '>=', 20n), [1n, 2n, 4n]],
    ['another: NULL is', (of) => of.where('total', '!=', 20n), [1n, 3n]],
    ['one of', (of) => of.where('item', 'in', ['lamp', 'Ämter']), [1n, 4n]],
    ['none of', (of) => of.where('id', 'not in', [1n, 2n]), [3n, 4n]],
    ['text', (of) => of.where('item', '>', 'm'), [4n]],
    ['two conditions', (of) => of.where('total', '=', 20n).where('item', '=', 'chair'), [2n]],
    ['either', (of) => of.where((is) => is.or([is('id', '=', 1n), is('item', '=', 'chair')])), [1n, 2n]],
    ['not', (of) => of.where((is) => is.not(is('id', '=', 1n))), [2n, 3n, 4n]],
    ['two columns', (of) => of.whereRef('total', '=', 'id'), []],
    ['an order', (of) => of.orderBy('total', 'desc').orderBy('item'), [1n, 2n, 4n, 3n]],
    ['the first', (of) => of.orderBy('id', 'desc').limit(2), [4n, 3n]],
    ['the next', (of) => of.orderBy('id').limit(2).offset(1), [2n, 3n]],
  ])('selects %s, as the server does', async (_, of, ids) => {
    const { db, verified } = await openFilled();
    const both = await Promise.all(
      [db, verified].map((each: Kysely<Tables>) =>
        of(each.selectFrom('orders')).select('id as key').execute(),
      ),
    );
    expect(both).toEqual([ids.map((key) => ({ key })), ids.map((key) => ({ key }))]);
  });

  it('selects columns by the names that are asked for, with composite keys and aliases', async () => {
    const { verified } = await openFilled();
    expect(await verified.selectFrom('prices').selectAll().execute()).toEqual([
      { cents: 5n, item: 'lamp', country: 'de', factor: 0.5 },
      { cents: 6n, item: 'lamp', country: 'fr', factor: null },
    ]);
    expect(
      await verified
        .selectFrom('prices as p')
        .select(['p.cents as c', 'p.factor'])
        .where('p.factor', '=', 0.5)
        .execute(),
    ).toEqual([{ c: 5n, factor: 0.5 }]);
    const streamed: unknown[] = [];
    for await (const row of verified.selectFrom('orders').select(['total']).stream(3)) streamed.push(row);
    expect(streamed).toEqual([{ total: 450n }, { total: 20n }, { total: null }, { total: 20n }]);
  });

  it('gives proven values, not those that a server shows', async () => {
    const { client, database, db, verified } = await openFilled();
    const lie = (change: (row: Record<string, unknown>) => object | undefined) => {
      const { query } = client.sql;
      client.sql.query = (async (...args: Parameters<typeof query>) =>
        ((await query.apply(client.sql, args)) as Record<string, unknown>[]).flatMap(
          (row) => change(row) ?? [],
        )) as never;
      return () => (client.sql.query = query);
    };
    const some = () => verified.selectFrom('orders').select(['id', 'total']).where('total', '=', 20n);
    let end = lie((row) => ({ ...row, total: 1_000_000n }));
    expect(await some().execute()).toEqual([
      { id: 2n, total: 20n },
      { id: 4n, total: 20n },
    ]);
    expect((await db.selectFrom('orders').selectAll().execute())[0]).toMatchObject({ total: 1_000_000n });
    end();
    // Another row, one that there is not, one twice.
    for (const id of [1n, 99n, 4n]) {
      end = lie((row) => ({ ...row, id, immu_pk_0: id }));
      const error = await rejection(some().execute());
      expect([id, error.code]).toEqual([id, 'NOT_PROVABLE']);
      end();
    }
    end = lie((row) => ({ total: row['total'] }));
    expect((await rejection(some().execute())).message).toContain('primary key');
    end();
    const { query } = client.sql;
    client.sql.query = (async (...args: Parameters<typeof query>) =>
      (await query.apply(client.sql, args)).reverse()) as never;
    expect(
      (await rejection(verified.selectFrom('orders').selectAll().orderBy('id').execute())).message,
    ).toContain('order');
    expect(await some().execute()).toHaveLength(2);
    client.sql.query = query;
    const streamed = () => all(verified.selectFrom('orders').selectAll().where('id', '=', 1n).stream());
    const { stream } = client.sql;
    const other = client.sql.statement`SELECT id, item, total FROM orders WHERE id = ${2n}`;
    client.sql.stream = () => client.database(database).sql.stream(other);
    expect((await rejection(streamed())).code).toBe('NOT_PROVABLE');
    client.sql.stream = stream;
    expect(await streamed()).toHaveLength(1);
  });

  it('asks again for rows that were changed between the two questions', async () => {
    const { client, verified } = await openFilled();
    const { query } = client.sql;
    let changes = 0;
    client.sql.query = (async (...args: Parameters<typeof query>) => {
      const rows = await query.apply(client.sql, args);
      if (changes++ < 2)
        await verified
          .updateTable('orders')
          .set({ total: 21n })
          .where('id', '=', changes === 1 ? 2n : 4n)
          .execute();
      return rows;
    }) as never;
    expect(await verified.selectFrom('orders').select('id').where('total', '=', 20n).execute()).toEqual([]);
    expect(changes).toBe(3);
  });

  it('knows of a table that was made anew with another key', async () => {
    const { verified, db } = await openFilled();
    expect(await verified.selectFrom('orders').select('total').where('id', '=', 1n).execute()).toHaveLength(
      1,
    );
    await db.schema.dropTable('orders').execute();
    await sql`CREATE TABLE orders (item VARCHAR[10], id INTEGER, total INTEGER, PRIMARY KEY item)`.execute(
      db,
    );
    await db.insertInto('orders').values({ item: 'a', id: 1n, total: 5n }).execute();
    expect(await verified.selectFrom('orders').select('total').where('id', '=', 1n).execute()).toEqual([
      { total: 5n },
    ]);
  });

  it.each<[string, (of: Kysely<Tables>) => Compilable & { execute(): Promise<unknown> }]>([
    [
      'a join',
      (of) => of.selectFrom('orders').innerJoin('prices', 'prices.item', 'orders.item').select('id'),
    ],
    ['two tables', (of) => of.selectFrom(['orders', 'prices']).select('id')],
    ['a query for a table', (of) => of.selectFrom(of.selectFrom('orders').select('id').as('o')).select('id')],
    ['an aggregate', (of) => of.selectFrom('orders').select((is) => is.fn.countAll().as('n'))],
    ['an expression', (of) => of.selectFrom('orders').select(sql<number>`1`.as('n'))],
    ['GROUP BY', (of) => of.selectFrom('orders').select('item').groupBy('item')],
    ['DISTINCT', (of) => of.selectFrom('orders').select('item').distinct()],
    ['UNION', (of) => of.selectFrom('orders').select('item').union(of.selectFrom('orders').select('item'))],
    ['LIKE', (of) => of.selectFrom('orders').select('item').where('item', 'like', '%a%')],
    [
      'an expression in WHERE',
      (of) =>
        of
          .selectFrom('orders')
          .select('item')
          .where(sql<boolean>`id > 1`),
    ],
    [
      'a query in WHERE',
      (of) => of.selectFrom('orders').select('item').where('id', 'in', of.selectFrom('orders').select('id')),
    ],
    [
      'a value of another type',
      (of) =>
        of
          .selectFrom('orders')
          .select('item')
          .where('id', '<', 1.5 as never),
    ],
    [
      'an expression in ORDER BY',
      (of) =>
        of
          .selectFrom('orders')
          .select('item')
          .orderBy(sql`id`),
    ],
    ['no table', (of) => of.selectNoFrom(sql<number>`1`.as('n'))],
  ])('refuses %s', async (_, make) => {
    const { db, verified } = await openFilled();
    const error = await rejection(make(verified).execute());
    expect([error.code, error.message]).toEqual(['NOT_PROVABLE', expect.any(String)]);
    // Whatever the server can do without a proof it still does.
    await make(db)
      .execute()
      .catch(() => undefined);
  });

  it('refuses text of SQL that asks for rows, and proves what it writes', async () => {
    const { verified } = await openFilled();
    expect((await rejection(sql`SELECT id FROM orders`.execute(verified))).code).toBe('NOT_PROVABLE');
    expect((await sql`UPDATE orders SET total = 1 WHERE id < 3`.execute(verified)).numAffectedRows).toBe(2n);
    expect((await sql`DELETE FROM orders WHERE id = 1 RETURNING item`.execute(verified)).rows).toEqual([
      { item: 'lamp' },
    ]);
  });

  it('takes the plugins along, and reads a handle of another database', async () => {
    const { client, database } = await openFilled();
    const seen: string[] = [];
    const db = new ImmuKysely<Tables>(client.database(database), {
      log: (event) => void seen.push(event.query.sql),
    });
    expect(await db.verified().selectFrom('orders').select('id').where('id', '=', 1n).execute()).toEqual([
      { id: 1n },
    ]);
    expect(seen).toEqual(['select "id" from "orders" where "id" = $1']);
  });
});
