// What do proven rows cost? Queries over what was followed beside plain ones, rows written in many ways; and a mirror beside an audit
// with values, followed for it. `npm run bench -- sql`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { Goals } from './support/goals.js';
import { bestOf } from './support/load.js';
import { benchServer } from './support/server.js';
import { count, printTable, ratio } from './support/table.js';

const ROUNDS = 3;
const ROWS = 12_000;
const ROWS_A_TX = [1000, 100, 5] as const;

await using server = await benchServer();
const { address, database } = server;
const directory = await mkdtemp(join(tmpdir(), 'immu-ts-bench-'));
const store = await SqliteRootStore.open(join(directory, 'roots.db'));
const open = () =>
  new ImmuClient({
    address,
    store,
    credentials: { user: 'immudb', password: 'immudb', database },
    timeoutMs: 120_000,
  });
const client = open();
const { sql } = client;

for (const size of ROWS_A_TX) {
  const table = `t${size}`;
  await sql.exec(
    `CREATE TABLE ${table} (id INTEGER, name VARCHAR[32], total INTEGER, at TIMESTAMP, PRIMARY KEY id)`,
  );
  for (let at = 0; at < ROWS; at += size) {
    const rows = Array.from(
      { length: size },
      (_, i) => `(${at + i}, 'customer ${at + i}', ${(at + i) % 97}, NOW())`,
    );
    await sql.exec(`INSERT INTO ${table} (id, name, total, at) VALUES ${rows.join()}`);
  }
}

const lines: Record<string, string>[] = [];
const goals = new Goals();
function show(what: string, rate: number, beside: number): number {
  lines.push({ what, 'rows per second': count(rate), ratio: ratio(rate / beside) });
  return rate / beside;
}

async function rowsPerSecond(rows: number, work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const seen = await work();
  if (seen !== rows) throw new Error(`${seen} rows instead of ${rows}`);
  return rows / ((performance.now() - start) / 1000);
}

const all = ROWS * ROWS_A_TX.length;
const audit = await bestOf(ROUNDS, () =>
  rowsPerSecond(all, async () => {
    await client.audit.database({ values: true });
    return all;
  }),
);
show('audit.database with values', audit, audit);

let files = 0;
const mirrored = await bestOf(ROUNDS, async () => {
  const own = open();
  await own.ready();
  const rate = await rowsPerSecond(all, async () => {
    await own.follow({ ordered: true });
    const mirror = await own.mirror({ path: join(directory, `mirror${files++}.sqlite`) });
    await mirror.ready();
    return Number(mirror.query<{ n: bigint }>('SELECT count(*) AS n FROM _immu_rows').rows[0]?.n);
  });
  await own.close();
  return rate;
});
goals.atLeast(
  'mirror, followed for it : audit.database with values',
  0.5,
  show('mirror, from the first transaction on', mirrored, audit),
);

await (await client.follow({ ordered: true })).ready();
for (const size of ROWS_A_TX) {
  const text = `SELECT * FROM t${size}`;
  const plain = await bestOf(ROUNDS, () => rowsPerSecond(ROWS, async () => (await sql.query(text)).length));
  show(`query of all, ${size} rows a tx`, plain, plain);
  const verified = await bestOf(ROUNDS, () =>
    rowsPerSecond(ROWS, async () => (await sql.verifiedQuery(text)).rows.length),
  );
  goals.atLeast(
    `verifiedQuery : query, ${size} rows a tx`,
    0.3,
    show(`verifiedQuery of all, ${size} rows a tx`, verified, plain),
  );
}

await client.close();
await store.close();
await rm(directory, { recursive: true, force: true });
printTable(`Proven rows beside plain ones, ${server.what}`, lines);
goals.print('Goals');
