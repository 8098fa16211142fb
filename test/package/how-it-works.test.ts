// docs/how-it-works.md names the files that calls enter: each of its ways is gone here, and what was entered is looked at.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { all } from '../scans/support.js';
import { folder } from '../store/support.js';
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

test('every file that a way names is entered on it', async () => {
  const ledger = await startLedger();
  onTestFinished(() => ledger.close());
  const { address } = ledger;
  const session = new Session();
  session.connect();
  onTestFinished(() => session.disconnect());
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true });
  const opened: (() => Promise<void>)[] = [];
  const open = async (threads: number) => {
    const store = await SqliteRootStore.open(join(await folder(), 'roots.db'));
    const credentials = { user: 'immudb', password: 'immudb' };
    const client = new ImmuClient({ address, store, credentials, verifier: { threads } });
    opened.push(async () => {
      await client.close();
      await store.close();
    });
    return client;
  };
  const client = await open(0);
  for (let i = 0; i < 20; i++) await client.verifiedSet(`k${i}`, 'v');
  await client.warm();
  const cold = await open(1);
  await cold.verifiedSet('first', 'v');
  const keys = ['k1', 'k2', 'k3'];
  const read = () => Promise.all(keys.map((key) => client.verifiedGet(key)));
  const write = () => client.verifiedSet('written', 'v');
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
  const ways: Record<string, () => Promise<unknown>> = {
    'Every call': read,
    'A read whose headers are known: `verifiedGet`, several in flight': read,
    'A lone read of which nothing is known: `verifiedGet`': () => cold.verifiedGet('k3'),
    'A lone write: `verifiedSet`': write,
    'A deletion, a reference, a member of a sorted set: `verifiedDelete`, `verifiedSetReference`, `verifiedZAdd`':
      forms,
    'A scan, page by page: `verifiedScan`': () => all(client.verifiedScan({ prefix: 'k' })),
    'A value by stream: `verifiedStreamSet`, `verifiedStreamGet`': stream,
    'Whole transactions: `verifiedTx`, `verifiedTransactions`, `verifiedExportTx`': transactions,
    'A head move': write,
    'A row of the audit log': write,
  };
  expect(titles).toEqual(Object.keys(ways));
  await read();
  for (const [title, go] of Object.entries(ways)) {
    await entered(session);
    await go();
    const files = await entered(session);
    const missed = named(title).filter((file) => !files.has(file) && !ELSEWHERE.includes(file));
    expect(named(title).length, title).toBeGreaterThan(3);
    expect(missed, title).toEqual([]);
  }
  for (const close of opened) await close();
});
