// `immu-ts scan`, `history`, `count` and `exec`, and what `set` can be told, on a real immudb.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { operationsOf } from '#dist/cli/data/exec.js';
import { expiryOf } from '#dist/cli/data/expiry.js';
import { ArgumentError } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';
import { run, temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

describeServer('scan', () => {
  test('a range of keys, proven and not, as a table and as JSON', async () => {
    const { cli, wire } = await openDatabase();
    for (const key of ['a/1', 'a/2', 'a/3', 'b']) await cli(['set', key, `value of ${key}`, '--unverified']);
    await cli(['set', 'a/4', '-', '--unverified'], { input: Buffer.from([0xff, 0]) });
    const keys = async (...args: string[]) =>
      linesOf(await cli(['scan', '--json', ...args])).map(({ key }) => key);
    expect(await keys('a/')).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);
    expect(await keys()).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'b']);
    expect(await keys('a/', '--desc', '--limit', '2')).toEqual(['a/4', 'a/3']);
    expect(await keys('a/', '--offset', '3')).toEqual(['a/4']);
    expect(await keys('--from', 'a/2', '--to', 'a/3')).toEqual(['a/2', 'a/3']);
    expect(await keys('a/', '--unverified')).toHaveLength(4);
    const [first, , , last] = linesOf(await cli(['scan', 'a/', '--json']));
    expect(first).toMatchObject({ verified: true, value: 'value of a/1', root: { tx: expect.any(String) } });
    expect(last).toMatchObject({ value: { base64: '/wA=' } });
    expect(linesOf(await cli(['scan', 'b', '--json', '--unverified']))).toEqual([
      { verified: false, key: 'b', value: 'value of b', tx: '4', revision: '1' },
    ]);
    const table = await cli(['scan', 'a/']);
    expect(table.stdout.split('\n')).toEqual([
      '      tx  key                       value',
      ...['1', '2', '3'].map((n) => `       ${n}  a/${n}                       value of a/${n}`),
      '       5  a/4                       0xff00',
      '',
    ]);
    expect(table.stderr).toBe('4 entries, verified: each is proven, but not that none is left out\n');
    expect(await cli(['scan', 'b', '--unverified'])).toMatchObject({
      code: 0,
      stderr: "1 entry, NOT VERIFIED, the server's word\n",
    });
    expect(await cli(['scan', 'none'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^0 entries, verified/),
    });
    await wire.call('Delete', { keys: [Buffer.from('a/1')] });
    expect(await keys('a/')).not.toContain('a/1');
  });
});

describeServer('history', () => {
  test('versions, deletions among them', async () => {
    const { cli } = await openDatabase();
    for (const value of ['one', 'two']) await cli(['set', 'k', value]);
    await cli(['delete', 'k']);
    await cli(['set', 'k', 'three']);
    const shown = await cli(['history', 'k']);
    expect(shown.stdout.split('\n').map((line) => line.replace(/\d{4}-\d\d-.*Z/, 'TIME'))).toEqual([
      '      tx  written                   value',
      '       1  TIME  one',
      '       2  TIME  two',
      '       3  TIME  (deleted)',
      '       4  TIME  three',
      '',
    ]);
    expect(shown.stderr).toBe('4 versions, verified: each is proven, but not that none is left out\n');
    const versions = linesOf(await cli(['history', 'k', '--json', '--desc', '--limit', '2']));
    expect(versions).toMatchObject([
      { verified: true, value: 'three', tx: '4', deleted: false },
      { verified: true, value: '', tx: '3', deleted: true },
    ]);
    expect(linesOf(await cli(['history', 'k', '--json', '--unverified']))[2]).toMatchObject({
      ...{ verified: false, deleted: true, revision: '3' },
    });
    expect(await cli(['history', 'gone'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^0 versions/),
    });
  });
});

describeServer('count', () => {
  test('all keys, and those of a prefix; said to be the server’s word', async () => {
    const { cli } = await openDatabase();
    for (const key of ['a/1', 'a/2', 'b']) await cli(['set', key, 'v', '--unverified']);
    expect(await cli(['count'])).toMatchObject({
      code: 0,
      stdout: '3\n',
      stderr: expect.stringMatching(/^NOT VERIFIED/),
    });
    expect((await cli(['count', 'a/'])).stdout).toBe('2\n');
    expect(jsonOf(await cli(['count', 'a/', '--json']))).toEqual({ verified: false, count: '2' });
  });
});

describeServer('what set can be told', () => {
  test('only where there is no such key, or where there is one', async () => {
    const { cli } = await openDatabase();
    expect((await cli(['set', 'k', 'one', '--if-absent'])).code).toBe(0);
    for (const more of [[], ['--unverified']])
      await expect(cli(['set', 'k', 'two', '--if-absent', ...more])).rejects.toMatchObject({
        code: 'PRECONDITION_FAILED',
      });
    await expect(cli(['set', 'gone', 'v', '--if-present'])).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
    expect((await cli(['set', 'k', 'three', '--if-present'])).code).toBe(0);
    expect((await cli(['get', 'k'])).stdout).toBe('three');
  });

  test('until when the value is there', async () => {
    const { cli } = await openDatabase();
    await cli(['set', 'past', 'v', '--expires-at', '2020-01-01T00:00Z']);
    await cli(['set', 'later', 'v', '--expires-in', '2h']);
    expect((await cli(['get', 'past'])).code).toBe(1);
    const { metadata } = jsonOf(await cli(['get', 'later', '--json']));
    const left = Number((metadata as { expiresAt: string }).expiresAt) - Date.now() / 1000;
    expect(Math.abs(left - 7200)).toBeLessThan(120);
  });
});

