// `immu-ts documents …` on a real immudb: what they store, show and end with.
import { expect, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { describeReal } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';

vi.setConfig({ testTimeout: 120_000 });

async function openPeople() {
  const database = await openDatabase();
  await database.wire.call(
    'CreateCollection',
    {
      name: 'people',
      fields: [
        { name: 'name', type: 'STRING' },
        { name: 'age', type: 'INTEGER' },
      ],
    },
    { service: 'immudb.model.DocumentService' },
  );
  return database;
}

const PEOPLE = [
  { name: 'Ada', age: 36 },
  { name: 'Alan', more: [null] },
];

describeReal('documents on the command line', () => {
  test('go in and out, verified', async () => {
    const { cli } = await openPeople();
    const written = await cli(['documents', 'insert', 'people', '-'], {
      input: Buffer.from(JSON.stringify(PEOPLE)),
    });
    expect(written).toMatchObject({ code: 0 });
    const [ada = '', alan = ''] = written.stdout.trim().split('\n');
    expect(written.stderr).toMatch(/^tx 2 is written and verified, proven under tx 2, alh [0-9a-f]{64}\n$/);
    const read = await cli(['documents', 'get', 'people', ada]);
    expect(read.code).toBe(0);
    expect(JSON.parse(read.stdout)).toEqual({ ...PEOPLE[0], _id: ada });
    expect(read.stderr).toMatch(
      /^verified: tx 2, in people \(1, its catalog (proven|followed)\), proven under tx 2, /,
    );
    expect(jsonOf(await cli(['documents', 'get', 'people', alan, '--json', '--at-tx', '2']))).toMatchObject({
      verified: true,
      tx: '2',
      document: { name: 'Alan', more: [null], _id: alan },
    });
    const plain = await cli(['documents', 'get', 'people', ada, '--unverified']);
    expect([JSON.parse(plain.stdout), plain.stderr]).toEqual([
      { ...PEOPLE[0], _id: ada },
      "NOT VERIFIED, the server's word\n",
    ]);
    const none = await cli(['documents', 'get', 'people', 'abcd', '--json']);
    expect(none).toMatchObject({ code: 1, stdout: 'null\n' });

    const latest = await cli(['documents', 'get', 'people', ada, '--latest']);
    expect([latest.code, JSON.parse(latest.stdout)]).toEqual([0, { ...PEOPLE[0], _id: ada }]);
    expect(latest.stderr).toMatch(/, the latest as of tx 2, alh [0-9a-f]{64}\n$/);
    const absent = await cli(['documents', 'get', 'people', 'abcd', '--latest', '--json']);
    expect([absent.code, jsonOf(absent)]).toMatchObject([1, { document: null, absent: 'never-written' }]);
    expect(absent.stderr).toMatch(
      /^there is no document "abcd", proven: never-written, the latest as of tx 2/,
    );
  });

  test('are found, audited and deleted', async () => {
    const { cli } = await openPeople();
    const input = Buffer.from(JSON.stringify(PEOPLE));
    const { ids } = jsonOf(await cli(['documents', 'insert', 'people', '-', '--json'], { input })) as {
      ids: string[];
    };
    const where = ['--where', '{"age":{"GE":18}}'];
    const found = await cli(['documents', 'search', 'people', ...where, '--json']);
    expect(linesOf(found)).toMatchObject([{ verified: true, id: ids[0], document: { name: 'Ada' } }]);
    expect(found.stderr).toBe('1 document, verified: each is proven, but not that none is left out\n');
    const ordered = await cli([
      'documents',
      'search',
      'people',
      '--order',
      'name',
      '--desc',
      '--limit',
      '1',
      '--unverified',
    ]);
    expect(ordered.stdout).toContain('Alan');
    expect(ordered.stderr).toBe("1 document, NOT VERIFIED, the server's word\n");
    const deleted = await cli(['documents', 'delete', 'people', ...where]);
    expect(deleted).toMatchObject({ code: 0, stdout: `${ids[0]} tx 3\n` });
    expect(deleted.stderr).toMatch(/^1 document deleted and verified, proven under tx 3, /);
    const versions = await cli(['documents', 'audit', 'people', ids[0] as string, '--json']);
    expect(linesOf(versions)).toMatchObject([
      { verified: true, tx: '2', user: 'immudb', document: { name: 'Ada' } },
      { verified: true, tx: '3', deleted: true },
    ]);
    const table = await cli(['documents', 'audit', 'people', ids[0] as string, '--desc', '--limit', '1']);
    expect(table.stdout).toContain('(deleted)');
    expect((await cli(['documents', 'search', 'people', ...where])).code).toBe(1);
    const rest = await cli(['documents', 'delete', 'people', '--where', '{}', '--unverified']);
    expect(rest.stdout).toBe("deleted by the server's word: NOT VERIFIED\n");
    const listed = await cli(['documents', 'list']);
    expect(listed.stdout).toMatch(/people +_id +name STRING, age INTEGER/);
  });

  test('a wrong command line is said before there is a client', async () => {
    const bad: string[][] = [
      ['get'],
      ['get', 'people'],
      ['get', 'people', 'ab', '--at-tx', 'x'],
      ['get', 'people', 'ab', '--at-tx', '1', '--unverified'],
      ['insert', 'people'],
      ['search'],
      ['search', 'people', '--where', '{'],
      ['search', 'people', '--where', '{"age":9007199254740993}'],
      ['search', 'people', '--limit', 'x'],
      ['delete', 'people'],
      ['audit', 'people'],
      ['audit', 'people', 'ab', '--limit', '-1'],
      ['list', 'people'],
    ];
    for (const args of bad)
      await expect(call(['documents', ...args]), args.join(' ')).rejects.toThrow(UsageError);
  });
});
