// `immu-ts mirror`, and `immu-ts sql --complete`, on a real immudb.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { openSqlite } from '#dist/sqlite/open.js';
import { describeSql } from '../sql/support.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';

vi.setConfig({ testTimeout: 120_000 });

describeSql('immu-ts mirror', () => {
  test('writes the rows of tables into a file, and sql --complete proves them', async () => {
    const { cli } = await openDatabase();
    await cli(['sql', 'CREATE TABLE t (id INTEGER, v VARCHAR, PRIMARY KEY id)']);
    await cli(['sql', 'CREATE TABLE u (id INTEGER, PRIMARY KEY id)']);
    await cli(['sql', "INSERT INTO t (id, v) VALUES (9007199254740993, 'one'), (2, 'two')"]);
    const folder = mkdtempSync(join(tmpdir(), 'immu-ts-mirror-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'mirror.sqlite');
    expect(await cli(['mirror', path])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/ is current: rows of t 2, u 0, tx 3, alh [0-9a-f]{64}\n$/),
    });
    const db = openSqlite(path, { readonly: true });
    expect(db.prepare('SELECT group_concat(v) AS v FROM (SELECT v FROM t ORDER BY id)').get()).toEqual({
      v: 'two,one',
    });
    db.close();
    await cli(['sql', 'DELETE FROM t WHERE id = 2']);
    const again = await cli(['mirror', path, '--json']);
    expect(again.stderr).toContain(`${path} is gone on with from tx 3\n`);
    expect(jsonOf(again)).toMatchObject({ beginning: 'resumed', tx: '4' });
    expect(jsonOf(await cli(['mirror', path, '--tables', 'T', '--json']))).toMatchObject({
      verified: true,
      status: 'current',
      tx: '4',
      tables: [{ name: 't', rows: '1' }],
    });
    await expect(cli(['mirror', path, '--tables', 'nope'])).rejects.toMatchObject({ code: 'NOT_FOUND' });

    const found = await cli([
      'sql',
      'SELECT v FROM t WHERE id > $1',
      '--params',
      '[2]',
      '--complete',
      '--json',
    ]);
    expect(linesOf(found)).toEqual([{ v: 'one' }]);
    expect(found.stderr).toMatch(
      /^1 row, verified: each is proven, and that none is left out, as of tx 4, alh/,
    );
    const counted = await cli(['sql', 'SELECT COUNT(*) AS n FROM t', '--complete', '--json']);
    expect(linesOf(counted)).toEqual([{ n: '1' }]);
    await expect(cli(['sql', 'SELECT id + 1 FROM t', '--complete'])).rejects.toMatchObject({
      code: 'NOT_PROVABLE',
    });
  });

  test.each([
    [['mirror'], 'no FILE'],
    [['mirror', 'f', '--tables', 'a,,b'], '--tables names tables'],
    [['mirror', 'f', '--unverified'], '--unverified goes without mirror'],
    [['sql', 'DELETE FROM t', '--complete'], '--complete is for SELECT'],
    [['sql', 'SELECT 1', '--complete', '--unverified'], '--complete goes without --unverified'],
  ])('%j: %s', async (args, said) => {
    const { cli } = await openDatabase();
    await expect(cli(args)).rejects.toThrow(said);
    await expect(cli(args)).rejects.toBeInstanceOf(UsageError);
  });
});
