// A server that lies about rows and tables: everything that is to be proven is refused, and everything else is bounded and typed.
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { ImmuClient, MemoryRootStore, VerificationError } from '#dist/index.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { USER, openWire, rejection } from '../trust/support.js';
import { LyingServer } from './lying-server.js';
import type { Message } from './lying-server.js';
import { describeSql } from './support.js';

type Change = (answer: Message) => unknown;

const server = new LyingServer();

/** A client before whose server the proxy stands, with two tables of the same columns and rows. */
async function opened() {
  const { client, database } = await server.open();
  const { sql } = client;
  await sql.exec('CREATE TABLE accounts (id INTEGER, a INTEGER, b INTEGER, PRIMARY KEY id)');
  await sql.exec('CREATE TABLE others (id INTEGER, a INTEGER, b INTEGER, PRIMARY KEY id)');
  for (const table of ['accounts', 'others'])
    await sql.verifiedExec(`INSERT INTO ${table} (id, a, b) VALUES (1, 10, 20)`);
  return { client, sql, database };
}

describeSql('verifiedGet is told', () => {
  it.each<[string, string, Change]>([
    ['the id of another table', 'sql.table-id', (answer) => (answer.TableId = 2)],
    [
      'two columns exchanged',
      'sql.columns',
      (answer) => Object.assign(answer.ColNamesById, { 2: 'b', 3: 'a' }),
    ],
    ['another type of the same length', 'sql.columns', (answer) => (answer.ColTypesById[2] = 'TIMESTAMP')],
    ['another length', 'sql.columns', (answer) => (answer.ColLenById[2] = 9)],
    ['another primary key', 'sql.columns', (answer) => (answer.PKIDs = [2])],
    [
      'another value',
      'entries.inclusion',
      (answer) => (answer.sqlEntry.value[answer.sqlEntry.value.length - 1] ^= 1),
    ],
    ['a deletion', 'row.deleted', (answer) => (answer.sqlEntry.metadata = { deleted: true })],
    ['another tx', 'dual-proof.ends', (answer) => (answer.sqlEntry.tx = '2')],
  ])('%s: refused, and logged with evidence', async (_, failed, change) => {
    const { client, sql } = await opened();
    await sql.verifiedGet('accounts', 1n);
    server.lieOn('VerifiableSQLGet', change);
    const error = await rejection(sql.verifiedGet('accounts', 1n));
    expect(error).toBeInstanceOf(VerificationError);
    if (failed !== 'dual-proof.ends') expect(error.evidence.check).toBe(failed);
    server.tellTheTruth();
    expect(await sql.verifiedGet('accounts', 1n)).toMatchObject({ values: { a: 10n, b: 20n } });
    await client.close();
  });

  it('the row of another table under the same key: refused', async () => {
    const { client, sql } = await opened();
    const { requestDeserialize, requestSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      'VerifiableSQLGet',
    );
    server.proxy.intercept = ({ method, request, forward }) => {
      if (method !== 'VerifiableSQLGet') return forward();
      const asked = requestDeserialize(request) as Message;
      asked.sqlGetRequest.table = 'others';
      return forward(requestSerialize(asked));
    };
    expect((await rejection(sql.verifiedGet('accounts', 1n))).evidence.check).toBe('sql.table-id');
    await client.close();
  });

  it('an older version than was proven, with a proof of its own: refused', async () => {
    const { client, sql } = await opened();
    const { requestDeserialize, requestSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      'VerifiableSQLGet',
    );
    const { tx } = (await sql.verifiedGet('accounts', 1n))!;
    await sql.verifiedExec('UPDATE accounts SET a = 11 WHERE id = 1');
    server.proxy.intercept = ({ method, request, forward }) => {
      if (method !== 'VerifiableSQLGet') return forward();
      const asked = requestDeserialize(request) as Message;
      asked.sqlGetRequest.atTx = tx.toString();
      return forward(requestSerialize(asked));
    };
    expect((await rejection(sql.verifiedGet('accounts', 1n))).evidence.check).toBe('sql.stale');
    await client.close();
  });

  it('of a table whose transactions are hidden: it is not found, rather than believed', async () => {
    const { client } = await opened();
    await using fresh = new ImmuClient({
      address: server.proxy.address,
      store: new MemoryRootStore(),
      credentials: { ...USER, database: client.databaseName },
    });
    server.lieOn('TxScan', (answer) => {
      for (const tx of answer.txs) tx.entries = [];
    });
    expect((await rejection(fresh.sql.verifiedGet('accounts', 1n))).code).toBe('NOT_FOUND');
    await client.close();
  });
});

