// The catalog of a followed database: exact as of the followed head, whatever happens to its tables, and whatever the server says of it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ImmuClient, VerificationError } from '#dist/index.js';
import { freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, openWire, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import type { Message } from './lying-server.js';
import { describeSql, openOrders } from './support.js';

const namesOf = ({ columns }: { readonly columns: readonly { readonly name: string }[] }) =>
  columns.map(({ name }) => name);

describeSql('a followed catalog', () => {
  it('is exact as of the followed head: renames, dropped and new columns, truncated and dropped tables', async () => {
    const { client, database } = await openOrders();
    const { sql } = client;
    expect((await sql.verifiedSchema('orders')).catalog).toBe('proven');
    await client.follow();
    const first = await sql.verifiedSchema('orders');
    expect(first).toMatchObject({ id: 1, catalog: 'followed', primaryKey: [1] });
    expect(first.catalogAt!.tx).toBeGreaterThanOrEqual(first.tx);

    // By others, behind the client's back.
    const wire = await openWire(database);
    const exec = (text: string) => wire.call('SQLExec', { sql: text });
    await exec('ALTER TABLE orders ADD COLUMN note VARCHAR[16]');
    await exec('ALTER TABLE orders RENAME COLUMN total TO amount');
    const second = await sql.verifiedSchema('orders');
    expect(namesOf(second)).toEqual(['id', 'amount', 'note']);
    await exec('ALTER TABLE orders DROP COLUMN note');
    await exec('ALTER TABLE orders ADD COLUMN note INTEGER');
    expect((await sql.verifiedSchema('orders')).columns).toMatchObject([
      { id: 1, name: 'id' },
      { id: 2, name: 'amount' },
      { id: 4, name: 'note', type: 'INTEGER' },
    ]);
    await exec('CREATE INDEX ON orders (amount)');
    expect((await sql.verifiedSchema('orders')).indexes).toMatchObject([{ id: 1, columns: [2] }]);
    await exec('TRUNCATE TABLE orders');
    expect(await sql.verifiedSchema('orders')).toMatchObject({ id: 2, catalog: 'followed' });
    await exec('CREATE TABLE others (id INTEGER, PRIMARY KEY id)');
    expect((await sql.verifiedSchema()).map(({ name }) => name).sort()).toEqual(['orders', 'others']);
    // A pair that is renamed.
    await exec('ALTER TABLE orders RENAME TO ledger');
    await exec('ALTER TABLE others RENAME TO orders');
    expect(await sql.verifiedSchema('orders')).toMatchObject({ id: 3 });
    expect(await sql.verifiedSchema('ledger')).toMatchObject({ id: 2 });
    await exec('DROP TABLE ledger');
    expect((await rejection(sql.verifiedSchema('ledger'))).code).toBe('NOT_FOUND');
    expect(await sql.verifiedSchema()).toHaveLength(1);
  });

  it('is what rows are read by, and the result says so', async () => {
    const { client, database } = await openOrders();
    const { sql } = client;
    await client.follow();
    await sql.verifiedExec('INSERT INTO orders (total) VALUES (5)');
    const row = await sql.verifiedGet('orders', 1n);
    expect(row).toMatchObject({ values: { id: 1n, total: 5n }, catalog: 'followed', catalogTx: 1n });
    expect(row!.catalogAt!.tx).toBeGreaterThanOrEqual(row!.tx);
    const wire = await openWire(database);
    await wire.call('SQLExec', { sql: 'ALTER TABLE orders RENAME COLUMN total TO amount' });
    await wire.call('SQLExec', { sql: 'UPDATE orders SET amount = 6 WHERE id = 1' });
    expect(await sql.verifiedGet('orders', 1n)).toMatchObject({
      values: { id: 1n, amount: 6n },
      catalog: 'followed',
    });
    // A schema that the caller pins stays what it goes by.
    const pinned = await sql.verifiedSchema('orders');
    expect((await sql.verifiedGet('orders', 1n, { schema: pinned }))?.catalog).toBe('pinned');
  });

  it('goes on from what the process before has kept', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'immu-ts-kept-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const database = await freshDatabase();
    const follow = { ordered: true, keep: join(folder, 'index') };
    const open = () =>
      new ImmuClient({
        address: sharedImmudb(),
        store: join(folder, 'store.db'),
        credentials: { ...USER, database },
      });
    const before = open();
    await before.sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    await before.sql.exec('INSERT INTO orders (id, total) VALUES (1, 10)');
    await (await before.follow(follow)).ready();
    await before.close();
    await using client = open();
    const following = await client.follow(follow);
    expect(following.progress.tx).toBeGreaterThanOrEqual(2n);
    expect(await client.sql.verifiedSchema('orders')).toMatchObject({ id: 1, catalog: 'followed' });
    await client.sql.exec('ALTER TABLE orders RENAME COLUMN total TO amount');
    expect((await client.sql.verifiedQuery('SELECT * FROM orders')).rows).toEqual([{ id: 1n, amount: 10n }]);
  });

  it('of one that is followed from the head on it is no such thing', async () => {
    const { client } = await openOrders();
    await client.ready();
    await client.sql.verifiedExec('INSERT INTO orders (total) VALUES (5)');
    await client.follow({ from: 'head' });
    expect((await client.sql.verifiedGet('orders', 1n))?.catalog).toBe('proven');
  });

  it('has a column of two types, which an honest server makes: an anomaly, and no lie', async () => {
    const { client } = await openOrders();
    const { sql } = client;
    await client.follow();
    await sql.exec(
      'ALTER TABLE orders ALTER COLUMN total TYPE VARCHAR; ALTER TABLE orders RENAME COLUMN total TO t',
    );
    const error = await rejection(sql.verifiedSchema('orders'));
    expect(error).not.toBeInstanceOf(VerificationError);
    expect(error).toMatchObject({ code: 'DECODE_FAILED' });
    expect(error.message).toContain('two types');
  });
});

describeSql('a server that lies about a followed catalog', () => {
  const server = new LyingServer();

  it.each<[string, (entries: Message[]) => Message[]]>([
    [
      'another name in the value of a table',
      (entries) =>
        entries.map((entry) =>
          entry.key.includes('CTL.TABLE.') ? { ...entry, value: Buffer.from('lies') } : entry,
        ),
    ],
    [
      'the entry of another table in its place',
      (entries) =>
        entries.map((entry) => {
          if (!entry.key.includes('CTL.TABLE.')) return entry;
          const key = Buffer.from(entry.key as Buffer);
          key[key.length - 1]! ^= 3;
          return { ...entry, key };
        }),
    ],
    ['a value is kept back', (entries) => entries.filter(({ key }) => !key.includes('CTL.TABLE.'))],
  ])('%s: refused', async (_, change) => {
    const { client } = await server.open();
    await client.sql.exec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
    const following = await client.follow();
    await following.ready();
    server.lieOnValues((txs) => txs.map((tx) => ({ ...tx, entries: change(tx.entries) })));
    const error = await rejection(client.sql.verifiedSchema('orders'));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('sql.value');
    server.tellTheTruth();
    expect(await client.sql.verifiedSchema('orders')).toMatchObject({ catalog: 'followed' });
  });
});
