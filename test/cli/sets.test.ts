// `immu-ts reference`, `zadd`, `zscan`, `tx export` and `get --proof` on a real immudb.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { describeServer } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';
import { temporaryFolder } from './run.js';

vi.setConfig({ testTimeout: 120_000 });

describeServer('reference', () => {
  test('leads to the newest value, or to one for good; proven, and not', async () => {
    const { cli } = await openDatabase();
    const { tx } = jsonOf(await cli(['set', 'target', 'one', '--json']));
    expect((await cli(['reference', 'latest', 'target'])).stdout).toMatch(/is written and verified/);
    const bound = await cli(['reference', 'bound', 'target', '--at-tx', String(tx), '--json']);
    expect(jsonOf(bound)).toMatchObject({ verified: true });
    expect((await cli(['reference', 'plain', 'target', '--unverified'])).stdout).toMatch(/NOT VERIFIED/);
    await cli(['set', 'target', 'two']);
    expect((await cli(['get', 'latest'])).stdout).toBe('two');
    expect((await cli(['get', 'plain'])).stdout).toBe('two');
    expect((await cli(['get', 'bound'])).stdout).toBe('one');
    await expect(cli(['reference', 'none', 'nothing'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(cli(['reference', 'twice', 'latest'])).rejects.toMatchObject({ code: 'SERVER_REFUSED' });
  });
});

describeServer('zadd and zscan', () => {
  test('members in and out, with their scores', async () => {
    const { cli } = await openDatabase();
    const { tx } = jsonOf(await cli(['set', 'a', 'one', '--json']));
    await cli(['set', 'b', 'two']);
    expect((await cli(['zadd', 'set', '2.5', 'a'])).stdout).toMatch(/is written and verified/);
    expect(jsonOf(await cli(['zadd', 'set', '1e1', 'b', '--json']))).toMatchObject({ verified: true });
    const negative = await cli(['zadd', '--unverified', '--', 'set', '-1.5', 'b']);
    expect(negative.stdout).toMatch(/NOT VERIFIED/);
    await cli(['zadd', 'set', '3', 'a', '--at-tx', String(tx)]);
    await expect(cli(['zadd', 'set', '1', 'nothing'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await cli(['set', 'a', 'three']);

    const all = await cli(['zscan', 'set']);
    const rows = all.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.trim().split(/ +/));
    expect(rows[0]).toEqual(['score', 'key', 'tx', 'value']);
    expect(rows.slice(1).map(([score, key, , value]) => [score, key, value])).toEqual([
      ['2.5', 'a', 'three'],
      ['3', 'a', 'one'],
      ['10', 'b', 'two'],
      ['-1.5', 'b', 'two'],
    ]);
    expect(all.stderr).toBe(
      "4 members, verified: each is proven, but that it is a member, and its score, are the server's word\n",
    );
    const some = linesOf(await cli(['zscan', 'set', '--min', '2', '--max', '3', '--json']));
    expect(some).toMatchObject([
      { verified: true, key: 'a', unproven: { score: 2.5 } },
      { verified: true, key: 'a', unproven: { score: 3, atTx: tx } },
    ]);
    const plain = await cli(['zscan', 'set', '--max=-1', '--limit', '1', '--unverified']);
    expect(plain.stdout).toMatch(/-1\.5 +b/);
    expect(plain.stderr).toBe("1 member, NOT VERIFIED, the server's word\n");
    expect((await cli(['zscan', 'none'])).stderr).toMatch(/^0 members/);
  });
});

describeServer('tx export', () => {
  test('the bytes that replicas take, to standard output or into a file that is there when it is whole', async () => {
    const { cli, wire } = await openDatabase();
    const { tx } = jsonOf(await cli(['set', 'k', 'v', '--json']));
    const out = join(await temporaryFolder(), 'tx.bin');
    const exported = await cli(['tx', 'export', String(tx), '--out', out]);
    expect(exported.stdout).toMatch(/SHA-256 [0-9a-f]{64}\nverified: tx \d+, 1 entry, proven under tx/);
    const bytes = await readFile(out);
    expect(bytes.includes('v')).toBe(true);
    const shown = await cli(['tx', 'export', String(tx)]);
    expect(shown.bytes).toEqual(bytes);
    expect(shown.stderr).toMatch(/^verified: tx/);
    const plain = await cli(['tx', 'export', String(tx), '--unverified']);
    expect(plain.bytes).toEqual(bytes);
    expect(plain.stderr).toMatch(/^NOT VERIFIED/);
    await expect(cli(['tx', 'export', String(tx), '--out', out])).rejects.toThrow('is there already');
    const other = join(await temporaryFolder(), 'tx.bin');
    expect(jsonOf(await cli(['tx', 'export', String(tx), '--out', other, '--json']))).toMatchObject({
      ...{ verified: true, file: other, tx, entryCount: 1, valuesTruncated: false, size: bytes.length },
    });
    const { txId } = await wire.call('CurrentState');
    const past = await cli(['tx', 'export', String(BigInt(txId) + 1n)]);
    expect(past).toMatchObject({ code: 1, stdout: '' });
    // The number of a transaction alone shows it, as before.
    expect((await cli(['tx', String(tx)])).stdout).toMatch(/^entries +1$/m);
  });
});

describeServer('get --proof', () => {
  test('a document that holds offline, under the root that was told', async () => {
    const { cli } = await openDatabase();
    await cli(['set', 'k', 'v']);
    const file = join(await temporaryFolder(), 'proof.json');
    const read = await cli(['get', 'k', '--proof', file]);
    expect(read).toMatchObject({ code: 0, stdout: 'v' });
    const [, tx, alh] = /under tx (\d+), alh ([0-9a-f]{64})/.exec(read.stderr) ?? [];
    const checked = await cli(['proof', 'verify', file, '--root', `${tx ?? ''}:${alh ?? ''}`]);
    expect(checked.code).toBe(0);
    expect(checked.stdout).toContain('k');
    const proof = await readFile(file, 'utf8');
    const forged = join(await temporaryFolder(), 'forged.json');
    await writeFile(
      forged,
      proof.replace(Buffer.from('\0v').toString('base64'), Buffer.from('\0w').toString('base64')),
    );
    expect((await cli(['proof', 'verify', forged, '--root', `${tx ?? ''}:${alh ?? ''}`])).code).toBe(3);
    await expect(cli(['get', 'k', '--proof', file])).rejects.toThrow('is there already');
    const none = join(await temporaryFolder(), 'none.json');
    expect((await cli(['get', 'gone', '--proof', none])).code).toBe(1);
    await expect(readFile(none)).rejects.toThrow('ENOENT');
  });
});

test.for([
  [['reference'], 'takes KEY and TO'],
  [['reference', 'a'], 'takes KEY and TO'],
  [['reference', 'a', 'b', 'c'], 'takes KEY and TO, not also "c"'],
  [['reference', 'a', 'b', '--at-tx', 'x'], '--at-tx'],
  [['zadd', 's', '1'], 'takes SET, SCORE and KEY'],
  [['zadd', 's', 'one', 'k'], 'SCORE is a number, not "one"'],
  [['zadd', 's', 'Infinity', 'k'], 'SCORE is a number'],
  [['zadd', 's', '0x10', 'k'], 'SCORE is a number'],
  [['zadd', 's', '1', 'k', 'more'], 'not also "more"'],
  [['zadd', 's', '1', 'k', '--at-tx', '-'], '--at-tx'],
  [['zscan'], 'no KEY'],
  [['zscan', 's', '--min', 'low'], '--min is a number'],
  [['zscan', 's', '--max', ''], '--max is a number'],
  [['zscan', 's', '--limit', 'x'], '--limit'],
  [['tx', 'export'], 'takes the number of a transaction'],
  [['tx', 'export', 'x'], 'TX is a whole number'],
  [['tx', 'export', '1', '--json'], '--json goes with --out'],
  [['get', 'k', '--proof', 'f', '--unverified'], '--proof goes without --unverified'],
] as const)('%j is refused before anything is sent', async ([args, words]) => {
  const refused = (async () => call(args, { env: { IMMU_TS_ADDRESS: '127.0.0.1:1' } }))();
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});
