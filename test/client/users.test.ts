// Users on a real immudb: what R, RW, ADMIN and nobody may do, and that each refusal is typed.
import { beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, listDatabases } from '#dist/client/calls/admin/databases.js';
import {
  changePassword,
  changePermission,
  createUser,
  listUsers,
  Permission,
  setActiveUser,
} from '#dist/client/calls/admin/users.js';
import type { GrantablePermission } from '#dist/client/calls/admin/users.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { codeOf, connect, failure, get, getAll, setEntries, toEntries } from './support.js';
import type { Connected } from './support.js';

const PASSWORD = 'Passw0rd!';

test('permissions have the numbers of the protocol', () => {
  expect(Permission).toEqual({ SYS_ADMIN: 255, ADMIN: 254, NONE: 0, R: 1, RW: 2 });
});

describeReal('users', () => {
  let database: string;
  let admin: Connected;
  beforeAll(async () => {
    database = await freshDatabase();
    admin = connect(sharedImmudb(), { database });
    await setEntries(admin.session, toEntries({ a: '1', b: '2' }), {});
    return () => admin[Symbol.asyncDispose]();
  });
  const user = async (kind: string, permission: GrantablePermission) => {
    const name = `${kind}_${database}`;
    await createUser(admin.session, { name, password: PASSWORD, permission, database }, {});
    return name;
  };
  const as = (name: string, on = database) =>
    connect(sharedImmudb(), { user: name, password: PASSWORD, database: on });

  test('R reads, many keys too, and writes nothing', async () => {
    await using reader = as(await user('r', Permission.R));
    expect(await get(reader.session, 'a')).not.toBeNull();
    const found = await getAll(reader.session, ['b', 'none', 'a']);
    expect(found.map((entry) => entry && Buffer.from(entry.value).toString())).toEqual(['2', null, '1']);
    // The server takes GetAll from writers only: the keys were read one by one.
    expect(reader.channel.sent.filter((method) => method === 'Get')).toHaveLength(4);
    expect(await codeOf(setEntries(reader.session, toEntries({ a: '2' }), {}))).toBe('PERMISSION_DENIED');
    expect(
      await codeOf(listDatabases(reader.session, {}).then(() => createDatabase(reader.session, 'x', {}))),
    ).toBe('PERMISSION_DENIED');
  });

  test('RW writes, and makes no users', async () => {
    await using writer = as(await user('rw', Permission.RW));
    expect((await setEntries(writer.session, toEntries({ w: '1' }), {})).tx).toBeGreaterThan(1n);
    expect(await getAll(writer.session, ['w', 'a'])).toHaveLength(2);
    const wanted = { name: 'x', password: PASSWORD, permission: Permission.R, database };
    expect(await codeOf(createUser(writer.session, wanted, {}))).toBe('PERMISSION_DENIED');
  });

  test('ADMIN makes users, and no databases', async () => {
    await using boss = as(await user('admin', Permission.ADMIN));
    const name = `made_${database}`;
    await createUser(boss.session, { name, password: PASSWORD, permission: Permission.R, database }, {});
    expect((await listUsers(boss.session, {})).map((one) => one.name)).toContain(name);
    expect(await codeOf(createDatabase(boss.session, `x${database}`, {}))).toBe('PERMISSION_DENIED');
  });

  test('NONE is no way in, and takes back whatever was held', async () => {
    const name = await user('none', Permission.RW);
    const change = (permission: number) =>
      changePermission(
        admin.session,
        { user: name, database, permission: permission as GrantablePermission },
        {},
      );
    await using client = as(name);
    await setEntries(client.session, toEntries({ n: '1' }), {});
    await change(Permission.R);
    expect(await codeOf(setEntries(client.session, toEntries({ n: '2' }), {}))).toBe('PERMISSION_DENIED');
    expect(await get(client.session, 'n')).not.toBeNull();
    await change(Permission.NONE);
    expect(await codeOf(get(client.session, 'n'))).toBe('PERMISSION_DENIED');
    expect((await listUsers(admin.session, {})).find((one) => one.name === name)?.permissions).toEqual([]);
    await change(Permission.ADMIN);
    expect(await get(client.session, 'n')).not.toBeNull();
    expect((await listUsers(admin.session, {})).find((one) => one.name === name)).toMatchObject({
      active: true,
      createdBy: 'immudb',
      permissions: [{ database, permission: Permission.ADMIN }],
    });
  });

  test('another database is out of reach', async () => {
    await using client = as(await user('elsewhere', Permission.RW), await freshDatabase());
    expect(await codeOf(get(client.session, 'a'))).toBe('PERMISSION_DENIED');
  });

  test('a user that is switched off cannot log in, and can again when switched on', async () => {
    const name = await user('off', Permission.R);
    await using client = as(name);
    await get(client.session, 'a');
    await setActiveUser(admin.session, name, false, {});
    expect(await codeOf(get(client.session, 'a'))).toBe('WRONG_CREDENTIALS');
    await setActiveUser(admin.session, name, true, {});
    expect(await get(client.session, 'a')).not.toBeNull();
  });

  test('a changed password: the old one no longer opens sessions, the new one does', async () => {
    const name = await user('changed', Permission.R);
    await using client = as(name);
    await get(client.session, 'a');
    const newPassword = 'An0ther-one';
    await changePassword(admin.session, { user: name, oldPassword: '', newPassword }, {});
    expect(await codeOf(get(client.session, 'a'))).toBe('WRONG_CREDENTIALS');
    await using renewed = connect(sharedImmudb(), { user: name, password: newPassword, database });
    expect(await get(renewed.session, 'a')).not.toBeNull();
    const own = { user: 'immudb', oldPassword: 'not it', newPassword };
    expect(await codeOf(changePassword(admin.session, own, {}))).toBe('WRONG_CREDENTIALS');
  });

  describe('what cannot be sent is named, and not sent', () => {
    const valid = { name: 'valid_name', password: PASSWORD, permission: Permission.R, database: 'defaultdb' };
    test.each([
      ['an empty name', { name: '' }, 'user'],
      ['a name with a dot', { name: 'a.b' }, 'user'],
      ['a name of 64 letters', { name: 'a'.repeat(64) }, 'user'],
      ['a number as name', { name: 5 }, 'user'],
      ['a weak password', { password: 'password' }, 'password'],
      ['permission NONE', { permission: Permission.NONE }, 'permission'],
      ['permission SYS_ADMIN', { permission: Permission.SYS_ADMIN }, 'permission'],
      ['permission 3', { permission: 3 }, 'permission'],
      ['permission as text', { permission: 'R' }, 'permission'],
      ['a bad database', { database: 'a b' }, 'database'],
    ])('%s', async (_, wrong, argument) => {
      admin.channel.sent.length = 0;
      const error = await failure(createUser(admin.session, { ...valid, ...wrong } as never, {}));
      expect(error).toMatchObject({ argument });
      expect(admin.channel.sent).toEqual([]);
    });

    test('a user that is not there', async () => {
      const nobody = { user: 'nobody', database, permission: Permission.R };
      const error = await failure(changePermission(admin.session, nobody, {}));
      expect(error.message).toContain('nobody');
      expect((await failure(setActiveUser(admin.session, 'nobody', false, {}))).message).toContain('nobody');
      expect(await codeOf(setActiveUser(admin.session, 'nobody', 'no' as never, {}))).toBe(
        'INVALID_ARGUMENT',
      );
    });

    test('a user twice', async () => {
      const name = await user('twice', Permission.R);
      const again = { name, password: PASSWORD, permission: Permission.R, database };
      expect((await failure(createUser(admin.session, again, {}))).message).toContain('already exists');
    });
  });
});
