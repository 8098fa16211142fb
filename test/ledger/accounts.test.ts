// Sessions, tokens, users, permissions and databases: the same story told to the ledger and to a real immudb.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import type { Decoded } from '../support/wire-client.js';
import { WireClient } from '../support/wire-client.js';
import { RawClient } from './raw-client.js';
import type { Outcome } from './raw-client.js';

const b = (text: string): Buffer => Buffer.from(text);

/** Names that no other test on the shared server uses. */
interface Names {
  readonly db: string;
  readonly other: string;
  readonly user: (role: string) => string;
}

/** Clients of one server by role, and what they were answered, in order. */
class Story {
  readonly #address: string;
  readonly #clients = new Map<string, RawClient>();
  readonly names: Names;
  readonly told: [string, unknown][] = [];

  constructor(address: string, names: Names) {
    this.#address = address;
    this.names = names;
  }

  client(role: string): RawClient {
    let client = this.#clients.get(role);
    if (!client) this.#clients.set(role, (client = new RawClient(this.#address)));
    return client;
  }

  /** Refusals are compared as they are, answers by what `shown` says of them. */
  async call(
    role: string,
    method: string,
    request: object = {},
    shown: (answer: Decoded) => unknown = () => 'answered',
  ): Promise<Outcome> {
    const outcome = await this.client(role).call(method, request);
    const what = `${role}: ${method} ${JSON.stringify(request)}`;
    this.told.push([what, outcome.refusal ?? shown(outcome.answer)]);
    return outcome;
  }

  async open(role: string, user: string, password: string, databaseName: string): Promise<void> {
    this.client(role).metadata.remove('sessionid');
    const request = { username: b(user), password: b(password), databaseName };
    const { answer } = await this.call(role, 'OpenSession', request, (a) => [
      String(a.sessionID).length,
      String(a.serverUUID).length,
    ]);
    if (answer) this.client(role).metadata.set('sessionid', answer.sessionID);
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close();
  }
}

async function strangers(story: Story): Promise<void> {
  const { db } = story.names;
  for (const [method, request] of [
    ['CurrentState', {}],
    ['Get', { key: b('a') }],
    ['VerifiableSet', {}],
    ['KeepAlive', {}],
    ['CloseSession', {}],
    ['Logout', {}],
    ['ListUsers', {}],
    ['CreateUser', { user: b('x') }],
    ['ChangePassword', { user: b('x') }],
    ['SetActiveUser', { username: 'x' }],
    ['CreateDatabaseV2', { name: 'x' }],
    ['LoadDatabase', { database: 'x' }],
    ['DeleteDatabase', { database: 'x' }],
    ['DatabaseListV2', {}],
    ['UseDatabase', { databaseName: db }],
    ['GetDatabaseSettingsV2', {}],
    ['FlushIndex', {}],
    ['UpdateAuthConfig', {}],
    ['UpdateMTLSConfig', {}],
  ] as const) {
    await story.call('nobody', method, request);
    for (const [role, header, value] of [
      ['empty session', 'sessionid', ''],
      ['bogus session', 'sessionid', 'bogus'],
      ['empty token', 'authorization', ''],
      ['bogus token', 'authorization', 'bogus'],
    ] as const) {
      story.client(role).metadata.set(header, value);
      await story.call(role, method, request);
    }
  }
  await story.call('nobody', 'Health', {}, (a) => a.status);
  await story.call('bogus session', 'Health');
  await story.open('nobody', 'immudb', 'wrong', db);
  await story.open('nobody', 'no_such_user', 'immudb', db);
  await story.open('nobody', 'immudb', 'immudb', 'no_such_db');
  await story.open('nobody', 'immudb', 'immudb', '');
  await story.open('shouting', 'immudb', 'immudb', db.toUpperCase());
  await story.call('nobody', 'Login', { user: b('immudb'), password: b('wrong') });
}

async function tokens(story: Story): Promise<void> {
  const { db } = story.names;
  const token = (a: Decoded): unknown => [String(a.token).split('.').slice(0, 2), a.warning?.toString()];
  const login = await story.call('token', 'Login', { user: b('immudb'), password: b('immudb') }, token);
  story.client('token').metadata.set('authorization', login.answer.token);
  await story.call('token', 'CurrentState');
  await story.call('token', 'KeepAlive');
  await story.call('token', 'UseDatabase', { databaseName: 'no_such_db' });
  const use = await story.call('token', 'UseDatabase', { databaseName: db }, token);
  story.client('token').metadata.set('authorization', `Bearer ${String(use.answer.token)}`);
  await story.call('token', 'CurrentState', {}, (a) => a.db);
}