describeServer('exec', () => {
  const OPS = [
    { set: { key: 'invoice/17', value: { base64: '/wA=' } } },
    { reference: { key: 'latest', to: 'invoice/17', atTx: 'thisTx' } },
    { zAdd: { set: 'by-amount', score: 12.5, key: 'invoice/17' } },
  ];

  test('operations of a file, and of standard input, in one transaction', async () => {
    const { cli, wire } = await openDatabase();
    const file = join(await temporaryFolder(), 'ops.json');
    await writeFile(file, JSON.stringify(OPS));
    const written = jsonOf(await cli(['exec', file, '--json']));
    expect(written).toMatchObject({ verified: true, tx: '1' });
    expect((await wire.call('TxById', { tx: '1' })).entries).toHaveLength(3);
    expect((await cli(['get', 'latest'])).bytes).toEqual(Buffer.from([0xff, 0]));
    const input = JSON.stringify({
      ops: [{ set: { key: 'k', value: 'v' } }],
      preconditions: [{ mustNotExist: 'k' }],
    });
    expect((await cli(['exec', '-', '--unverified'], { input })).stdout).toContain('NOT VERIFIED');
    await expect(cli(['exec', '-'], { input })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    const modified = JSON.stringify({
      ops: [{ reference: { key: 'bound', to: 'k', atTx: '2' } }],
      preconditions: [{ notModifiedAfter: { key: 'k', tx: '2' } }],
    });
    expect((await cli(['exec', '-'], { input: modified })).code).toBe(0);
  });

  test.for([
    ['{', UsageError, 'standard input is not JSON'],
    ['"text"', UsageError, 'neither a list'],
    ['null', UsageError, 'neither a list'],
    ['{"operations":[]}', UsageError, 'neither a list'],
    ['{"ops":[],"when":[]}', UsageError, 'something unknown: "when"'],
    ['[]', ArgumentError, 'ops must not be empty'],
    ['[{"set":{"key":"k","value":{"base64":"???"}}}]', UsageError, 'ops[0].set.value is not base64'],
    ['[{"set":{"key":"k"}}]', ArgumentError, 'ops[0].set.value'],
    ['[{"set":{"key":"k","value":7}}]', ArgumentError, 'ops[0].set.value'],
    ['[{"delete":"k"}]', ArgumentError, 'ops[0]'],
    ['[{"reference":{"key":"k","to":"t","atTx":"soon"}}]', ArgumentError, 'ops[0].reference.atTx'],
    ['[{"zAdd":{"set":"s","score":"1","key":"k"}}]', ArgumentError, 'ops[0].zAdd.score'],
  ] as const)('%s is refused, and nothing is sent', async ([input, error, words]) => {
    const { cli, wire } = await openDatabase();
    const refused = cli(['exec', '-', '--unverified'], { input });
    await expect(refused).rejects.toThrow(error);
    await expect(refused).rejects.toThrow(words);
    expect((await wire.call('CurrentState')).txId ?? '0').toBe('0');
  });

  test('ids are whole numbers of 64 bits', () => {
    const at = (tx: unknown) =>
      (operationsOf(JSON.stringify([{ reference: { key: 'k', to: 't', atTx: tx } }]), '-').ops[0] as never)[
        'reference'
      ]['atTx'];
    expect(at('9007199254740993')).toBe(9_007_199_254_740_993n);
    expect(at(7)).toBe(7n);
    expect(at('thisTx')).toBe('thisTx');
  });
});

test('a lie in a page: exit code 3, and nothing of the page', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const cwd = await temporaryFolder();
  const args = ['--address', ledger.address, '--store', 'roots.db'];
  expect((await run(['set', 'k', 'v', ...args], { cwd })).code).toBe(0);
  ledger.lie({ kind: 'swap-value' });
  for (const command of [['scan'], ['history', 'k']]) {
    const { code, stdout, stderr } = await run([...command, '--json', ...args], { cwd, again: true });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^immu-ts: VERIFICATION_FAILED: .*\n$/);
  }
});

describe('times', () => {
  const NOW = Date.parse('2026-02-10T12:00:00Z');
  const words = (at?: string, within?: string) => ({ 'expires-at': at, 'expires-in': within });
  test.for([
    [words(), undefined],
    [words('1893456000'), 1_893_456_000n],
    [words('2030-01-01T00:00Z'), 1_893_456_000n],
    [words('2030-01-01T02:00:00+02:00'), 1_893_456_000n],
    [words(undefined, '90s'), BigInt(NOW / 1000 + 90)],
    [words(undefined, '2w'), BigInt(NOW / 1000 + 1_209_600)],
  ] as const)('%j', ([given, seconds]) => expect(expiryOf(given, NOW)).toBe(seconds));
  test.for([
    words('soon'),
    words('24h'),
    words('2030-01-01'),
    words('2030-13-01T00:00Z'),
    words(undefined, '1y'),
  ])('not %j', (given) => expect(() => expiryOf(given, NOW)).toThrow(UsageError));
});

test.for([
  [['scan', 'a', 'b'], 'scan takes one PREFIX'],
  [['scan', '--limit', 'x'], '--limit is a whole number'],
  [['scan', '--prefix', 'x'], "'--prefix'"],
  [['history'], 'no KEY'],
  [['history', 'k', '--offset', '-1'], '--offset'],
  [['count', 'a', 'b'], 'count takes one PREFIX'],
  [['count', ''], 'no KEY'],
  [['exec'], 'exec takes a FILE'],
  [['set', 'k', 'v', '--if-absent', '--if-present'], '--if-absent goes without'],
  [['set', 'k', 'v', '--expires-at', '1', '--expires-in', '1h'], '--expires-at goes without'],
  [['set', 'k', 'v', '--expires-in', 'soon'], '--expires-in is a span'],
] as const)('%j is refused before anything is opened', async ([args, words]) => {
  const refused = call(args);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});
