// `immu-ts get`, `set` and `delete` on a real immudb: what they write, show and end with.
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { ArgumentError, SqliteRootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, openDatabase } from './data-support.js';
import { run, start, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

const BINARY = Buffer.from([0xff, 0, 10, 0x1b, 0x80]);

describeServer('get, set and delete', () => {
  test('a value in and out, verified, and logged in the store', async () => {
    const { cli, name, store, wire } = await openDatabase();
    const written = await cli(['set', 'greeting', 'grüß']);
    expect(written.code).toBe(0);
    const state = await wire.call('CurrentState');
    expect(written.stdout).toBe(
      `tx ${state.txId} is written and verified, proven under tx ${state.txId}, alh ${Buffer.from(state.txHash).toString('hex')}\n`,
    );
    const read = await cli(['get', 'greeting']);
    // Nothing but the value on standard output.
    expect(read).toMatchObject({ code: 0, stdout: 'grüß' });
    expect(read.stderr).toMatch(
      new RegExp(`^verified: tx ${state.txId}, proven under tx \\d+, alh [0-9a-f]{64}\n$`),
    );
    await using opened = await SqliteRootStore.open(store, { create: 'never' });
    expect((await opened.audit.latest({ database: name }))?.tx).toBe(BigInt(state.txId));
  });

  test('without verification: said plainly, and no store is made', async () => {
    const { cli, store, wire } = await openDatabase();
    const written = await cli(['set', 'k', 'v', '--unverified']);
    expect(written.stdout).toMatch(/^tx \d+ is written by the server's word: NOT VERIFIED\n$/);
    const read = await cli(['get', 'k', '--unverified']);
    expect(read.stdout).toBe('v');
    expect(read.stderr).toMatch(/^NOT VERIFIED, the server's word: tx \d+\n$/);
    expect(jsonOf(await cli(['get', 'k', '--unverified', '--json']))).toMatchObject({ verified: false });
    expect(jsonOf(await cli(['delete', 'k', '--unverified', '--json']))).toMatchObject({ verified: false });
    await expect(SqliteRootStore.open(store, { create: 'never' })).rejects.toMatchObject({
      code: 'STORE_MISSING',
    });
    await expect(wire.call('Get', { key: Buffer.from('k') })).rejects.toThrow('key not found');
  });

  test('JSON: one object, with what is proven', async () => {
    const { cli } = await openDatabase();
    const written = jsonOf(await cli(['set', 'k', 'v', '--json']));
    expect(written).toMatchObject({
      verified: true,
      tx: expect.stringMatching(/^\d+$/),
      root: { tx: written['tx'] },
    });
    await cli(['set', 'b', '-'], { input: BINARY });
    expect(jsonOf(await cli(['get', 'k', '--json']))).toEqual({
      ...{ verified: true, key: 'k', value: 'v', tx: written['tx'] },
      timestamp: written['timestamp'],
      root: { tx: expect.any(String), alh: expect.stringMatching(/^[0-9a-f]{64}$/) },
      unproven: { revision: '1' },
    });
    expect(jsonOf(await cli(['get', 'b', '--json']))['value']).toEqual({ base64: BINARY.toString('base64') });
  });

  test('standard input and output, byte for byte', async () => {
    const { cli, wire } = await openDatabase();
    const big = Buffer.alloc(300_000, 'x\u0000\n');
    for (const [key, value] of [
      ['binary', BINARY],
      ['big', big],
      ['empty', Buffer.alloc(0)],
    ] as const) {
      expect((await cli(['set', key, '-'], { input: value })).code).toBe(0);
      expect(Buffer.from((await wire.call('Get', { key: Buffer.from(key) })).value ?? [])).toEqual(value);
      expect((await cli(['get', key])).bytes).toEqual(value);
      expect((await cli(['get', key, '--raw'], { terminal: true })).bytes).toEqual(value);
    }
  });

  test('on a terminal: readable, and harmless', async () => {
    const { cli } = await openDatabase();
    await cli(['set', 'text', '-'], { input: 'one\ntwo \u001b[31mred\u202e' });
    await cli(['set', 'binary', '-'], { input: BINARY });
    await cli(['set', 'long', '-'], { input: Buffer.alloc(1000, 0xfe) });
    const shown = async (key: string) => (await cli(['get', key], { terminal: true })).stdout;
    expect(await shown('text')).toBe('one\ntwo \\u{1b}[31mred\\u{202e}\n');
    expect(await shown('binary')).toBe('0xff000a1b80\n');
    expect(await shown('long')).toMatch(/^0x(fe){64}… \(1000 bytes\)\n$/);
  });

  test('versions', async () => {
    const { cli } = await openDatabase();
    const { tx } = jsonOf(await cli(['set', 'k', 'one', '--json']));
    await cli(['set', 'k', 'two']);
    expect((await cli(['get', 'k'])).stdout).toBe('two');
    expect((await cli(['get', 'k', '--at-tx', String(tx)])).stdout).toBe('one');
    expect((await cli(['get', 'k', '--revision', '1', '--unverified'])).stdout).toBe('one');
    expect((await cli(['get', 'k', '--revision=-1'])).stdout).toBe('one');
  });

  test('what is not there: exit code 1, nothing on standard output, and whose word it is', async () => {
    const { cli } = await openDatabase();
    for (const more of [[], ['--unverified']]) {
      expect(await cli(['get', 'gone', ...more])).toMatchObject({
        ...{ code: 1, stdout: '' },
        stderr: 'there is no key "gone", by the server\'s word\n',
      });
      expect(await cli(['get', 'gone', '--json', ...more])).toMatchObject({ code: 1, stdout: 'null\n' });
    }
    await cli(['set', 'there', 'v']);
    await expect(cli(['delete', 'there', 'gone'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await cli(['get', 'there'])).code).toBe(0);
  });

  test('deletes several keys in one transaction', async () => {
    const { cli, wire } = await openDatabase();
    for (const key of ['a', 'b', 'c']) await cli(['set', key, key]);
    const { tx } = jsonOf(await cli(['delete', 'a', 'b', '--json']));
    const { entries } = await wire.call('TxById', { tx: String(tx) });
    expect(entries).toHaveLength(2);
    expect((await cli(['get', 'a'])).code).toBe(1);
    expect((await cli(['get', 'c'])).code).toBe(0);
  });

  test('keys that are no text, or look like options', async () => {
    const { cli, wire } = await openDatabase();
    const key = BINARY.toString('base64');
    await cli(['set', key, 'v', '--base64']);
    expect(Buffer.from((await wire.call('Get', { key: BINARY })).value).toString()).toBe('v');
    expect((await cli(['get', '--base64', key])).stdout).toBe('v');
    await cli(['set', '--', '-k', '--json']);
    expect((await cli(['get', '--', '-k'])).stdout).toBe('--json');
    expect((await cli(['delete', '--base64', key])).code).toBe(0);
  });

  test('a value that is too long, before anything is sent', async () => {
    const { cli, wire } = await openDatabase();
    const input = new PassThrough();
    const chunk = Buffer.alloc(8 * 1024 * 1024);
    for (let i = 0; i < 5; i++) input.write(chunk);
    await expect(cli(['set', 'k', '-'], { input })).rejects.toThrow('longer than 33550336 bytes');
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });

  test('Ctrl-C while it waits for standard input', async () => {
    const { cli } = await openDatabase();
    const interrupt = new AbortController();
    const input = new PassThrough();
    const ended = cli(['set', 'k', '-'], { input, signal: interrupt.signal });
    interrupt.abort();
    await expect(ended).rejects.toThrow('aborted');
    expect(input.destroyed).toBe(true);
  });

  test('the command itself: stdin, stdout, exit codes', async () => {
    const { env } = await openDatabase();
    const { child, outcome } = await start(['set', 'k', '-'], { env, stdin: true });
    child.stdin!.end('from a pipe');
    expect(await outcome).toMatchObject({ code: 0, stderr: '' });
    expect(await run(['get', 'k'], { env })).toMatchObject({ code: 0, stdout: 'from a pipe' });
    expect(await run(['get', 'gone'], { env })).toMatchObject({ code: 1, stdout: '' });
    const refused = await run(['delete', 'gone'], { env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^immu-ts: NOT_FOUND: .*\n$/);
  });
});

describe('a server that lies', () => {
  const lying = async () => {
    const ledger = await EmbeddedLedger.start();
    onTestFinished(() => ledger.close());
    const cwd = await temporaryFolder();
    const args = ['--address', ledger.address, '--store', 'roots.db'];
    expect((await run(['set', 'k', 'v', ...args], { cwd })).code).toBe(0);
    ledger.lie({ kind: 'swap-value' });
    return { cwd, args, ledger };
  };

  test('exit code 3, no value shown, and a row with the evidence; its word alone is labelled', async () => {
    const { cwd, args, ledger } = await lying();
    const outcome = await run(['get', 'k', ...args], { cwd, again: true });
    expect(outcome).toMatchObject({ code: 3, stdout: '' });
    expect(outcome.stderr).toMatch(/^immu-ts: VERIFICATION_FAILED: .*\n$/);
    const listed = await run(['audit', 'list', '--store', 'roots.db', '--outcome', 'problems'], {
      cwd,
      again: true,
    });
    expect(listed.stdout).toContain('verifiedGet');
    const plain = await run(['get', 'k', '--address', ledger.address, '--unverified'], { cwd, again: true });
    expect(plain.code).toBe(0);
    expect(plain.stdout).not.toBe('v');
    expect(plain.stderr).toContain('NOT VERIFIED');
  });
});

test.for([
  [['get'], 'no KEY'],
  [['get', ''], 'no KEY'],
  [['get', 'a', 'b'], 'get takes one KEY, not also "b"'],
  [['get', 'k', '--at-tx', 'x'], '--at-tx is a whole number'],
  [['get', 'k', '--at-tx', '1', '--revision', '1'], '--at-tx goes without --revision'],
  [['get', 'k', '--revision', '1.5'], '--revision is a whole number'],
  [['get', 'k', '--raw', '--json'], '--raw goes without --json'],
  [['get', 'not base64!', '--base64'], 'KEY is not base64'],
  [['get', 'k', '--unverified', '--store', 'x'], '--unverified goes without --store'],
  [['get', 'k', '--unverified', '--state-key', 'x'], '--unverified goes without --state-key'],
  [['get', 'k', '--unverified', '--pin', 'x'], '--unverified goes without --pin'],
  [['get', 'k', '--verified'], "'--verified'"],
  [['set', 'k'], 'set takes KEY and VALUE'],
  [['set', 'k', 'v', 'w'], 'set takes KEY and VALUE, not also "w"'],
  [['set', 'k', 'v', '--expires', '1'], "'--expires'"],
  [['delete'], 'delete takes one KEY or more'],
  [['delete', 'a', ''], 'no KEY'],
] as const)('%j is refused before anything is opened', async ([args, words]) => {
  const refused = call(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});

test('a key that no immudb takes is a wrong command line', async () => {
  const { env } = { env: { IMMU_TS_ADDRESS: '127.0.0.1:1' } };
  await expect(call(['get', 'x'.repeat(2000), '--unverified'], { env })).rejects.toThrow(ArgumentError);
});
