// docs/how-it-works.md names the files that calls enter: each of its ways is gone here, and what was entered is looked at.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { instrument } from '#dist/opentelemetry.js';
import { all } from '../scans/support.js';
import { folder } from '../store/support.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { startLedger } from '../support/ledger-process.js';

const page = readFileSync('docs/how-it-works.md', 'utf8');
const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title as string);

function named(title: string): string[] {
  const section = page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...new Set([...section.matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file as string))];
}

/** What only shows when something goes wrong, or runs on the store's thread. */
const ELSEWHERE = [
  'src/client/net/not-done.ts',
  'src/client/calls/ingest/once.ts',
  'src/store/memory/memory-log.ts',
  'src/store/sqlite/thread/thread.ts',
  'src/store/sqlite/thread/group-commit.ts',
  'src/store/sqlite/log/log-writer.ts',
  'src/store/log/decide.ts',
  'src/client/trust/log/refusal-log.ts',
  'src/verify/pack/packet.ts',
  'src/verify/evidence.ts',
];

/** Files of ours in which a function has run since the last look. */
async function entered(session: Session): Promise<Set<string>> {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const ran = result.filter(
    ({ url, functions }) =>
      url.includes('/dist/') &&
      functions.some(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0),
  );
  return new Set(ran.map(({ url }) => `src/${(url.split('/dist/')[1] as string).replace(/js$/, 'ts')}`));
}

type Ways = Record<string, () => Promise<unknown>>;

/** Goes each way, and looks that it enters every file that its section names. */
async function goEach(ways: Ways): Promise<void> {
  const session = new Session();
  session.connect();
  onTestFinished(() => session.disconnect());
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true });
  for (const [title, go] of Object.entries(ways)) {
    await entered(session);
    await go();
    const files = await entered(session);
    const missed = named(title).filter((file) => !files.has(file) && !ELSEWHERE.includes(file));
    expect(titles).toContain(title);
    expect(named(title).length, title).toBeGreaterThan(3);
    expect(missed, title).toEqual([]);
  }
}

const opened: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(opened.splice(0).map((close) => close())));

/** A client with a store of its own, which ends with the test. */
async function open(
  address: string,
  threads: number,
  database?: string,
  more: ImmuClientOptions = {},
): Promise<ImmuClient> {
  const store = await SqliteRootStore.open(join(await folder(), 'roots.db'));
  const credentials = { user: 'immudb', password: 'immudb', ...(database !== undefined && { database }) };
  const client = new ImmuClient({ address, store, credentials, verifier: { threads }, ...more });
  opened.push(async () => {
    await client.close();
    await store.close();
  });
  return client;
}

/** On a server that has them. */
const OF_SQL = 'Rows of SQL: `sql.verifiedExec`, `sql.verifiedGet`';
const OF_DOCUMENTS = 'Documents: `verifiedInsert`, `verifiedGet`, `verifiedSearch`';
const OF_LATEST =
  'A row, a document, proven latest: `sql.verifiedGet`, `documents.verifiedGet` with `latest`';
const OF_MIRRORS = 'A mirror: `mirror`';

