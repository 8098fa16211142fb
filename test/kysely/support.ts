// A database with a table, through Kysely.
import type { Generated } from 'kysely';
import { ImmuKysely } from '#dist/kysely.js';
import type { ImmuKyselyOptions } from '#dist/kysely.js';
import { openClient } from '../trust/support.js';

export interface Tables {
  readonly orders: {
    readonly id: Generated<bigint>;
    readonly item: string | null;
    readonly total: bigint | null;
  };
  readonly prices: {
    readonly country: string;
    readonly item: string;
    readonly cents: bigint;
    readonly factor: number | null;
  };
}

export async function openTables(options: ImmuKyselyOptions = {}) {
  const opened = await openClient();
  const db = new ImmuKysely<Tables>(opened.client, options);
  await db.schema
    .createTable('orders')
    .addColumn('id', 'bigint', (column) => column.primaryKey().autoIncrement())
    .addColumn('item', 'varchar(40)')
    .addColumn('total', 'integer')
    .execute();
  await db.schema
    .createTable('prices')
    .addColumn('cents', 'bigint', (column) => column.notNull())
    .addColumn('item', 'varchar(40)', (column) => column.notNull())
    .addColumn('country', 'varchar(2)', (column) => column.notNull())
    .addColumn('factor', 'double precision')
    .addPrimaryKeyConstraint('prices_pk', ['country', 'item'])
    .execute();
  return { ...opened, db };
}
