// `immu-ts state`, `tx`, `txs`, `stream-get` and `stream-set` on a real immudb.
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';
import { run, start, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;

describeServer('state', () => {
  test('proven, and not', async () => {
    const { cli, wire } = await openDatabase();
    await cli(['set', 'k', 'v']);
    const { txId, txHash } = await wire.call('CurrentState');
    const line = `tx ${txId}, alh ${Buffer.from(txHash).toString('hex')}\n`;
    expect(await cli(['state'])).toMatchObject({
      ...{ code: 0, stdout: line },
      stderr: 'verified: it extends what was trusted, no public key of the server was given\n',
    });
    expect(await cli(['state', '--unverified'])).toMatchObject({
      ...{ code: 0, stdout: line },
      stderr: "NOT VERIFIED, the server's word\n",
    });
    expect(jsonOf(await cli(['state', '--json']))).toMatchObject({
      verified: true,
      tx: txId,
      root: { alh: hash },
    });
    expect(jsonOf(await cli(['state', '--json', '--unverified']))).toMatchObject({
      verified: false,
      tx: txId,
    });
  });
});

describeServer('tx', () => {
  test('a transaction with all kinds of entries, as text and as JSON', async () => {
    const { cli, wire } = await openDatabase();
    await cli(['set', 'gone', 'v', '--unverified']);
    const ops = [
      { set: { key: 'a', value: '1' } },
      { reference: { key: 'r', to: 'a', atTx: 'thisTx' } },
      { zAdd: { set: 's', score: 1.5, key: 'a' } },
    ];
    await cli(['exec', '-'], { input: JSON.stringify(ops) });
    const shown = await cli(['tx', '2']);
    const { header } = await wire.call('TxById', { tx: '2' });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(
      /^tx {12}2\nalh {11}[0-9a-f]{64}\nprevious alh {2}[0-9a-f]{64}\nwritten {7}\d{4}-.*Z\nentries {7}3\n\n/,
    );
    expect(shown.stdout).toContain(`previous alh  ${Buffer.from(header.prevAlh).toString('hex')}`);
    const [, table = ''] = shown.stdout.split('\n\n');
    const rows = table
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['key', 'a', '1'],
      ['key', 'r', '(refers to a)'],
      ['sorted-set', 's 1.5 a'],
    ]);
    expect(shown.stderr).toMatch(/^verified: it has these entries and no others, proven under tx \d+, alh /);
    expect(jsonOf(await cli(['tx', '2', '--json']))).toMatchObject({
      ...{ verified: true, tx: '2', alh: hash, entryCount: 3, root: { alh: hash } },
      entries: [
        { kind: 'key', key: 'a', value: '1', rawKey: '0061', rawValue: '0031', valueHash: hash },
        { kind: 'key', key: 'r', reference: { key: 'a', atTx: '2' } },
        { kind: 'sorted-set', set: 's', score: 1.5, key: 'a', atTx: '0' },
      ],
    });
    expect((await cli(['tx', '2', '--entries', 'digests'])).stdout).toMatch(
      /^key {9}a {25}SHA-256 [0-9a-f]{64}$/m,
    );
    expect((await cli(['tx', '2', '--entries', 'none', '--unverified'])).stdout).not.toContain('kind');
    expect((await cli(['tx', '2', '--unverified'])).stderr).toBe("NOT VERIFIED, the server's word\n");
    await cli(['delete', 'gone']);
    expect((await cli(['tx', '3'])).stdout).toContain('(deleted)');
  });

  test('one that is not there: exit code 1', async () => {
    const { cli } = await openDatabase();
    await cli(['set', 'k', 'v']);
    for (const more of [[], ['--unverified']]) {
      expect(await cli(['tx', '9', ...more])).toMatchObject({
        ...{ code: 1, stdout: '' },
        stderr: "there is no transaction 9, by the server's word\n",
      });
      expect(await cli(['tx', '9', '--json', ...more])).toMatchObject({ code: 1, stdout: 'null\n' });
    }
  });
});

describeServer('txs', () => {
  test('all, some, the newest ones; proven and not', async () => {
    const { cli } = await openDatabase();
    for (const key of ['a', 'b', 'c', 'd']) await cli(['set', key, 'v', '--unverified']);
    const txs = async (...args: string[]) =>
      linesOf(await cli(['txs', '--json', ...args])).map(({ tx }) => tx);
    for (const more of [[], ['--unverified']]) {
      expect(await txs(...more)).toEqual(['1', '2', '3', '4']);
      expect(await txs('--desc', '--limit', '2', ...more)).toEqual(['4', '3']);
      expect(await txs('--from', '2', '--to', '3', ...more)).toEqual(['2', '3']);
      expect(await txs('--limit', '0', ...more)).toEqual([]);
    }
    const [first] = linesOf(await cli(['txs', '--json', '--entries', 'raw', '--limit', '1']));
    expect(first).toMatchObject({
      verified: true,
      alh: hash,
      entries: [{ key: 'a', value: 'v' }],
      root: { alh: hash },
    });
    const table = await cli(['txs', '--limit', '1']);
    expect(table.stdout).toMatch(
      /^ {6}tx {2}written +entries {2}alh\n {7}1 {2}\d{4}-.*Z {8}1 {2}[0-9a-f]{64}\n$/,
    );
    expect(table.stderr).toBe(
      '1 transaction, verified: each is proven, but not that there is nothing newer\n',
    );
  });
});

