// The function for Drizzle's proxy driver, as the docs have it, with Drizzle itself.
import { readFileSync } from 'node:fs';
import { and, asc, count, desc, eq, gt, sum } from 'drizzle-orm';
import { bigint, boolean, doublePrecision, pgTable, timestamp, uuid, varchar } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pg-proxy';
import type { RemoteCallback } from 'drizzle-orm/pg-proxy';
import ts from 'typescript';
import { expect, it } from 'vitest';
import type { ImmuClient } from '#dist/index.js';
import { describeSql } from '../sql/support.js';
import { openClient, rejection } from '../trust/support.js';

/** What stands below the heading. */
function recipe(client: ImmuClient): RemoteCallback {
  const docs = readFileSync(new URL('../../docs/kysely.md', import.meta.url), 'utf8');
  const [, code] = /## Drizzle[\s\S]*?```ts no-run\n([\s\S]*?)```/.exec(docs) ?? [];
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  const { outputText } = ts.transpileModule(code ?? '', { compilerOptions });
  const body = outputText.replace(/^export \{\};$/m, '');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  return new Function('client', `${body}; return immudb;`)(client) as RemoteCallback;
}

const orders = pgTable('orders', {
  id: bigint('id', { mode: 'bigint' }).primaryKey(),
  item: varchar('item', { length: 40 }),
  total: bigint('total', { mode: 'bigint' }),
  weight: doublePrecision('weight'),
  open: boolean('open'),
  code: uuid('code'),
  at: timestamp('at', { precision: 6 }),
});

async function opened() {
  const { client } = await openClient();
  await client.sql.exec(
    'CREATE TABLE orders (id INTEGER, item VARCHAR[40], total INTEGER, weight FLOAT, open BOOLEAN, code UUID, at TIMESTAMP, PRIMARY KEY id)',
  );
  return { client, db: drizzle(recipe(client)) };
}

const LAMP = {
  ...{ id: 1n, item: 'lamp', total: 9007199254740993n, weight: 1.5, open: true },
  ...{ code: 'ffffffff-0000-4000-8000-00000000abcd', at: new Date('2026-01-02T03:04:05.678Z') },
};
const CHAIR = { id: 2n, item: 'chair', total: 80n, weight: null, open: null, code: null, at: null };

describeSql('Drizzle by its proxy driver', () => {
  it('inserts, selects, updates and deletes, with values of every type', async () => {
    const { client, db } = await opened();
    await db.insert(orders).values([LAMP, CHAIR]);
    expect(await db.select().from(orders).orderBy(asc(orders.id))).toEqual([LAMP, CHAIR]);
    const found = await db
      .select({ item: orders.item })
      .from(orders)
      .where(and(gt(orders.total, 50n), eq(orders.item, 'chair')))
      .orderBy(desc(orders.id))
      .limit(5);
    expect(found).toEqual([{ item: 'chair' }]);
    await db.update(orders).set({ total: 81n, at: LAMP.at }).where(eq(orders.id, 2n));
    const [counted] = await db.select({ n: count(), all: sum(orders.total) }).from(orders);
    expect(counted).toEqual({ n: 2, all: '9007199254741074' });
    await db.delete(orders).where(eq(orders.id, 1n));
    expect(await db.select().from(orders)).toEqual([{ ...CHAIR, total: 81n, at: LAMP.at }]);
    const row = await client.sql.verifiedGet('orders', 2n);
    expect(row?.values).toMatchObject({ item: 'chair', total: 81n });
  });

  it('gives what RETURNING gives', async () => {
    const { db } = await opened();
    const written = await db.insert(orders).values(LAMP).returning({ id: orders.id, at: orders.at });
    expect(written).toEqual([{ id: 1n, at: LAMP.at }]);
  });

  it('passes on what the server refuses', async () => {
    const { db } = await opened();
    await db.insert(orders).values(CHAIR);
    const error = await rejection(db.insert(orders).values(CHAIR).execute());
    expect(error).toBeInstanceOf(Error);
    expect((await db.select().from(orders)).length).toBe(1);
  });
});