async function users(story: Story): Promise<void> {
  const { db, other, user } = story.names;
  await story.open('admin', 'immudb', 'immudb', db);
  const password = b('Passw0rd!');
  const create = (fields: object): Promise<Outcome> =>
    story.call('admin', 'CreateUser', {
      user: b(user('reader')),
      password,
      permission: 1,
      database: db,
      ...fields,
    });
  await create({ user: b('') });
  await create({ database: '' });
  await create({ database: 'no_such_db' });
  await create({ permission: 0 });
  await create({ permission: 7 });
  await create({ permission: 255 });
  await create({ user: b('bad-name') });
  await create({ password: b('') });
  await create({});
  await create({});
  await create({ user: b(user('writer')), permission: 2 });
  await create({ user: b(user('owner')), permission: 254 });
  for (const role of ['reader', 'writer', 'owner']) {
    await story.open(role, user(role), 'Passw0rd!', db);
    await story.open(`${role} elsewhere`, user(role), 'Passw0rd!', other);
    for (const [method, request] of [
      ['Set', { KVs: [{ key: b('a'), value: b('1') }] }],
      ['VerifiableSet', { setRequest: { KVs: [{ key: b('b'), value: b('1') }] } }],
      ['Get', { key: b('a') }],
      ['GetAll', { keys: [b('a')] }],
      ['Scan', {}],
      ['CountAll', {}],
      ['Delete', { keys: [b('a')] }],
      ['CurrentState', {}],
      ['DatabaseHealth', {}],
      ['GetDatabaseSettingsV2', {}],
      ['FlushIndex', {}],
      ['CreateDatabaseV2', { name: 'x' }],
      ['UpdateDatabaseV2', { database: other, settings: {} }],
      ['UnloadDatabase', { database: other }],
      ['CreateUser', { user: b(user('child')), password, permission: 1, database: db }],
      ['CreateUser', { user: b(user('child')), password, permission: 1, database: other }],
      ['ChangePassword', { user: b(user('writer')), newPassword: password }],
      ['ChangePermission', { action: 'GRANT', username: user('reader'), database: other, permission: 1 }],
      ['SetActiveUser', { username: user('writer'), active: true }],
      ['UseDatabase', { databaseName: other }],
    ] as const) {
      await story.call(role, method, request);
    }
    await story.call(role, 'DatabaseList', {}, (a) => a.databases);
    await story.call(role, 'ListUsers', {}, (a) => mine(a, story).map(named));
  }
  await story.call('admin', 'ListUsers', {}, (a) => mine(a, story).map(described));
  await changes(story);
}

interface WireUser {
  user: Buffer;
  permissions?: { database: string; permission: number }[];
  sqlPrivileges?: { database: string; privilege: string }[];
  active?: boolean;
  createdby: string;
}

function mine(answer: Decoded, story: Story): WireUser[] {
  const all = (answer.users ?? []) as WireUser[];
  return all.filter((one) => one.user.toString().endsWith(story.names.user('')));
}

function named(user: WireUser): string {
  return user.user.toString();
}

function described({ user, permissions, sqlPrivileges, active, createdby }: WireUser): unknown {
  return [user.toString(), permissions, sqlPrivileges?.length, active, createdby];
}

async function changes(story: Story): Promise<void> {
  const { db, other, user } = story.names;
  const permission = (fields: object): Promise<Outcome> =>
    story.call('admin', 'ChangePermission', {
      action: 'GRANT',
      username: user('reader'),
      database: other,
      permission: 2,
      ...fields,
    });
  await permission({ username: '' });
  await permission({ database: '' });
  await permission({ database: 'no_such_db' });
  await permission({ permission: 3 });
  await permission({ username: 'immudb' });
  await permission({ username: user('nobody') });
  await permission({ database: 'systemdb' });
  await permission({});
  await story.call('reader', 'CurrentState');
  await story.open('reader', user('reader'), 'Passw0rd!', other);
  await story.call('reader', 'Set', { KVs: [{ key: b('r'), value: b('1') }] });
  await permission({ action: 'REVOKE' });
  await story.open('reader', user('reader'), 'Passw0rd!', other);
  const privileges = (fields: object): Promise<Outcome> =>
    story.call('admin', 'ChangeSQLPrivileges', {
      action: 'GRANT',
      username: user('reader'),
      database: db,
      privileges: ['INSERT'],
      ...fields,
    });
  await privileges({ username: '' });
  await privileges({ privileges: ['FLY'] });
  await privileges({ database: other });
  await privileges({ database: 'no_such_db' });
  await privileges({ username: 'immudb' });
  await privileges({});
  await story.call('admin', 'ListUsers', {}, (a) => mine(a, story).map(described));
  const active = (username: string, value: boolean): Promise<Outcome> =>
    story.call('admin', 'SetActiveUser', { username, active: value });
  await active('', false);
  await active('immudb', false);
  await active(user('nobody'), false);
  await active(user('writer'), false);
  await story.call('writer', 'CurrentState');
  await story.open('writer', user('writer'), 'Passw0rd!', db);
  await permission({ username: user('writer') });
  await active(user('writer'), true);
  await story.open('writer', user('writer'), 'Passw0rd!', db);
  const change = (fields: object): Promise<Outcome> =>
    story.call('admin', 'ChangePassword', {
      user: b(user('writer')),
      newPassword: b('Other1!pw'),
      ...fields,
    });
  await change({ user: b('') });
  await change({ user: b(user('nobody')) });
  await change({ user: b('immudb'), oldPassword: b('wrong') });
  await change({ newPassword: b('') });
  await change({});
  await story.call('writer', 'CurrentState');
  await story.open('writer', user('writer'), 'Passw0rd!', db);
  await story.open('writer', user('writer'), 'Other1!pw', db);
}

