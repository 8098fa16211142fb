// `immu-ts sql` on a real immudb: what statements write, verified, and rows in every format.
import { expect, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { describeSql } from '../sql/support.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';

vi.setConfig({ testTimeout: 120_000 });

describeSql('immu-ts sql', () => {
  test('writes, verified; and prints rows as a table, as JSON and as CSV', async () => {
    const { cli, wire } = await openDatabase();
    const create = 'CREATE TABLE t (id INTEGER, v VARCHAR, at TIMESTAMP, b BLOB, PRIMARY KEY id)';
    expect((await cli(['sql', create])).stdout).toBe(
      'tx 1 is written and verified, proven under tx 1 (0 rows)\n',
    );
    const insert = 'INSERT INTO t (id, v, at, b) VALUES (@id, @v, CAST(@at AS TIMESTAMP), @b)';
    const params = {
      id: '9007199254740993',
      v: 'a "b",\u001b[31m',
      at: '2026-01-02 03:04:05.678901',
      b: null,
    };
    const written = jsonOf(await cli(['sql', insert, '--params', JSON.stringify(params), '--json']));
    expect(written).toMatchObject({
      verified: true,
      txs: [{ tx: '2', rows: [{ table: 't', values: { id: '9007199254740993' } }] }],
    });
    await wire.call('SQLExec', { sql: "INSERT INTO t (id, b) VALUES (2, x'00ff')" });

    const table = await cli(['sql', 'SELECT id, v, at, b FROM t']);
    expect(table.stdout.split('\n')).toEqual([
      expect.stringMatching(/^id +v +at +b$/),
      expect.stringMatching(/^2 +- +- +0x00ff$/),
      expect.stringMatching(/^9007199254740993 +a "b",\\u\{1b\}\[31m +2026-01-02T03:04:05\.678901Z +-$/),
      '',
    ]);
    expect(table.stderr).toBe("2 rows, NOT VERIFIED, the server's word\n");
    const asked = ['sql', '/* all */ -- of them\nselect id, v FROM t WHERE id = $1', '--params', '[2]'];
    expect(linesOf(await cli([...asked, '--json']))).toEqual([{ id: '2', v: null }]);
    expect((await cli(['sql', 'SELECT v FROM t WHERE id > 2', '--csv'])).stdout).toContain('"a ""b"",');
    expect(await cli(['sql', 'SELECT id FROM t WHERE id = 5'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('0 rows'),
    });
  });

  test("takes the server's word when it is told to", async () => {
    const { cli } = await openDatabase();
    expect((await cli(['sql', 'CREATE TABLE t (id INTEGER, PRIMARY KEY id)', '--unverified'])).stdout).toBe(
      "tx 1 is written by the server's word: NOT VERIFIED (0 rows)\n",
    );
    expect((await cli(['sql', 'DELETE FROM t WHERE id = 1'])).stdout).toBe('nothing was written: 0 rows\n');
  });

  test.each([
    [['sql'], 'no STATEMENT'],
    [['sql', ' '], 'no STATEMENT'],
    [['sql', 'SELECT 1', '--params', '{'], '--params is no JSON'],
    [['sql', 'SELECT 1', '--params', '5'], '--params is an object or an array'],
  ])('%j is a wrong command line', async (args, words) => {
    const { cli } = await openDatabase();
    await expect(cli(args)).rejects.toThrow(new UsageError(words));
  });

  test('says what is refused', async () => {
    const { cli } = await openDatabase();
    await expect(cli(['sql', 'COMMIT'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'sql' });
    await expect(cli(['sql', 'SELECT id FROM nope'])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