describeSql('verifiedExec is told', () => {
  it.each<[string, Change]>([
    ['a transaction that was there before', (answer) => (answer.txs[0].header.id = '1')],
    ['one that is not there', (answer) => (answer.txs[0].header.id = '99')],
    ['another time of it', (answer) => (answer.txs[0].header.ts = '5')],
  ])('%s: refused', async (_, change) => {
    const { client, sql } = await opened();
    server.lieOn('SQLExec', change);
    const error = await rejection(sql.verifiedExec('UPDATE accounts SET a = 12 WHERE id = 1'));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('sql.written');
    await client.close();
  });

  it('the transaction of another write of ours, or of another kind: refused', async () => {
    const { client, sql, database } = await opened();
    const wire = await openWire(database);
    const { id } = await wire.call('Set', { KVs: [{ key: Buffer.from('k'), value: Buffer.from('v') }] });
    server.lieOn('SQLExec', (answer) => (answer.txs[0].header.id = id));
    const foreign = await rejection(sql.verifiedExec('UPDATE accounts SET a = 13 WHERE id = 1'));
    expect(foreign).toBeInstanceOf(VerificationError);
    server.tellTheTruth();
    let first: string | undefined;
    server.lieOn('SQLExec', (answer) =>
      first ? (answer.txs[0].header.id = first) : (first = answer.txs[0].header.id),
    );
    const ended = await Promise.allSettled(
      [1, 2].map((id) => sql.verifiedExec(`INSERT INTO accounts (id, a, b) VALUES (${id + 5}, 1, 1)`)),
    );
    const refused = ended.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(1);
    expect((refused[0] as PromiseRejectedResult).reason).toBeInstanceOf(VerificationError);
    await client.close();
  });

  it('so is verifiedTransaction of its commit: refused', async () => {
    const { client } = await opened();
    server.lieOn('Commit', (answer) => (answer.header.id = '1'));
    const error = await rejection(
      client.verifiedTransaction((tx) => tx.exec('UPDATE accounts SET a = 16 WHERE id = 1')),
    );
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.evidence.check).toBe('sql.written');
    await client.close();
  });

  it.each<[string, Change]>([
    ['other values', (answer) => (answer.entries[0].value = Buffer.from('lie'))],
    ['no values', (answer) => (answer.entries = [])],
    ['a value twice', (answer) => answer.entries.push(answer.entries[0])],
  ])('%s of its rows: nothing is handed out', async (_, change) => {
    const { client, sql } = await opened();
    server.lieOn('TxById', change);
    const error = await rejection(sql.verifiedExec('UPDATE accounts SET a = 14 WHERE id = 1'));
    expect(error instanceof VerificationError || error.code === 'OUTCOME_UNKNOWN').toBe(true);
    await client.close();
  });
});

describeSql('plain calls are told', () => {
  const { responseDeserialize, responseSerialize } = methodDefinition(
    'immudb.schema.ImmuService',
    'SQLQuery',
  );
  const rowsWith = (change: Change) => {
    server.proxy.streamed = (message) => {
      const answer = responseDeserialize(message) as Message;
      change(answer);
      return responseSerialize(answer);
    };
    onTestFinished(() => void (server.proxy.streamed = (message) => message));
  };

  it.each<[string, Change]>([
    ['a value of another type', (answer) => (answer.rows[0].values[0] = { s: 'text' })],
    ['more values than columns', (answer) => answer.rows[0].values.push({ n: '1' })],
    ['fewer values than columns', (answer) => answer.rows[0].values.pop()],
    ['no columns', (answer) => (answer.columns = [])],
  ])('%s: a typed error', async (_, change) => {
    const { client, sql } = await opened();
    rowsWith(change);
    expect((await rejection(sql.query('SELECT id, a FROM accounts'))).code).toBe('UNAVAILABLE');
    const rows = sql.stream('SELECT id, a FROM accounts');
    expect((await rejection(rows.next())).code).toBe('UNAVAILABLE');
    await client.close();
  });

  it('names of columns that mean something elsewhere: they are columns', async () => {
    const { client, sql } = await opened();
    rowsWith((answer) => {
      answer.columns[0].name = '(t.__proto__)';
      answer.columns[1].name = '(t.toJSON)';
    });
    const [row] = await sql.query('SELECT id, a FROM accounts');
    expect(Object.keys(row!)).toEqual(['__proto__', 'toJSON']);
    expect(Object.getOwnPropertyDescriptor(row!, '__proto__')?.value).toBe(1n);
    expect(({} as Record<string, unknown>)['id']).toBeUndefined();
    const written = await sql.exec('DELETE FROM accounts WHERE id = 7');
    expect(Object.getPrototypeOf(row)).toBe(Object.getPrototypeOf(written));
    expect(inspect(row)).toBe("{ ['__proto__']: 1n, toJSON: 10n }");
    await client.close();
  });

  it('a transaction of another write, in exec: not told as done', async () => {
    const { client, sql } = await opened();
    const { txs } = await sql.exec('UPDATE accounts SET a = 14 WHERE id = 1');
    server.lieOn('SQLExec', (answer) => (answer.txs[0].header.id = `${txs[0]!.tx}`));
    const error = await rejection(sql.exec('UPDATE accounts SET a = 15 WHERE id = 1'));
    expect(error.code).toBe('OUTCOME_UNKNOWN');
    await client.close();
  });

  it('descriptions that are none: typed errors', async () => {
    const { client, sql } = await opened();
    server.lieOn('DescribeTable', (answer) => (answer.rows[0].values[1].s = 'TEXT'));
    expect((await rejection(sql.describe('accounts'))).code).toBe('UNAVAILABLE');
    server.lieOn('ListTables', (answer) => (answer.rows[0].values = []));
    expect((await rejection(sql.tables())).code).toBe('UNAVAILABLE');
    server.lieOn('NewTx', (answer) => (answer.transactionID = 'a\nb'));
    expect((await rejection(client.transaction(() => 1))).code).toBe('UNAVAILABLE');
    await client.close();
  });
});
