// Databases beside the one that is selected: each with its own session, trust and audits, under one login.
import { expect, onTestFinished, test } from 'vitest';
import { ClosedError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { DatabaseHandle } from '#dist/index.js';
import { describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import { USER, rejection, rowsOf, text } from '../trust/support.js';

async function open(): Promise<{ client: ImmuClient; store: MemoryRootStore; names: [string, string] }> {
  const names: [string, string] = [await freshDatabase(), await freshDatabase()];
  const store = new MemoryRootStore();
  const client = new ImmuClient({
    address: sharedImmudb(),
    store,
    credentials: { ...USER, database: names[0] },
  });
  onTestFinished(() => client.close());
  return { client, store, names };
}

describeServer('a database of a client', () => {
  test('is what it is whatever is selected', async () => {
    const { client, store, names } = await open();
    const [first, second] = names.map((name) => client.database(name)) as [DatabaseHandle, DatabaseHandle];
    expect([first.databaseName, second.databaseName, client.databaseName]).toEqual([...names, names[0]]);
    await Promise.all([first.verifiedSet('k', 'one'), second.verifiedSet('k', 'two')]);
    await client.useDatabase(names[1]);
    expect(client.databaseName).toBe(names[1]);
    const read = await Promise.all([first, second, client].map((of) => of.verifiedGet('k')));
    expect(read.map((entry) => text(entry?.value))).toEqual(['one', 'two', 'two']);
    expect((await first.getAll(['k', 'none'])).map((entry) => text(entry?.value))).toEqual(['one', '']);
    await first.set('plain', 'v');
    expect(await second.get('plain')).toBeNull();
    const reports = await Promise.all([first, second].map(({ audit }) => audit.database()));
    expect(reports.map(({ database, ok }) => [database, ok])).toEqual(names.map((name) => [name, true]));
    expect((await rowsOf(store, { database: names[0] })).length).toBeGreaterThan(0);
  });

  test('forgets its own trust, and no other', async () => {
    const { client, store, names } = await open();
    const second = client.database(names[1]);
    await Promise.all([client.verifiedSet('k', 'v'), second.verifiedSet('k', 'v')]);
    await second.forgetTrust('made anew');
    expect(await rowsOf(store, { outcome: 'forget' })).toMatchObject([{ database: names[1] }]);
    expect(text((await second.verifiedGet('k'))?.value)).toBe('v');
  });

  test('keeps what it began in: an ingest goes on where it began when another database is selected', async () => {
    const { client, names } = await open();
    const records = async function* () {
      yield ['a', '1'] as const;
      await client.useDatabase(names[1]);
      yield ['b', '2'] as const;
    };
    const keys: number[] = [];
    for await (const { index } of client.ingest(records())) keys.push(index);
    expect(keys).toEqual([0, 1]);
    const there = await client.database(names[0]).verifiedGetAll(['a', 'b']);
    expect(there.map((entry) => text(entry?.value))).toEqual(['1', '2']);
    expect(await client.verifiedGetAll(['a', 'b'])).toEqual([null, null]);
  });

  test('ends with its client, and is under its login', async () => {
    const { client, names } = await open();
    const second = client.database(names[1]);
    await second.verifiedSet('k', 'v');
    await client.logout();
    expect((await rejection(second.get('k'))).code).toBe('NOT_LOGGED_IN');
    await client.openSession({ ...USER, database: names[0] });
    expect(text((await second.get('k'))?.value)).toBe('v');
    await client.close();
    expect(await rejection(second.get('k'))).toBeInstanceOf(ClosedError);
    expect(await rejection(second.verifiedSet('k', 'v'))).toBeInstanceOf(ClosedError);
  });

  test('has a name that a database can have', async () => {
    const { client } = await open();
    expect(() => client.database('no name')).toThrow(/not a database name/);
    const unknown = client.database('never_made');
    expect((await rejection(unknown.verifiedGet('k'))).code).toBe('DATABASE_NOT_FOUND');
  });
});
