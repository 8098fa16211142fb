// Rows that come by a driver of PostgreSQL, which immudb can speak with and prove nothing: held against the proven ones.
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import { startImmudb } from '../support/immudb.js';
import { freePort } from '../support/programs.js';
import { describePrivate } from '../support/real.js';
import { USER } from '../trust/support.js';
import { ALL_TYPES } from './support.js';

/** A server that speaks both, a client, and a driver. */
async function opened() {
  const postgresPort = await freePort();
  const server = await startImmudb({ postgresPort });
  onTestFinished(() => server.close());
  const client = new ImmuClient({
    address: server.address,
    store: new MemoryRootStore(),
    credentials: USER,
  });
  onTestFinished(() => client.close());
  const driver = new pg.Client({ host: '127.0.0.1', port: postgresPort, ...USER, database: 'defaultdb' });
  await driver.connect();
  onTestFinished(() => driver.end());
  return { client, driver };
}

describePrivate('verifyRow beside a driver of PostgreSQL', () => {
  it('holds its rows against the proven ones: every type, and what was changed since', async () => {
    const { client, driver } = await opened();
    const { sql } = client;
    await sql.exec(ALL_TYPES);
    const row = {
      ...{ id: 9007199254740993n, i: -(2n ** 63n), b: true, v: 'ÄÖ日本🎉', bl: new Uint8Array([0, 255]) },
      ...{ u: 'ffffffff-0000-4000-8000-00000000abcd', ts: sql.timestamp('2026-01-02T03:04:05.678901Z') },
      ...{ f: 0.1, j: '{"a":1,"b":[true,null]}' },
    };
    await sql.exec(
      'INSERT INTO alltypes (id, i, b, v, bl, u, ts, f, j) VALUES (@id, @i, @b, @v, @bl, @u, @ts, @f, @j)',
      row,
    );
    await sql.exec('INSERT INTO alltypes (id) VALUES (2)');

    const { rows } = await driver.query<{ id: string }>('SELECT id, i, b, v, bl, u, ts, f, j FROM alltypes');
    expect(rows).toHaveLength(2);
    for (const each of rows)
      expect(await sql.verifyRow(each, 'alltypes', BigInt(each.id))).toMatchObject({
        matches: true,
        differences: [],
      });

    await driver.query("UPDATE alltypes SET v = 'other' WHERE id = 2");
    const { matches, differences } = await sql.verifyRow(
      rows.find(({ id }) => id === '2')!,
      'alltypes',
      2n,
    );
    expect([matches, differences.map(({ column }) => column)]).toEqual([false, ['v']]);
    const asked = await driver.query<{ id: string }>('SELECT id, v FROM alltypes WHERE id = $1', [2]);
    expect(await sql.verifyRow(asked.rows[0]!, 'alltypes', 2n)).toMatchObject({ matches: true });
  });
});
