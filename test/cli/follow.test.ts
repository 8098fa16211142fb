// `immu-ts follow`, `absent`, and `--latest` and `--complete` of the commands that read.
import { expect, test, vi } from 'vitest';
import { describeServer } from '../support/real.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';

vi.setConfig({ testTimeout: 120_000 });

describeServer('what is followed', () => {
  test('latest, absent, complete, counted: proven, in words and as JSON', async () => {
    const { cli, wire } = await openDatabase();
    for (const value of ['one', 'two']) await cli(['set', 'a/1', value]);
    await cli(['set', 'a/2', 'x']);
    await cli(['set', 'gone', 'x']);
    await cli(['delete', 'gone']);
    await wire.call('ZAdd', { set: Buffer.from('s'), score: 1.5, key: Buffer.from('a/2') });

    expect(await cli(['get', 'a/1', '--latest'])).toMatchObject({
      ...{ code: 0, stdout: 'two' },
      stderr: expect.stringMatching(/^verified: tx 2 is the latest, as of tx 6, alh [0-9a-f]{64}\n$/),
    });
    expect(jsonOf(await cli(['get', 'a/1', '--latest', '--json']))).toMatchObject({
      ...{ verified: true, value: 'two', revision: '2', provenLatestAt: { tx: '6' } },
    });
    for (const [key, reason] of [
      ['gone', 'deleted'],
      ['never', 'never-written'],
    ] as const) {
      expect(await cli(['get', key, '--latest'])).toMatchObject({
        ...{ code: 1, stdout: '' },
        stderr: expect.stringContaining(`it has no value (${reason}), as of tx 6`),
      });
      expect(await cli(['absent', key])).toMatchObject({ code: 0, stdout: `${reason}\n` });
      expect(jsonOf(await cli(['absent', key, '--json']))).toMatchObject({ absent: reason, value: null });
    }
    expect(await cli(['absent', 'a/1'])).toMatchObject({
      ...{ code: 1, stdout: 'the key has a value, of tx 2\n' },
    });

    const scanned = await cli(['scan', 'a/', '--complete', '--json']);
    expect(linesOf(scanned)).toMatchObject([
      { key: 'a/1', revision: '2' },
      { key: 'a/2', revision: '1' },
    ]);
    expect(scanned.stderr).toBe('2 entries, verified: each is proven, and that none is left out\n');
    const versions = await cli(['history', 'gone', '--complete', '--json']);
    expect(linesOf(versions)).toMatchObject([
      { revision: '1', deleted: false },
      { revision: '2', deleted: true },
    ]);
    expect(linesOf(await cli(['zscan', 's', '--complete', '--json']))).toMatchObject([
      { key: 'a/2', score: 1.5 },
    ]);
    expect(await cli(['count', 'a/', '--complete'])).toMatchObject({
      ...{ code: 0, stdout: '2\n' },
      stderr: expect.stringMatching(/^verified as of tx 6/),
    });
    expect(jsonOf(await cli(['count', '--complete', '--json']))).toMatchObject({
      verified: true,
      count: '3',
    });
    expect(await cli(['follow'])).toMatchObject({
      ...{ code: 0, stdout: expect.stringMatching(/^following: tx 6 of 6, 4 keys, \d+ bytes, tx 6, alh /) },
    });
    expect(jsonOf(await cli(['follow', '--json']))).toMatchObject({ verified: true, tx: '6', keys: 4 });
  });

  test.each([
    ['get', 'k', '--latest', '--unverified'],
    ['get', 'k', '--latest', '--at-tx', '1'],
    ['absent', 'k', '--unverified'],
    ['follow', '--unverified'],
    ['scan', '--complete', '--unverified'],
    ['history', 'k', '--complete', '--unverified'],
    ['zscan', 's', '--complete', '--unverified'],
    ['count', '--complete', '--unverified'],
  ])('%s %s %s %s: refused before anything is asked', async (...args) => {
    const { cli } = await openDatabase();
    await expect(cli(args.filter((word) => word !== ''))).rejects.toThrow(/goes without/);
  });
});