describeServer('stream-get and stream-set', () => {
  const big = Buffer.alloc(9_000_000, 'stream\u0000 of bytes\n');

  test('a file in and out, byte for byte', async () => {
    const { cli } = await openDatabase();
    const folder = await temporaryFolder();
    const [file, out] = [join(folder, 'in'), join(folder, 'out')];
    await writeFile(file, big);
    expect((await cli(['stream-set', 'big', file])).stdout).toMatch(/^tx 1 is written and verified/);
    const read = await cli(['stream-get', 'big']);
    expect(read.bytes.equals(big)).toBe(true);
    expect(read.stderr).toBe('verified: tx 1, 9000000 bytes\n');
    expect((await cli(['stream-get', 'big', '--early'])).bytes.equals(big)).toBe(true);
    const sha256 = createHash('sha256').update(big).digest('hex');
    expect(await cli(['stream-get', 'big', '--out', out])).toMatchObject({
      stdout: `${out}, SHA-256 ${sha256}\nverified: tx 1, 9000000 bytes\n`,
    });
    expect((await readFile(out)).equals(big)).toBe(true);
    const other = join(folder, 'other');
    expect(jsonOf(await cli(['stream-get', 'big', '--out', other, '--json', '--unverified']))).toEqual({
      ...{ verified: false, file: other, size: big.length, sha256 },
    });
    await expect(cli(['stream-get', 'big', '--out', out])).rejects.toThrow('is there already');
  });

  test('standard input, of a known size and not; by the server’s word', async () => {
    const { cli, env } = await openDatabase();
    expect((await cli(['stream-set', 'a', '-', '--unverified'], { input: 'held' })).stdout).toContain(
      'NOT VERIFIED',
    );
    expect((await cli(['stream-set', 'b', '-', '--size', '9'], { input: 'as it was' })).code).toBe(0);
    const plain = await cli(['stream-get', 'a', '--unverified']);
    expect(plain).toMatchObject({ stdout: 'held', stderr: "NOT VERIFIED, the server's word: 4 bytes\n" });
    expect((await cli(['get', 'b'])).stdout).toBe('as it was');
    await expect(cli(['stream-set', 'c', '-', '--size', '9'], { input: 'short' })).rejects.toThrow();
    expect((await cli(['get', 'c'])).code).toBe(1);
    const { child, outcome } = await start(['stream-set', 'd', '-'], { env, stdin: true });
    child.stdin!.end('piped');
    expect((await outcome).code).toBe(0);
    expect(await run(['stream-get', 'd'], { env })).toMatchObject({ code: 0, stdout: 'piped' });
  });

  test('what is not there, and what is no file', async () => {
    const { cli } = await openDatabase();
    const folder = await temporaryFolder();
    for (const more of [[], ['--unverified'], ['--out', join(folder, 'out')]])
      expect(await cli(['stream-get', 'gone', ...more])).toMatchObject({ code: 1, stdout: '' });
    expect(await readdir(folder)).toEqual([]);
    await expect(cli(['stream-set', 'k', join(folder, 'gone')])).rejects.toMatchObject({ code: 'ENOENT' });
    await writeFile(join(folder, 'empty'), '');
    await expect(cli(['stream-set', 'k', join(folder, 'empty')])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

test('a server that lies: exit code 3, and nothing of it is shown or left', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const cwd = await temporaryFolder();
  const args = ['--address', ledger.address, '--store', 'roots.db'];
  for (const value of ['one', 'two'])
    expect((await run(['set', 'k', value, ...args], { cwd, again: true })).code).toBe(0);
  const lie = ledger.lie({ kind: 'swap-value' });
  for (const command of [
    ['stream-get', 'k'],
    ['stream-get', 'k', '--out', 'out'],
    ['tx', '1', '--json'],
  ]) {
    const { code, stdout, stderr } = await run([...command, ...args], { cwd, again: true });
    expect({ command, code, stdout }).toEqual({ command, code: 3, stdout: '' });
    expect(stderr).toMatch(/^immu-ts: VERIFICATION_FAILED: .*\n$/);
  }
  expect(await readdir(cwd)).not.toContain('out');
  lie.stop();
  ledger.lie({ kind: 'fork', at: 1n, height: 5n });
  for (const command of [['state'], ['txs', '--json']]) {
    const { code, stdout } = await run([...command, ...args], { cwd, again: true });
    expect({ command, code, stdout }).toEqual({ command, code: 3, stdout: '' });
  }
});

test.for([
  [['state', 'x'], 'takes options only'],
  [['tx'], 'tx takes the number'],
  [['tx', 'x'], 'TX is a whole number'],
  [['tx', '1', '--entries', 'resolved'], '--entries is one of raw, digests, none'],
  [['txs', '1'], 'takes options only'],
  [['txs', '--from', '-1'], '--from'],
  [['txs', '--limit', 'all'], '--limit is a whole number'],
  [['stream-get'], 'no KEY'],
  [['stream-get', 'k', '--early', '--out', 'f'], '--early goes without --out'],
  [['stream-get', 'k', '--early', '--unverified'], '--early goes without --unverified'],
  [['stream-get', 'k', '--json'], '--json goes with --out'],
  [['stream-set', 'k'], 'stream-set takes KEY and FILE'],
  [['stream-set', 'k', 'f', '--size', '1'], '--size goes with -'],
  [['stream-set', 'k', '-', '--size', 'x'], '--size is a whole number'],
] as const)('%j is refused before anything is opened', async ([args, words]) => {
  const refused = call(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});