test('every file that a way names is entered on it', async () => {
  const ledger = await startLedger();
  onTestFinished(() => ledger.close());
  const { address } = ledger;
  const client = await open(address, 0);
  for (let i = 0; i < 20; i++) await client.verifiedSet(`k${i}`, 'v');
  await client.warm();
  const cold = await open(address, 1);
  await cold.verifiedSet('first', 'v');
  const following = await open(address, 0);
  const ordered = await open(address, 0);
  const keys = ['k1', 'k2', 'k3'];
  const read = () => Promise.all(keys.map((key) => client.verifiedGet(key)));
  const write = () => client.verifiedSet('written', 'v');
  const many = async () => {
    const records = Array.from({ length: 100 }, (_, i) => [`many/${i}`, 'v'] as const);
    for await (const { index } of client.ingest(records)) expect(index).toBeLessThan(100);
    await client.verifiedSetAll(records);
  };
  const stream = async () => {
    await client.verifiedStreamSet('streamed', [Buffer.alloc(99_000)], { size: 99_000 });
    const found = await client.verifiedStreamGet('streamed', { buffer: true });
    await found?.proven;
  };
  const transactions = async () => {
    await client.verifiedTx(2n);
    await all(client.verifiedTransactions({ from: 1n, to: 3n }));
    await client.verifiedExportTx(2n);
  };
  const forms = () =>
    Promise.all([
      client.verifiedDelete('k9'),
      client.verifiedSetReference('led', 'k8'),
      client.verifiedZAdd('set', 1, 'k7'),
    ]);
  const latest = async () => {
    await following.follow();
    await following.verifiedSet('k1', 'newer');
    await following.verifiedGet('k1', { latest: true });
    await following.verifiedGet('nothing', { latest: true });
  };
  const complete = async () => {
    await ordered.follow({ ordered: true });
    await all(ordered.verifiedScan({ prefix: 'k', complete: true }));
  };
  const told = async () => {
    using telemetry = instrument();
    const log = () => undefined;
    const watched = await open(address, 0, undefined, {
      logger: { debug: log, info: log, warn: log, error: log },
    });
    await watched.verifiedSet('k1', 'watched');
    expect(watched.status().now.ready).toBe(true);
    telemetry.stop();
  };
  const ways: Ways = {
    'What a client tells': told,
    'Every call': read,
    'A read whose headers are known: `verifiedGet`, several in flight': read,
    'A lone read of which nothing is known: `verifiedGet`': () => cold.verifiedGet('k3'),
    'A lone write: `verifiedSet`': write,
    'Many records: `ingest`, `verifiedSetAll` of many': many,
    'A deletion, a reference, a member of a sorted set: `verifiedDelete`, `verifiedSetReference`, `verifiedZAdd`':
      forms,
    'A scan, page by page: `verifiedScan`': () => all(client.verifiedScan({ prefix: 'k' })),
    'What is latest: `follow`, `verifiedGet` with `latest`': latest,
    'A complete scan: `verifiedScan` with `complete`': complete,
    'A value by stream: `verifiedStreamSet`, `verifiedStreamGet`': stream,
    'Whole transactions: `verifiedTx`, `verifiedTransactions`, `verifiedExportTx`': transactions,
    'A head move': write,
    'A row of the audit log': write,
  };
  expect([...titles].sort()).toEqual(
    [...Object.keys(ways), OF_SQL, OF_DOCUMENTS, OF_LATEST, OF_MIRRORS].sort(),
  );
  await read();
  await goEach(ways);
});

describeReal('how it works', () => {
  test('with SQL and documents, too', async () => {
    const client = await open(sharedImmudb(), 0, await freshDatabase());
    const { sql, documents } = client;
    let id = '';
    await goEach({
      [OF_SQL]: async () => {
        await sql.verifiedExec('CREATE TABLE orders (id INTEGER, total INTEGER, PRIMARY KEY id)');
        await sql.verifiedExec`INSERT INTO orders (id, total) VALUES (${1n}, ${450n})`;
        await sql.verifiedGet('orders', 1n);
      },
      [OF_DOCUMENTS]: async () => {
        await documents.createCollection('people', { fields: [{ name: 'age', type: 'INTEGER' }] });
        const { ids } = await documents.verifiedInsert('people', [{ age: 36 }]);
        await documents.verifiedGet('people', ids[0] as string);
        await all(documents.verifiedSearch('people', { where: { age: 36 } }));
        id = ids[0] as string;
      },
      [OF_LATEST]: async () => {
        await client.follow({ ordered: true });
        await sql.verifiedGet('orders', 1n, { latest: true });
        await documents.verifiedGet('people', id, { latest: true });
      },
      [OF_MIRRORS]: async () => {
        const path = join(await folder(), 'mirror.sqlite');
        for (let i = 0; i < 2; i++) {
          await using mirror = await client.mirror({ path });
          await mirror.ready();
        }
      },
    });
  });
});
