// `immu-ts audit prove` and `audit database` against a ledger: what they show, log and end with.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { rowsIn } from './audited.js';
import { call } from './call.js';
import { run, start, temporaryFolder } from './run.js';

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
    address: ledger.address,
    store,
    credentials: { user: 'immudb', password: 'immudb' },
  });
  for (let i = 1; i <= 70; i++) {
    if (i % 7 === 0) await client.verifiedSet(`k${i}`, `v${i}`);
    else await client.set(`k${i}`, `v${i}`);
  }
});

const audit = (command: string, ...args: string[]) =>
  call(['audit', command, '--store', path, '--address', ledger.address, ...args]);

describe('audit prove', () => {
  test('every root holds; the report as text, as JSON and in a file', async () => {
    const shown = await audit('prove');
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('everything holds');
    const json = await audit('prove', '--format', 'json', '--tx', '10..30');
    expect(JSON.parse(json.stdout)).toMatchObject({
      kind: 'roots',
      ok: true,
      rows: { checked: 3, proven: 3 },
    });
    const file = join(folder, 'report.txt');
    const written = await audit('prove', '--out', file);
    expect(written).toMatchObject({ code: 0, stdout: '' });
    expect(written.stderr).toMatch(/SHA-256 [0-9a-f]{64}\n$/);
    expect(await readFile(file, 'utf8')).toContain('everything holds');
  });

  test('roots that the server does not stand by: exit code 3, and rows in the log', async () => {
    ledger.lie({ kind: 'fork', at: 30n, height: 80n });
    const { code, stdout } = await audit('prove');
    expect(code).toBe(3);
    expect(stdout).toContain('with another hash');
    const forks = (await rowsIn(path)).filter(
      ({ operation, outcome }) => operation === 'audit.prove' && outcome === 'fork',
    );
    // Each root, and the head itself.
    expect(forks).toHaveLength(7);
    expect((await call(['evidence', 'show', String(forks[0]!.seq), '--store', path])).stdout).toContain(
      'fails in the same way',
    );
  });
});

describe('audit database', () => {
  test('holds, with values', async () => {
    const { code, stdout } = await audit('database', '--values');
    expect(code).toBe(0);
    expect(stdout).toContain('Transactions   1 to 70: 70 checked');
    expect(stdout).toContain('70 hashed');
    const rest = await audit('database', '--after', '60', '--format', 'json', '--threads', '0');
    expect(JSON.parse(rest.stdout)).toMatchObject({ kind: 'database', from: '61', to: '70', ok: true });
  });

  test('a finding: exit code 3, and evidence that is run again', async () => {
    ledger.lie({ kind: 'drop-entry', methods: ['TxScan'] });
    const { code, stdout } = await audit('database', '--findings', '3');
    expect(code).toBe(3);
    expect(stdout).toContain('check entries.count');
    const [row] = (await rowsIn(path)).filter(({ operation }) => operation === 'audit.database');
    const shown = await call(['evidence', 'show', String(row!.seq), '--store', path]);
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toContain('everything in txs 1 to 1');
    const stopped = await audit('database', '--stop', '--format', 'json');
    expect(JSON.parse(stopped.stdout)).toMatchObject({ complete: false, findingsTotal: 1 });
  });

  test('interrupted, it leaves where it was in a file, and goes on there', async () => {
    const token = join(folder, 'resume');
    const interrupt = new AbortController();
    /** First transactions of what is asked for, in order. */
    const asked: number[] = [];
    ledger.lie({
      ...{ kind: 'mutate', methods: ['TxScan'] },
      mutate: (_answer, { request }) => {
        asked.push(Number((request as { initialTx: string }).initialTx));
        // Two are answered, what follows is not any more.
        if (asked.length > 2) interrupt.abort();
        return undefined;
      },
    });
    const server = ['--store', path, '--address', ledger.address];
    const args = ['audit', 'database', ...server, '--in-flight', '1', '--resume', token];
    await expect(call(args, { signal: interrupt.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await readdir(folder)).toContain('resume');
    asked.splice(0);
    const { code, stdout } = await call([...args, '--format', 'json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ from: '1', to: '70', ok: true, checked: { txs: 70 } });
    expect(await readdir(folder)).not.toContain('resume');
    // Not what was done before.
    expect(asked[0]).toBe(3);
    await writeFile(token, 'damaged\n');
    await expect(call(args)).rejects.toMatchObject({ argument: 'resume' });
  });
});

test('told to end (SIGTERM), it leaves where it was in a file, and says so by its exit code', async () => {
  const token = join(folder, 'resume');
  let running: Awaited<ReturnType<typeof start>> | undefined;
  let asked = 0;
  ledger.lie({
    ...{ kind: 'mutate', methods: ['TxScan'] },
    mutate: () => {
      asked += 1;
      // Once: a second one ends it at once.
      if (asked === 3) running?.child.kill('SIGTERM');
      return undefined;
    },
  });
  const server = ['--store', path, '--address', ledger.address];
  const args = ['audit', 'database', ...server, '--in-flight', '1', '--resume', token];
  running = await start(args, { cwd: folder });
  expect(await running.outcome).toMatchObject({ code: 143, stdout: '', left: [] });
  expect(await readFile(token, 'utf8')).toMatch(/\S/);
  running = undefined;
  const { code, stdout } = await call([...args, '--format', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ from: '1', to: '70', ok: true });
});

test.for([
  ['prove', '--format', 'xml'],
  ['prove', '--tx', 'x'],
  ['database', '--threads', 'many'],
  ['database', '--after', '-1'],
])('%j is a wrong command line: exit code 2', async (args) => {
  const outcome = await run(['audit', ...args, '--store', path, '--address', ledger.address], {
    cwd: folder,
  });
  expect(outcome).toMatchObject({ code: 2, stdout: '' });
  expect(outcome.stderr).toMatch(/^immu-ts: .*--help\)\n$/);
});

test.for(['prove', 'database'])('audit %s does not make a store', async (command) => {
  const gone = join(folder, 'gone', 'roots.db');
  const outcome = await run(['audit', command, '--store', gone, '--address', ledger.address], {
    cwd: folder,
  });
  expect(outcome).toMatchObject({ code: 1, stdout: '' });
  expect(outcome.stderr).toMatch(/^immu-ts: STORE_MISSING: .*\n$/);
});
