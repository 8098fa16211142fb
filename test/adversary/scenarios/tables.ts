// Tables of a followed database: their catalog, and the rows of queries; and the digests that all of it rests on.
import { ServerError } from '#dist/index.js';
import type { Following } from '#dist/index.js';
import type { Proxy } from '../proxy.js';
import { NOTHING, callers, show } from '../scenario.js';
import type { Message, Scenario, Told } from '../scenario.js';
import { cold } from '../stage.js';
import type { Stage } from '../stage.js';
import { setSmallStage } from './latest.js';

const withValues = (request: Message) => request['entriesSpec'] !== undefined;
const digests = (request: Message) => !withValues(request);

let following: Following | undefined;

/** `accounts` and `others`: the same columns, keys and rows; one of `accounts` updated, one deleted. */
export async function setTables(proxy: Proxy, address: string, database: string): Promise<Stage> {
  const stage = await setSmallStage(proxy, address, database);
  for (const table of ['accounts', 'others']) {
    await stage.client.sql.exec(
      `CREATE TABLE ${table} (id INTEGER, name VARCHAR[8], total INTEGER, PRIMARY KEY id)`,
    );
    await stage.client.sql.exec(
      `INSERT INTO ${table} (id, name, total) VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)`,
    );
  }
  await stage.client.sql.exec(
    'UPDATE accounts SET total = 21 WHERE id = 2; DELETE FROM accounts WHERE id = 3',
  );
  return stage;
}

/** That values are gone is the server's word, and shows none. */
function orGone(error: unknown): Told {
  if (error instanceof ServerError && error.code === 'TRUNCATED') return NOTHING;
  throw error;
}

const fromCold = async ({ client }: Stage) => {
  await following?.stop();
  await cold(client);
};

/** Followed; nothing is known of tables yet. */
async function followed({ client }: Stage): Promise<void> {
  following = await client.follow({ ordered: true, everyMs: 60_000, push: false });
  await following.ready();
}

const fromFollowed = async (stage: Stage) => {
  await fromCold(stage);
  await followed(stage);
};

const fromKnown = async (stage: Stage) => {
  await fromFollowed(stage);
  await stage.client.sql.verifiedSchema('accounts');
};

const query = async ({ client }: Stage) =>
  callers(
    client.sql
      .verifiedQuery('SELECT * FROM accounts WHERE total > 5 ORDER BY total DESC')
      .then(({ rows, txs, tableId, provenLatestAt }) => show({ rows, txs, tableId, provenLatestAt }))
      .catch(orGone),
  );

const groups = async ({ client }: Stage) =>
  callers(
    client.sql
      .verifiedQuery(
        'SELECT a.name, COUNT(*), SUM(o.total) FROM accounts a JOIN others o ON o.total = a.total GROUP BY a.name',
      )
      .then(({ rows, txs, tables, provenLatestAt }) => show({ rows, txs, tables, provenLatestAt }))
      .catch(orGone),
  );

const schema = async ({ client }: Stage) =>
  callers(
    client.sql
      .verifiedSchema('accounts')
      .then(({ id, columns, primaryKey, indexes, tx, catalogAt }) =>
        show({ id, columns, primaryKey, indexes, tx, catalogAt }),
      )
      .catch(orGone),
  );

const latest = async ({ client }: Stage) =>
  callers(
    client.sql
      .verifiedGet('accounts', 2n, { latest: true })
      .then(({ values, tx, tableId, absent, provenLatestAt }) =>
        show({ values, tx, tableId, absent, provenLatestAt }),
      )
      .catch(orGone),
  );

export const TABLES: readonly Scenario[] = [
  {
    name: 'verifiedQuery, what is followed for it',
    method: 'TxScan',
    asked: digests,
    prepare: fromCold,
    run: async (stage) => {
      await followed(stage);
      return query(stage);
    },
  },
  { name: 'verifiedQuery, values', method: 'TxScan', asked: withValues, prepare: fromKnown, run: query },
  {
    name: 'verifiedQuery of two tables, values',
    method: 'TxScan',
    asked: withValues,
    prepare: fromKnown,
    run: groups,
  },
  { name: 'verifiedSchema, values', method: 'TxScan', asked: withValues, prepare: fromFollowed, run: schema },
  {
    name: 'sql.verifiedGet latest, values',
    method: 'TxScan',
    asked: withValues,
    prepare: fromKnown,
    run: latest,
  },
  {
    name: 'sql.verifiedGet latest, its transaction',
    method: 'VerifiableTxById',
    prepare: fromKnown,
    run: latest,
  },
];
