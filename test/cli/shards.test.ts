// `immu-ts audit database --shards`: processes that come, and go by SIGKILL, and the report of a single one.
import { generateKeyPairSync } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { SqliteAuditQueue } from '#dist/audit.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { call } from './call.js';
import { start, temporaryFolder } from './run.js';
import { timeless } from '../audit/timeless.js';

let folder: string;
let path: string;
let ledger: EmbeddedLedger;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'roots.db');
  ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  await using store = await SqliteRootStore.open(path);
  await using client = new ImmuClient({
    ...{ address: ledger.address, store, credentials: { user: 'immudb', password: 'immudb' } },
  });
  for (let i = 1; i <= 90; i++)
    await client.setAll([`k${i}`, `k${i}x`].map((key) => [key, `v${i}`] as const));
  await client.verifiedSet('last', 'one');
});

const args = (...more: string[]) => [
  'audit',
  'database',
  '--store',
  path,
  '--address',
  ledger.address,
  ...more,
];
const json = async (...more: string[]) => {
  const { code, stdout, stderr } = await call(args('--format', 'json', ...more));
  return { code, stderr, report: JSON.parse(stdout) as Record<string, unknown> };
};
test('by two processes, by this one, and by none: the report of one audit', async () => {
  const single = await json('--values');
  for (const [shards, workers] of [
    ['5', '2'],
    ['3', '0'],
    ['500', '1'],
  ] as const) {
    const { code, report, stderr } = await json('--values', '--shards', shards, '--workers', workers);
    expect(stderr).toMatch(/joined from \d+ signed reports/);
    expect(stderr).not.toContain('a worker ended');
    expect(code).toBe(0);
    expect(timeless(report)).toEqual(timeless(single.report));
  }
  const { report } = await json('--shards', '3', '--workers', '0', '--after', '20');
  expect(report).toMatchObject({ from: '21', to: '91', ok: true });
}, 60_000);

test('a finding: exit code 3', async () => {
  ledger.lie({ kind: 'drop-entry', methods: ['TxScan'] });
  const { code, report } = await json('--shards', '2', '--workers', '0');
  expect(code).toBe(3);
  expect(report['findingsTotal']).toBeGreaterThan(0);
});

test('a server that has gone back: what one audit says of it', async () => {
  ledger.lie({ kind: 'rollback', to: 30n });
  const { code, report } = await json('--shards', '4');
  expect(code).toBe(3);
  expect(report).toMatchObject({ state: { trusted: false } });
});

test('workers killed at random, others that join: one report, the same but for times', async () => {
  const single = await json();
  const secret = join(folder, 'key.pem');
  const own = generateKeyPairSync('ed25519');
  await writeFile(secret, own.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const open = join(folder, 'open.pem');
  await writeFile(open, own.publicKey.export({ type: 'spki', format: 'pem' }));
  const queue = join(folder, 'queue.db');
  // Answers take their time, so that each dies at its work.
  ledger.lie({
    ...{ kind: 'mutate', methods: ['TxScan'] },
    mutate: () => {
      const until = performance.now() + 15;
      while (performance.now() < until);
      return undefined;
    },
  });
  const main = await start(
    args('--format', 'json', '--shards', '24', '--workers', '1', '--queue', queue, '--accept', open),
    { cwd: folder, again: true },
  );
  for (;;) {
    const isThere = await access(queue).then(
      () => true,
      () => false,
    );
    if (isThere) break;
    if (main.child.exitCode !== null) throw new Error((await main.outcome).stderr);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  let killed = 0;
  while (main.child.exitCode === null) {
    const worker = await start(
      [
        'audit',
        'work',
        '--queue',
        queue,
        '--key',
        secret,
        '--store',
        path,
        '--address',
        ledger.address,
        '--lease',
        '1',
      ],
      { cwd: folder, again: true },
    );
    await Promise.race([
      worker.outcome,
      new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 700)),
    ]);
    if (worker.child.exitCode === null && worker.child.kill('SIGKILL')) killed++;
    await worker.outcome;
    if (killed >= 6) break;
  }
  const { code, stdout, stderr } = await main.outcome;
  expect(stderr).toContain('joined from');
  expect(code).toBe(0);
  expect(killed).toBeGreaterThan(0);
  expect(timeless(JSON.parse(stdout) as Record<string, unknown>)).toEqual(timeless(single.report));
  // It goes with the audit.
  await expect(SqliteAuditQueue.open(queue)).rejects.toMatchObject({ code: 'STORE_MISSING' });
}, 90_000);

test('words that do not go together, and what a worker needs', async () => {
  for (const [words, says] of [
    [['--workers', '2'], '--workers goes with --shards'],
    [['--shards', '2', '--stop'], '--stop goes without --shards'],
    [['--shards', '2', '--resume', 'f'], '--resume goes without --shards'],
    [['--shards', '0'], '--shards is a number'],
    [['--shards', 'x'], 'whole number'],
    [['--shards', '2', '--format', 'yaml'], '--format is text or json'],
  ] as const)
    await expect(call(args(...words))).rejects.toThrow(says);
  await expect(call(['audit', 'work', '--queue', 'q'])).rejects.toThrow('needs --queue and --key');
  const file = join(folder, 'report.txt');
  expect(await call(args('--shards', '2', '--workers', '0', '--out', file))).toMatchObject({
    code: 0,
    stdout: '',
  });
  expect(await readFile(file, 'utf8')).toContain('everything holds');
});
