// `immu-ts ingest`: the main job on the embedded ledger and on a real immudb, and every way for it to fail.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';
import { run, start, temporaryFolder } from './run.js';
import type { Outcome } from './run.js';

// Whole processes, on machines that have others to run: above the deadline that each of them has.
vi.setConfig({ testTimeout: 120_000 });

const LOCKFILE = fileURLToPath(new URL('../../package-lock.json', import.meta.url));

/** A lock file of its own, in a folder of its own. */
async function folderWithLockfile(count: number): Promise<string> {
  const folder = await temporaryFolder();
  const packages = Array.from({ length: count }, (_, i) => [
    `node_modules/p${i}`,
    { version: `1.0.${i}`, integrity: `sha512-${i}` },
  ]);
  const lock = { lockfileVersion: 3, packages: Object.fromEntries([['', { name: 'mine' }], ...packages]) };
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify(lock));
  return folder;
}

async function startLedger(): Promise<EmbeddedLedger> {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  return ledger;
}

/** One line on standard error (behind the progress, if there is any), no stack, nothing left behind. */
function expectOneLine(outcome: Outcome, code: number, line: RegExp): void {
  const lines = outcome.stderr.trimEnd().split('\n');
  const said = lines.filter((text) => !/^verified (writes|reads) +\d+\/\d+$/.test(text));
  expect(said).toEqual([expect.stringMatching(line)]);
  expect(outcome.code).toBe(code);
  expect(outcome.left).toEqual([]);
}

test('every dependency of this repository, on the embedded ledger, from no arguments but the lock file', async () => {
  const { packages } = JSON.parse(await readFile(LOCKFILE, 'utf8')) as { packages: object };
  const count = Object.keys(packages).length - 1;
  const { code, stdout, stderr, left } = await run(['ingest', '--lockfile', LOCKFILE]);
  expect(stderr).toMatch(new RegExp(`^verified writes 0/${count}\n[^]*verified reads +${count}/${count}\n$`));
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^embedded ledger at 127\.0\.0\.1:\d+, database defaultdb at tx 0$/);
  expect(lines[1]).toMatch(
    new RegExp(`^${count} records, .*: [1-9]\\d* verified writes/s, [1-9]\\d* verified reads/s$`),
  );
  expect(stdout).toMatch(new RegExp(`^trusted root of defaultdb: tx \\d+, alh [0-9a-f]{64}$`, 'm'));
  expect(stdout).toMatch(
    /^last 8 rows of the audit log:\n( {2}#\d+ .*tx \d+ .*verified(Set|Get) × \d+\n){8}/m,
  );
  expect(stdout).toMatch(/^audit chain: \d+ rows, intact\n$/m);
  expect({ code, left }).toEqual({ code: 0, left: [] });
});

test('a store that is named is kept, and holds the root that was shown', async () => {
  const folder = await folderWithLockfile(12);
  const first = await run(['ingest', '--store', 'roots.db'], { cwd: folder });
  expect(first).toMatchObject({ code: 0, left: [] });
  await using store = await SqliteRootStore.open(join(folder, 'roots.db'), { create: 'never' });
  const head = await store.audit.latest();
  expect(first.stdout).toContain(`tx ${head!.tx}, alh ${Buffer.from(head!.alh).toString('hex')}\n`);
  expect(first.stdout).toContain(`server identity: ${head!.server}\n`);
  await expect(store.audit.verify()).resolves.toMatchObject({ ok: true });
});

test('a ledger that lies about a value ends the job with the reason', async () => {
  const ledger = await startLedger();
  ledger.lie({ kind: 'swap-value', methods: ['GetAll', 'Get', 'VerifiableGet'] });
  const cwd = await folderWithLockfile(30);
  const outcome = await run(['ingest', '--address', ledger.address], { cwd });
  expectOneLine(outcome, 3, /^immu-ts: VERIFICATION_FAILED: ./);
  expect(outcome.stdout).not.toMatch(/records/);
});

test('Ctrl-C stops it, cleaned up', async () => {
  const cwd = await folderWithLockfile(20_000);
  const { child, stderrHas, outcome } = await start(['ingest'], { cwd });
  await stderrHas(/^verified writes 0\/20000$/m);
  child.kill('SIGINT');
  expectOneLine(await outcome, 130, /^immu-ts: ABORTED: ./);
});

test('nobody reads its output: it does its job', async () => {
  const cwd = await folderWithLockfile(12);
  const { child, outcome } = await start(['ingest', '--store', 'roots.db'], { cwd });
  child.stdout.destroy();
  child.stderr.destroy();
  expect((await outcome).code).toBe(0);
  await using store = await SqliteRootStore.open(join(cwd, 'roots.db'), { create: 'never' });
  expect((await store.audit.latest())?.tx).toBeGreaterThan(0n);
  const rows = [];
  for await (const row of store.audit.roots({ operation: 'verifiedSet' })) rows.push(row);
  expect(rows.reduce((calls, row) => calls + row.calls, 0)).toBe(12);
});