async function databases(story: Story): Promise<void> {
  const { db, other } = story.names;
  const extra = `${other}x`;
  for (const name of ['defaultdb', 'systemdb', db, '', 'a-b', 'a b', 'ünï', 'x'.repeat(129)]) {
    await story.call('admin', 'CreateDatabaseV2', { name });
  }
  const settings = { maxKeyLen: { value: 32 }, excludeCommitTime: { value: true } };
  await story.call('admin', 'CreateDatabaseV2', { name: extra.toUpperCase(), settings }, (a) => [
    a.name,
    a.settings.maxKeyLen,
    a.settings.maxTxEntries,
    a.settings.maxValueLen,
    a.settings.writeTxHeaderVersion,
    a.settings.excludeCommitTime,
  ]);
  await story.call('admin', 'CreateDatabaseV2', { name: extra });
  await story.call('admin', 'CreateDatabaseV2', { name: extra, ifNotExists: true }, (a) => [
    a.name,
    a.alreadyExisted,
  ]);
  await story.call(
    'admin',
    'CreateDatabaseV2',
    { name: `${extra}y`, settings: { maxKeyLen: { value: 10 } } },
    (a) => a.name,
  );
  await story.call('admin', 'UseDatabase', { databaseName: extra });
  await story.call('admin', 'GetDatabaseSettings', {}, (a) => a);
  await story.call('admin', 'Set', { KVs: [{ key: b('k'.repeat(32)), value: b('') }] });
  await story.call('admin', 'Set', { KVs: [{ key: b('k'), value: b('') }] }, (a) => a);
  await story.call('admin', 'UpdateDatabaseV2', { database: extra, settings: { maxKeyLen: { value: 1 } } });
  await story.call('admin', 'UpdateDatabaseV2', {
    database: extra,
    settings: { maxTxEntries: { value: 1 } },
  });
  await story.call('admin', 'UpdateDatabaseV2', { database: 'no_such_db', settings: {} });
  await story.call('admin', 'UpdateDatabaseV2', { database: 'defaultdb', settings: {} });
  await story.call(
    'admin',
    'UpdateDatabaseV2',
    { database: extra, settings: { autoload: { value: false } } },
    (a) => a.database,
  );
  for (const method of ['LoadDatabase', 'DeleteDatabase', 'UnloadDatabase', 'UnloadDatabase']) {
    await story.call('admin', method, { database: 'defaultdb' });
    await story.call('admin', method, { database: 'no_such_db' });
    await story.call('admin', method, { database: extra }, (a) => a);
  }
  for (const [method, request] of [
    ['Get', { key: b('k') }],
    ['CurrentState', {}],
    ['Set', { KVs: [{ key: b('k'), value: b('') }] }],
    ['VerifiableGet', { keyRequest: { key: b('k') } }],
    ['UseDatabase', { databaseName: extra }],
  ] as const) {
    await story.call('admin', method, request);
  }
  await story.call('admin', 'LoadDatabase', { database: extra }, (a) => a);
  await story.call('admin', 'CurrentState', {}, (a) => a);
  await story.call('admin', 'UnloadDatabase', { database: extra }, (a) => a);
  await story.call('admin', 'DeleteDatabase', { database: extra }, (a) => a);
  await story.call('admin', 'LoadDatabase', { database: extra });
  await story.call('admin', 'UseDatabase', { databaseName: 'systemdb' });
  for (const [method, request] of [
    ['CurrentState', {}],
    ['Get', { key: b('no such key') }],
    ['Set', { KVs: [{ key: b('k'), value: b('') }] }],
    ['DatabaseHealth', {}],
    ['GetDatabaseSettingsV2', {}],
  ] as const) {
    await story.call('admin', method, request, () => 'answered');
  }
}

describeReal('accounts and databases of the embedded ledger', () => {
  it('are granted and refused like those of a real immudb', async () => {
    await using ledger = await EmbeddedLedger.start();
    const db = await freshDatabase();
    const other = await freshDatabase();
    const setUp = await WireClient.open(ledger.address);
    for (const name of [db, other]) await setUp.call('CreateDatabaseV2', { name });
    await setUp.call('CloseSession');
    setUp.close();
    const suffix = randomBytes(4).toString('hex');
    const names: Names = { db, other, user: (role) => `${role}${suffix}` };
    const stories = [new Story(sharedImmudb(), names), new Story(ledger.address, names)] as const;
    try {
      for (const part of [strangers, users, tokens, databases]) {
        for (const story of stories) await part(story);
        const [real, embedded] = stories;
        expect(embedded.told).toEqual(real.told);
      }
      expect(stories[0].told.length).toBeGreaterThan(200);
    } finally {
      for (const story of stories) await story.close();
    }
  }, 120_000);
});
