// `immu-ts databases …` and `users …` on a real immudb.
import { randomBytes } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { UsageError } from '#dist/cli/command.js';
import { SqliteRootStore } from '#dist/index.js';
import { describeServer, freshDatabase } from '../support/real.js';
import { call } from './call.js';
import { jsonOf, linesOf, openDatabase } from './data-support.js';

vi.setConfig({ testTimeout: 120_000 });

const fresh = () => `t${randomBytes(6).toString('hex')}`;

describeServer('databases', () => {
  test('made, listed, changed, unloaded, loaded, deleted', async () => {
    const { cli, store } = await openDatabase();
    const name = fresh();
    const settings = '{"maxTxEntries":77,"syncFrequencyMs":"30"}';
    expect(await cli(['databases', 'create', name, '--settings', settings])).toMatchObject({
      ...{ code: 0, stdout: `${name} is created\n` },
    });
    await expect(cli(['databases', 'create', name])).rejects.toMatchObject({ code: expect.any(String) });
    expect(jsonOf(await cli(['databases', 'create', name, '--if-not-exists', '--json']))).toEqual({
      ...{ verified: false, database: name, created: false },
    });
    const listed = linesOf(await cli(['databases', 'list', '--json'])).find((each) => each['name'] === name);
    expect(listed).toMatchObject({ verified: false, loaded: true, settings: { maxTxEntries: 77 } });
    expect((await cli(['databases', 'list'])).stdout).toMatch(new RegExp(`^${name} +true +\\d+ +\\d+`, 'm'));
    const { stdout } = await cli(['databases', 'settings', name]);
    expect(stdout).toMatch(/^maxTxEntries +77$/m);
    expect(stdout).toMatch(/^syncFrequencyMs +30$/m);
    const changed = jsonOf(
      await cli(['databases', 'settings', name, '--change', '{"autoload":false}', '--json']),
    );
    expect(changed).toMatchObject({ autoload: false, maxTxEntries: 77, syncFrequencyMs: '30' });

    await cli(['set', 'k', 'v', '--database', name]);
    expect((await cli(['databases', 'unload', name])).stdout).toBe(`${name} is unloaded\n`);
    await expect(cli(['get', 'k', '--unverified', '--database', name])).rejects.toMatchObject({
      code: 'DATABASE_CLOSED',
    });
    expect(jsonOf(await cli(['databases', 'load', name, '--json']))).toMatchObject({
      database: name,
      loaded: true,
    });
    expect((await cli(['get', 'k', '--database', name])).stdout).toBe('v');
    await cli(['databases', 'unload', name]);
    expect((await cli(['databases', 'delete', name, '--confirm', name])).stdout).toBe(`${name} is deleted\n`);
    await using opened = await SqliteRootStore.open(store, { create: 'never' });
    const ends = [];
    for await (const row of opened.audit.roots({ database: name, outcome: 'forget' })) ends.push(row);
    expect(ends).toHaveLength(1);
  });

  test('kept up: index flushed and compacted, old values given up', async () => {
    const { cli, name } = await openDatabase();
    await cli(['set', 'k', 'v']);
    expect((await cli(['databases', 'flush', name])).stdout).toBe(`${name} is flushed\n`);
    expect(jsonOf(await cli(['databases', 'flush', name, '--json']))).toEqual({
      ...{ verified: false, database: name, flushed: true },
    });
    // With so little in it there is nothing to be gained: as the server says it.
    await expect(cli(['databases', 'compact', name])).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
    const young = ['databases', 'truncate', name, '--older-than', '1', '--confirm', name];
    await expect(cli(young)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });

    const old = await freshDatabase(undefined, { excludeCommitTime: true });
    await cli(['set', 'k', 'one', '--database', old]);
    await cli(['set', 'k', 'two', '--database', old]);
    expect((await cli(['databases', 'truncate', old, '--older-than', '30', '--confirm', old])).stdout).toBe(
      `${old} is truncated\n`,
    );
    expect((await cli(['get', 'k', '--database', old])).stdout).toBe('two');
  });

  test('settings of the database of the login, where none is named', async () => {
    const { cli, name } = await openDatabase();
    expect(jsonOf(await cli(['databases', 'settings', '--json']))).toEqual(
      jsonOf(await cli(['databases', 'settings', name, '--json'])),
    );
  });
});

