// Kysely itself on a real server, by the server's word.
import { expect, it } from 'vitest';
import { sql } from 'kysely';
import { Kysely, Migrator } from 'kysely';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { ImmuDialect, ImmuKysely } from '#dist/kysely.js';
import { describeSql } from '../sql/support.js';
import { rejection } from '../trust/support.js';
import { openTables } from './support.js';
import type { Tables } from './support.js';

describeSql('Kysely', () => {
  it('inserts, selects, updates, deletes, and says how many rows', async () => {
    const { db } = await openTables();
    const inserted = await db
      .insertInto('orders')
      .values([
        { item: 'lamp', total: 450n },
        { item: 'chair', total: 9007199254740993n },
        { item: null, total: null },
      ])
      .executeTakeFirstOrThrow();
    expect(inserted).toMatchObject({ insertId: 3n, numInsertedOrUpdatedRows: 3n });
    expect(
      await db
        .selectFrom('orders')
        .select(['id', 'total as sum'])
        .where('total', '>', 100n)
        .orderBy('total', 'desc')
        .execute(),
    ).toEqual([
      { id: 2n, sum: 9007199254740993n },
      { id: 1n, sum: 450n },
    ]);
    expect(await db.selectFrom('orders').selectAll().where('item', 'is', null).execute()).toEqual([
      { id: 3n, item: null, total: null },
    ]);
    const updated = await db
      .updateTable('orders')
      .set({ total: 5n })
      .where('id', 'in', [1n, 3n])
      .executeTakeFirst();
    expect(updated.numUpdatedRows).toBe(2n);
    expect((await db.deleteFrom('orders').where('id', '=', 1n).executeTakeFirst()).numDeletedRows).toBe(1n);
    expect((await db.deleteFrom('orders').where('id', '=', 1n).executeTakeFirst()).numDeletedRows).toBe(0n);
    expect(
      await db
        .selectFrom('orders')
        .select((of) => of.fn.countAll<bigint>().as('n'))
        .executeTakeFirst(),
    ).toEqual({ n: 2n });
    const upserted = await db
      .replaceInto('orders')
      .values({ id: 2n, item: 'stool', total: 1n })
      .executeTakeFirst();
    expect(upserted.numInsertedOrUpdatedRows).toBe(1n);
    const kept = await db
      .insertInto('orders')
      .values({ id: 2n, item: 'x', total: 2n })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    expect(kept).toMatchObject({ insertId: undefined, numInsertedOrUpdatedRows: 0n });
    await db
      .insertInto('orders')
      .values({ id: 2n, item: 'x', total: 2n })
      .onConflict((conflict) => conflict.doUpdateSet({ total: 7n }))
      .execute();
    expect(await db.selectFrom('orders').selectAll().where('id', '=', 2n).execute()).toEqual([
      { id: 2n, item: 'stool', total: 7n },
    ]);
  });

  it('answers RETURNING, under the names that are asked for', async () => {
    const { db } = await openTables();
    const values = [{ item: 'lamp' }, { item: 'chair' }];
    expect(await db.insertInto('orders').values(values).returning(['id', 'item as what']).execute()).toEqual([
      { id: 1n, what: 'lamp' },
      { id: 2n, what: 'chair' },
    ]);
    expect(
      await db.updateTable('orders').set({ total: 1n }).where('id', '=', 2n).returningAll().execute(),
    ).toEqual([{ id: 2n, item: 'chair', total: 1n }]);
    expect(await db.deleteFrom('orders').where('id', '=', 9n).returning('id').execute()).toEqual([]);
    expect(
      await db.deleteFrom('orders').where('id', '=', 2n).returning('orders.id as gone').execute(),
    ).toEqual([{ gone: 2n }]);
    const expression = db
      .insertInto('orders')
      .values({ item: 'x' })
      .returning(sql<number>`1`.as('one'));
    expect((await rejection(expression.execute())).argument).toBe('returning');
    expect(await db.selectFrom('orders').select('id').execute()).toEqual([{ id: 1n }]);
  });

  it('commits a transaction, and counts rows in it', async () => {
    const { db } = await openTables();
    const counted = await db.transaction().execute(async (trx) => {
      const inserted = await trx
        .insertInto('orders')
        .values([{ item: 'a' }, { item: 'b' }, { item: 'c' }])
        .executeTakeFirst();
      const updated = await trx
        .updateTable('orders')
        .set({ total: 1n })
        .where('id', '>', 1n)
        .executeTakeFirst();
      const deleted = await trx.deleteFrom('orders').where('id', '=', 1n).executeTakeFirst();
      const none = await trx.deleteFrom('orders').where('id', '=', 1n).executeTakeFirst();
      const other = { country: 'de', item: 'lamp', cents: 5n, factor: 3 };
      const priced = await trx.insertInto('prices').values(other).executeTakeFirst();
      expect(priced.numInsertedOrUpdatedRows).toBe(1n);
      const raised = await trx.updateTable('prices').set({ factor: 4 }).executeTakeFirst();
      expect(raised.numUpdatedRows).toBe(1n);
      const kept = await trx
        .insertInto('prices')
        .values([other, { ...other, country: 'fr' }])
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      expect(kept.numInsertedOrUpdatedRows).toBe(1n);
      // Seen inside, and nowhere else.
      expect(await trx.selectFrom('orders').select('id').execute()).toEqual([{ id: 2n }, { id: 3n }]);
      expect(await db.selectFrom('orders').select('id').execute()).toEqual([]);
      expect(
        await trx.updateTable('orders').set({ total: 2n }).where('id', '=', 2n).returning('total').execute(),
      ).toEqual([{ total: 2n }]);
      await sql`CREATE INDEX ON orders (total)`.execute(trx);
      return [
        inserted.numInsertedOrUpdatedRows,
        updated.numUpdatedRows,
        deleted.numDeletedRows,
        none.numDeletedRows,
      ];
    });
    expect(counted).toEqual([3n, 2n, 1n, 0n]);
    expect(await db.selectFrom('orders').selectAll().orderBy('id').execute()).toEqual([
      { id: 2n, item: 'b', total: 2n },
      { id: 3n, item: 'c', total: 1n },
    ]);
  });

  it('rolls a transaction back, and goes on', async () => {
    const { db, client } = await openTables();
    const own = new Error('of the caller');
    const work = db.transaction().execute(async (trx) => {
      await trx.insertInto('orders').values({ item: 'a' }).execute();
      throw own;
    });
    expect(await rejection(work)).toBe(own);
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto('orders').values({ id: 5n }).execute();
      await trx.insertInto('orders').values({ id: 5n }).execute();
    });
    expect((await rejection(failing)).code).toBe('PRECONDITION_FAILED');
    const controlled = await db.startTransaction().execute();
    await controlled.insertInto('orders').values({ item: 'a' }).execute();
    expect((await rejection(controlled.savepoint('here').execute())).argument).toBe('savepoint');
    await controlled.rollback().execute();
    expect(await client.sql.query('SELECT id FROM orders')).toEqual([]);
    const again = await db.startTransaction().execute();
    await again.insertInto('orders').values({ item: 'b' }).execute();
    await again.commit().execute();
    expect(await client.sql.query('SELECT item FROM orders')).toEqual([{ item: 'b' }]);
  });

  it('tells a conflict at the commit, and the deadline at the statement that meets it', async () => {
    const { db } = await openTables({ transactionTimeoutMs: 700 });
    await db.insertInto('orders').values({ id: 1n, total: 1n }).execute();
    const conflict = db.transaction().execute(async (trx) => {
      const { total } = await trx
        .selectFrom('orders')
        .select('total')
        .where('id', '=', 1n)
        .executeTakeFirstOrThrow();
      await db.updateTable('orders').set({ total: 100n }).where('id', '=', 1n).execute();
      await trx
        .updateTable('orders')
        .set({ total: total! + 1n })
        .where('id', '=', 1n)
        .execute();
    });
    expect((await rejection(conflict)).code).toBe('CONFLICT');
    const late = db.transaction().execute(async (trx) => {
      await trx.insertInto('orders').values({ id: 2n }).execute();
      await new Promise((wake) => setTimeout(wake, 900));
      await trx.insertInto('orders').values({ id: 3n }).execute();
    });
    expect((await rejection(late)).code).toBe('DEADLINE_EXCEEDED');
    expect(await db.selectFrom('orders').selectAll().execute()).toEqual([
      { id: 1n, item: null, total: 100n },
    ]);
    const writing = db
      .transaction()
      .setAccessMode('read only')
      .execute((trx) => trx.deleteFrom('orders').execute());
    expect((await rejection(writing)).code).toBe('SERVER_REFUSED');
  });

  it('streams rows, in transactions too', async () => {
    const { db } = await openTables();
    const values = Array.from({ length: 250 }, (_, i) => ({ item: `item ${i}` }));
    await db.insertInto('orders').values(values).execute();
    let seen = 0n;
    for await (const { id } of db.selectFrom('orders').select('id').stream(40)) expect(id).toBe(++seen);
    expect(seen).toBe(250n);
    await db.transaction().execute(async (trx) => {
      for await (const { id } of trx.selectFrom('orders').select('id').stream()) {
        expect(id).toBe(1n);
        break;
      }
      await trx.deleteFrom('orders').where('id', '=', 1n).execute();
    });
    expect(await db.selectFrom('orders').select('id').limit(1).execute()).toEqual([{ id: 2n }]);
  });

  it('joins, and takes text of SQL', async () => {
    const { db } = await openTables();
    await db.insertInto('orders').values({ item: 'lamp' }).execute();
    const prices = { country: 'de', item: 'lamp', cents: 5n, factor: 0.5 };
    await db.insertInto('prices').values(prices).execute();
    expect(
      await db
        .selectFrom('orders as o')
        .innerJoin('prices as p', 'p.item', 'o.item')
        .select(['o.id', 'p.cents', 'p.factor'])
        .execute(),
    ).toEqual([{ id: 1n, cents: 5n, factor: 0.5 }]);
    const { rows } = await sql<{
      n: bigint;
    }>`SELECT COUNT(*) AS n FROM orders WHERE item = ${'lamp'}`.execute(db);
    expect(rows).toEqual([{ n: 1n }]);
    const inserted = await sql`INSERT INTO orders (item) VALUES (${'returning soon'})`.execute(db);
    expect(inserted.numAffectedRows).toBe(1n);
    expect((await sql`INSERT INTO orders (item) VALUES ('returning') RETURNING id`.execute(db)).rows).toEqual(
      [{ id: 3n }],
    );
  });

  it('shows its tables, and migrates', async () => {
    const { db } = await openTables();
    const [orders] = await db.introspection.getTables();
    expect(orders).toMatchObject({ name: 'orders', columns: [{ name: 'id', dataType: 'INTEGER' }, {}, {}] });
    const migrations = {
      first: {
        up: async (of: Kysely<unknown>) => {
          await of.schema
            .createTable('made')
            .addColumn('id', 'uuid', (id) => id.primaryKey())
            .execute();
          await of.schema.alterTable('made').addColumn('name', 'varchar(40)').execute();
          await of.schema.createIndex('by_name').on('made').column('name').execute();
        },
      },
    };
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } });
    const { error, results } = await migrator.migrateToLatest();
    expect([error, results]).toEqual([
      undefined,
      [{ direction: 'Up', migrationName: 'first', status: 'Success' }],
    ]);
    expect((await migrator.migrateToLatest()).results).toEqual([]);
    expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual([
      'orders',
      'prices',
      'made',
    ]);
  });

  it('refuses what immudb would not do', async () => {
    const { db, client } = await openTables();
    const table = db.schema.createTable('t');
    const conflict = db.insertInto('orders').values({ id: 1n });
    const refused: [string, () => { execute(): Promise<unknown> }][] = [
      ['dataType', () => table.addColumn('a', 'decimal(5, 2)')],
      ['column', () => table.addColumn('a', 'integer', (a) => a.unique())],
      ['column', () => table.addColumn('a', 'integer', (a) => a.references('orders.id'))],
      ['index', () => db.schema.dropIndex('by_name')],
      ['index', () => db.schema.createIndex('a').on('orders').column('item').where('item', '=', 'a')],
      ['onConflict', () => conflict.onConflict((on) => on.column('id').doNothing())],
    ];
    for (const [argument, make] of refused) {
      const error = await rejection(Promise.resolve().then(() => make().execute()));
      expect([argument, error.code, error.argument]).toEqual([argument, 'INVALID_ARGUMENT', argument]);
    }
    expect(await client.sql.tables()).toEqual(['orders', 'prices']);
  });

  it('leaves the client to its owner', async () => {
    const { client, db } = await openTables();
    await db.destroy();
    expect(await client.sql.tables()).toEqual(['orders', 'prices']);
    const other = new Kysely<Tables>({ dialect: new ImmuDialect(client) });
    expect(await other.selectFrom('orders').selectAll().execute()).toEqual([]);
    await client.close();
    expect((await rejection(other.selectFrom('orders').selectAll().execute())).code).toBe('CLOSED');
  });
});

it.each([
  ['database', undefined, {}],
  ['database', {}, {}],
  ['options', undefined, { timeout: 5 }],
  ['options', undefined, 5],
  ['options', undefined, { verified: true }],
  ['timeoutMs', undefined, { timeoutMs: 0 }],
  ['transactionTimeoutMs', undefined, { transactionTimeoutMs: 1.5 }],
])('is refused for a wrong %s', (argument, database, options) => {
  const client = new ImmuClient({ address: 'localhost:1', store: new MemoryRootStore() });
  const given = argument === 'database' ? database : client;
  const make = () => new ImmuKysely(given as never, options as never);
  expect(make).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument }) as Error);
});