test.for<[string, number, RegExp, string[]]>([
  ['no command', 2, /no command/, ['--store', 'x']],
  ['an unknown command', 2, /unknown command "digest"/, ['digest']],
  ['an unknown option', 2, /'--adress'/, ['ingest', '--adress', 'localhost']],
  ['an option without its value', 2, /--address/, ['ingest', '--address']],
  ['a file and no key', 2, /ingest of files needs --key-template/, ['ingest', 'file.ndjson']],
  ['no address', 2, /INVALID_ARGUMENT: .*"a b"/, ['ingest', '--address', 'a b']],
  ['no user name', 2, /user must not be empty/, ['ingest', '--user', '']],
  ['no database name', 2, /not a database name: "a-b"/, ['ingest', '--database', 'a-b']],
  ['no lock file', 1, /cannot read the lock file: .*gone\.json/, ['ingest', '--lockfile', 'gone.json']],
  ['a folder for a lock file', 1, /cannot read the lock file: /, ['ingest', '--lockfile', '.']],
  ['a wrong password', 1, /WRONG_CREDENTIALS: ./, ['ingest', '--password', 'Guess-77']],
  ['an unknown database', 1, /DATABASE_NOT_FOUND: ./, ['ingest', '--database', 'gone']],
  ['a store that is something else', 3, /STORE_\w+: ./, ['ingest', '--store', 'package-lock.json']],
])('%s: one line, exit code %d', async ([, code, line, args]) => {
  const outcome = await run(args, { cwd: await folderWithLockfile(3) });
  expectOneLine(outcome, code, new RegExp(`^immu-ts: .*${line.source}`));
  expect(outcome.stderr.includes('see immu-ts --help')).toBe(code === 2);
  expect(outcome.stderr).not.toContain('Guess-77');
});

test.for([
  ['not JSON', '{', /it is not JSON/],
  ['no object', 'null', /version 2 or 3/],
  ['version 1', '{"lockfileVersion":1,"dependencies":{}}', /version 2 or 3/],
  ['nothing in it', '{"packages":{"":{}}}', /pins no dependency/],
] as const)('a lock file that is %s: one line', async ([, content, line]) => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'package-lock.json'), content);
  const outcome = await run(['ingest'], { cwd });
  expectOneLine(outcome, 1, new RegExp(`^immu-ts: package-lock\\.json .*${line.source}`));
  expect(outcome.stdout).toBe('');
});

test('no server: one line that names the address', async () => {
  const ledger = await EmbeddedLedger.start();
  await ledger.close();
  const cwd = await folderWithLockfile(3);
  const outcome = await run(['ingest', '--address', ledger.address], { cwd });
  expectOneLine(outcome, 1, new RegExp(`^immu-ts: UNAVAILABLE: .*${ledger.address}`));
});

test('a password from the environment', async () => {
  const ledger = await EmbeddedLedger.start({ adminPassword: 'Hidden-7' });
  onTestFinished(() => ledger.close());
  const cwd = await folderWithLockfile(3);
  const args = ['ingest', '--address', ledger.address];
  expect((await run(args, { cwd, env: { IMMU_TS_PASSWORD: 'Hidden-7' } })).code).toBe(0);
});

test('--help and --version', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  const help = await run(['ingest', '--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const option of ['address', 'user', 'password', 'database', 'lockfile', 'store'])
    expect(help.stdout).toContain(`--${option} `);
});

describeReal('the main job', () => {
  test('what it ingests is there for another client to read', async () => {
    const database = await freshDatabase();
    const cwd = await folderWithLockfile(40);
    const args = ['ingest', '--address', sharedImmudb(), '--database', database];
    const { code, stdout, left } = await run(args, { cwd });
    expect(stdout).toMatch(/^immudb at /);
    expect(stdout).toMatch(new RegExp(`^trusted root of ${database}: tx \\d+, alh [0-9a-f]{64}$`, 'm'));
    expect({ code, left }).toEqual({ code: 0, left: [] });
    const wire = await WireClient.open(sharedImmudb(), database);
    onTestFinished(() => wire.close());
    const entry = await wire.call('Get', { key: Buffer.from('node_modules/p39') });
    expect(JSON.parse(entry.value.toString())).toEqual({
      name: 'p39',
      version: '1.0.39',
      integrity: 'sha512-39',
    });
    const state = await wire.call('CurrentState');
    expect(stdout).toContain(`alh ${Buffer.from(state.txHash).toString('hex')}\n`);
  });
});