describeServer('users', () => {
  test('made, listed, given and refused permissions and passwords', async () => {
    const { cli, env, name } = await openDatabase();
    const user = fresh();
    const as = { env: { ...env, IMMU_TS_USER: user, IMMU_TS_PASSWORD: 'First-pass1' } };
    expect((await cli(['users', 'create', user, '--new-password', 'First-pass1'])).stdout).toBe(
      `${user} is created\n`,
    );
    const listed = linesOf(await cli(['users', 'list', '--json'])).find((each) => each['name'] === user);
    expect(listed).toMatchObject({ active: true, permissions: [{ database: name, permission: 1 }] });
    expect((await cli(['users', 'list'])).stdout).toMatch(
      new RegExp(`^${user} +true +immudb +${name}:R$`, 'm'),
    );
    await cli(['set', 'k', 'v']);
    expect((await cli(['get', 'k'], as)).stdout).toBe('v');
    await expect(cli(['set', 'k', 'w', '--unverified'], as)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect((await cli(['users', 'grant', user, '--permission', 'RW'])).stdout).toBe(
      `${user} has RW on ${name}\n`,
    );
    expect((await cli(['set', 'k', 'w', '--unverified'], as)).code).toBe(0);
    await cli(['users', 'revoke', user]);
    await expect(cli(['get', 'k', '--unverified'], as)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await cli(['users', 'grant', user, '--on', name]);
    await cli(['users', 'password', user, '--new-password', '-'], { input: 'Second-pass2\n' });
    await expect(cli(['get', 'k', '--unverified'], as)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    const renewed = { env: { ...as.env, IMMU_TS_PASSWORD: 'Second-pass2' } };
    expect((await cli(['get', 'k', '--unverified'], renewed)).stdout).toBe('w');
    expect((await cli(['users', 'disable', user])).stdout).toBe(`${user} may not log in\n`);
    await expect(cli(['get', 'k', '--unverified'], renewed)).rejects.toMatchObject({
      code: 'WRONG_CREDENTIALS',
    });
    expect(jsonOf(await cli(['users', 'enable', user, '--json']))).toMatchObject({
      user,
      done: 'may log in',
    });
    expect((await cli(['get', 'k', '--unverified'], renewed)).code).toBe(0);
  });

  test('a password from the environment; one that is too weak is not shown', async () => {
    const { cli, env } = await openDatabase();
    const user = fresh();
    const weak = cli(['users', 'create', user], { env: { ...env, IMMU_TS_NEW_PASSWORD: 'guess77' } });
    await expect(weak).rejects.toMatchObject({
      code: 'WEAK_PASSWORD',
      message: expect.not.stringContaining('guess77'),
    });
    const good = await cli(['users', 'create', user], {
      env: { ...env, IMMU_TS_NEW_PASSWORD: 'Third-pass3' },
    });
    expect(good.code).toBe(0);
  });
});

test.for([
  [['databases'], 'databases needs one more word: list, create'],
  [['databases', 'list', 'x'], 'takes options only'],
  [['databases', 'create'], 'takes the NAME of a database'],
  [['databases', 'create', 'd', '--settings', '{'], 'the settings are not JSON'],
  [['databases', 'create', 'd', '--settings', '[]'], 'not a JSON object'],
  [['databases', 'load'], 'takes the NAME of a database'],
  [['databases', 'flush'], 'takes the NAME of a database'],
  [['databases', 'compact', ''], 'takes the NAME of a database'],
  [['databases', 'truncate', '--older-than', '1'], 'takes the NAME of a database'],
  [['databases', 'truncate', 'd', '--confirm', 'd'], 'takes --older-than DAYS'],
  [
    ['databases', 'truncate', 'd', '--older-than', '1.5', '--confirm', 'd'],
    '--older-than is a number of days',
  ],
  [['databases', 'truncate', 'd', '--older-than', '1'], '--confirm NAME'],
  [['databases', 'delete', 'd'], '--confirm NAME'],
  [['databases', 'delete', 'd', '--confirm', 'e'], '--confirm NAME'],
  [['users', 'create'], 'takes the NAME of a user'],
  [['users', 'create', 'u', '--permission', 'ALL', '--new-password', 'x'], '--permission is R, RW or ADMIN'],
  [['users', 'grant', 'u', '--permission', 'SYS_ADMIN'], '--permission is R, RW or ADMIN'],
  [['users', 'create', 'u'], 'which password?'],
  [['users', 'password', 'u'], 'which password?'],
] as const)('%j is refused before anything is sent', async ([args, words]) => {
  const refused = (async () => call(args, { env: { IMMU_TS_ADDRESS: '127.0.0.1:1' } }))();
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(words);
});
