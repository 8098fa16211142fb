// Databases with tables, for the tests of SQL. The embedded ledger has no SQL: these tests are skipped there.
import { describeReal } from '../support/real.js';
import { openClient } from '../trust/support.js';

/** On a real immudb only. */
export function describeSql(name: string, body: () => void): void {
  describeReal(`(SQL: skipped on the ledger) ${name}`, body);
}

export const ALL_TYPES = `CREATE TABLE alltypes (id INTEGER, i INTEGER, b BOOLEAN, v VARCHAR[64], bl BLOB[16], u UUID, ts TIMESTAMP,
  f FLOAT, j JSON, PRIMARY KEY id)`;

/** A client with `orders`, of two columns. */
export async function openOrders() {
  const opened = await openClient();
  await opened.client.sql.exec(
    'CREATE TABLE orders (id INTEGER AUTO_INCREMENT, total INTEGER, PRIMARY KEY id)',
  );
  return opened;
}
