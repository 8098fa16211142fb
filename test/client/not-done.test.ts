// The allow-list of refusals that leave nothing behind: each row is provoked on a real immudb, and what it would have
// written is looked for afterwards.
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, expect, test, vi } from 'vitest';
import { NOT_DONE, saysNotDone } from '#dist/client/net/not-done.js';
import type { NotDone } from '#dist/client/net/not-done.js';
import type { ExportedTx, ServerError } from '#dist/index.js';
import { openClient, rejection } from '../trust/support.js';
import { replica } from '../txs/support.js';
import { RawClient } from '../ledger/raw-client.js';
import type { Outcome } from '../ledger/raw-client.js';
import { startImmudb } from '../support/immudb.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { WireClient } from '../support/wire-client.js';

/** Rows that a test has met, with the RPC that it met them on. */
const met = new Map<NotDone, Set<string>>();

interface Refusal {
  readonly method: string;
  readonly code: status;
  readonly details: string;
}

function asRefusal(method: string, error: unknown): Refusal {
  const { code, details } = error as ServiceError;
  return { method, code, details };
}

/** What the server refuses the call with. */
async function refusalOf(client: WireClient, method: string, request: object = {}): Promise<Refusal> {
  const error = await client.call(method, request).then(
    () => {
      throw new Error(`${method} was not refused`);
    },
    (reason: unknown) => reason as ServiceError,
  );
  return { method, code: error.code, details: error.details };
}

/** The refusal is on the list; which row it is is noted. */
function onTheList({ method, code, details }: Refusal, words: string | RegExp): void {
  if (typeof words === 'string') expect(details).toBe(words);
  else expect(details).toMatch(words);
  expect([method, code, details, saysNotDone(method, code, details)]).toEqual([method, code, details, true]);
  for (const row of NOT_DONE) {
    const says = typeof row.words === 'string' ? row.words === details : row.words.test(details);
    if (says && row.grpc === code) met.set(row, (met.get(row) ?? new Set()).add(method));
  }
}

const kv = (key: string, value = 'v') => ({ key: Buffer.from(key), value: Buffer.from(value) });
const set = (...KVs: object[]) => ({ KVs });
const size = async (client: WireClient) => Number((await client.call('CurrentState')).txId ?? 0);

/** A Set, and a VerifiableSet of the same, are refused with these words and write nothing. */
async function refused(
  client: WireClient,
  request: object,
  words: string | RegExp,
  witness = client,
): Promise<void> {
  const before = await size(witness);
  onTheList(await refusalOf(client, 'Set', request), words);
  onTheList(await refusalOf(client, 'VerifiableSet', { setRequest: request, proveSinceTx: '0' }), words);
  expect(await size(witness)).toBe(before);
}

/** A write is refused with these words and writes nothing. */
async function refusedOn(
  client: WireClient,
  method: string,
  request: object,
  words: string | RegExp,
  witness = client,
): Promise<void> {
  const before = await size(witness);
  onTheList(await refusalOf(client, method, request), words);
  expect(await size(witness)).toBe(before);
}

const reference = (key: string, to: string, more: object = {}) => ({
  ...{ key: Buffer.from(key), referencedKey: Buffer.from(to) },
  ...more,
});
const member = (name: string, key: string, more: object = {}) => ({
  ...{ set: Buffer.from(name), score: 1, key: Buffer.from(key) },
  ...more,
});
const ops = (...Operations: object[]) => ({ Operations });

/** The writes beside Set, of a key `k` or leading to it. */
const OTHERS: readonly (readonly [method: string, request: object])[] = [
  ['Delete', { keys: [Buffer.from('k')] }],
  ['SetReference', reference('r', 'k')],
  ['ZAdd', member('z', 'k')],
  ['ExecAll', ops({ kv: kv('k') })],
];

const TO_DATABASES = [
  'LoadDatabase',
  'UnloadDatabase',
  'DeleteDatabase',
  'TruncateDatabase',
  'UpdateDatabaseV2',
];
/** What these are asked with; each reads what it knows. Without settings an update would end the server. */
const toDatabase = (database: string) => ({ database, settings: {}, retentionPeriod: '86400000' });

/** Name, state and settings of the databases whose names begin so. */
async function listedDatabases(admin: WireClient, prefix: string): Promise<unknown[]> {
  const { databases } = await admin.call('DatabaseListV2');
  const own = (databases as { name: string; loaded?: boolean; settings: object }[]).filter(({ name }) =>
    name.startsWith(prefix),
  );
  return own.map(({ name, loaded, settings }) => [name, loaded, settings]);
}

let users = 0;
async function newUser(admin: WireClient, database: string, permission: number): Promise<string> {
  users += 1;
  const name = `u${users}_${database}`;
  const password = Buffer.from('Passw0rd!');
  await admin.call('CreateUser', { user: Buffer.from(name), password, permission, database });
  return name;
}

describeReal('what is refused before it is written', () => {
  test('sets, by what is in them', async () => {
    const client = await WireClient.open(
      sharedImmudb(),
      await freshDatabase(undefined, { maxKeyLen: 20, maxValueLen: 40, maxTxEntries: 3 }),
    );
    await client.call('Set', set(kv('there')));
    await refused(client, set(kv('')), 'illegal arguments');
    await refused(client, set(), 'no entries provided');
    await refused(client, set(kv('k'.repeat(30))), 'max key length exceeded');
    await refused(client, set(kv('k', 'v'.repeat(50))), 'max value length exceeded');
    await refused(
      client,
      set(...[1, 2, 3, 4, 5].map((i) => kv(`k${i}`))),
      'max number of entries per tx exceeded',
    );
    await refused(
      client,
      set(kv('a'), kv('a')),
      'duplicated keys are not supported in single batch transaction',
    );
    const preconditions = [{ keyMustNotExist: { key: Buffer.from('there') } }];
    await refused(client, { ...set(kv('b')), preconditions }, 'precondition failed: KeyMustNotExist');
    const before = await size(client);
    const ahead = { setRequest: set(kv('c')), proveSinceTx: '99' };
    onTheList(await refusalOf(client, 'VerifiableSet', ahead), 'illegal state');
    expect(await size(client)).toBe(before);
    client.close();
  });

  test('deletes, by what is in them', async () => {
    const client = await WireClient.open(
      sharedImmudb(),
      await freshDatabase(undefined, { maxKeyLen: 20, maxTxEntries: 3 }),
    );
    const gone = { ...kv('gone'), metadata: { expiration: { expiresAt: '1' } } };
    for (const entries of [
      [kv('a'), kv('b'), kv('c')],
      [kv('d'), kv('e'), gone],
    ])
      await client.call('Set', set(...entries));
    const keys = (...names: string[]) => ({ keys: names.map((name) => Buffer.from(name)) });
    await refusedOn(client, 'Delete', {}, 'no entries provided');
    await refusedOn(client, 'Delete', keys(''), 'illegal arguments');
    await refusedOn(client, 'Delete', keys('a', 'k'.repeat(30)), 'tbtree: key not found');
    await refusedOn(client, 'Delete', keys('a', 'gone'), 'tbtree: key not found: expired entry');
    await refusedOn(client, 'Delete', { ...keys('a'), sinceTx: '99' }, 'tx not found');
    await refusedOn(client, 'Delete', keys('a', 'b', 'c', 'd', 'e'), 'max number of entries per tx exceeded');
    client.close();
  });

  test('references and members of sets, alone and among operations', async () => {
    const client = await WireClient.open(
      sharedImmudb(),
      await freshDatabase(undefined, { maxKeyLen: 40, maxValueLen: 20, maxTxEntries: 3 }),
    );
    const gone = { ...kv('gone'), metadata: { expiration: { expiresAt: '1' } } };
    await client.call('Set', set(kv('there'), gone, kv('k'.repeat(15))));
    await client.call('SetReference', reference('ref', 'there'));
    const asOp = (method: string, request: object) =>
      ops(method === 'ZAdd' ? { zAdd: request } : { ref: request });
    const both = async (method: string, request: object, words: string | RegExp) => {
      await refusedOn(client, method, request, words);
      await refusedOn(client, 'ExecAll', asOp(method, request), words);
    };
    for (const [method, to] of [
      ['SetReference', (key: string, more?: object) => reference('r', key, more)],
      ['ZAdd', (key: string, more?: object) => member('z', key, more)],
    ] as const) {
      await both(method, to(''), 'illegal arguments');
      await both(method, to('there', { atTx: '1' }), 'illegal arguments');
      await both(method, to('missing'), 'tbtree: key not found');
      await both(method, to('gone'), 'tbtree: key not found: expired entry');
      await both(method, to('there', { atTx: '99', boundRef: true }), 'tx not found');
      await both(method, to('ref'), 'referenced key cannot be a reference');
    }
    await both('SetReference', reference('there', 'there'), 'final key cannot be converted into a reference');
    await both('SetReference', reference('k'.repeat(50), 'there'), 'max key length exceeded');
    await both('SetReference', reference('r', 'k'.repeat(15)), 'max value length exceeded');
    await both('ZAdd', member('z'.repeat(50), 'there'), 'max key length exceeded');
    const notContained = /^no wait operation must be self-contained: illegal arguments: can/;
    for (const op of [
      { ref: reference('r', 'there') },
      { ref: reference('r', 'there', { boundRef: true }) },
      { zAdd: member('z', 'there', { boundRef: true }) },
    ])
      await refusedOn(client, 'ExecAll', { ...ops(op), noWait: true }, notContained);
    client.close();
  });

  test('operations, by what is in them', async () => {
    const client = await WireClient.open(
      sharedImmudb(),
      await freshDatabase(undefined, { maxKeyLen: 20, maxValueLen: 40, maxTxEntries: 3 }),
    );
    await client.call('Set', set(kv('there')));
    await refusedOn(client, 'ExecAll', {}, 'empty set');
    await refusedOn(client, 'ExecAll', ops({}), 'operation is not set');
    await refusedOn(client, 'ExecAll', ops({ kv: kv('') }), 'illegal arguments');
    await refusedOn(client, 'ExecAll', ops({ kv: kv('k', 'v'.repeat(50)) }), 'max value length exceeded');
    await refusedOn(client, 'ExecAll', ops({ kv: kv('k'.repeat(30)) }), 'max key length exceeded');
    const many = [1, 2, 3, 4].map((i) => ({ kv: kv(`k${i}`) }));
    await refusedOn(client, 'ExecAll', ops(...many), 'max number of entries per tx exceeded');
    const twice = /desc = duplicated keys are not supported in single batch transaction: key\/reference 'a'$/;
    await refusedOn(client, 'ExecAll', ops({ kv: kv('a') }, { kv: kv('a') }), twice);
    await refusedOn(client, 'ExecAll', ops({ kv: kv('a') }, { ref: reference('a', 'there') }), twice);
    await refusedOn(
      client,
      'ExecAll',
      ops({ zAdd: member('z', 'there') }, { zAdd: member('z', 'there', { score: 2 }) }),
      'duplicated index inside zAdd insertions are not supported in single batch transaction',
    );
    client.close();
  });

  test('preconditions that do not hold, or never could', async () => {
    const client = await WireClient.open(
      sharedImmudb(),
      await freshDatabase(undefined, { maxKeyLen: 20, maxTxEntries: 3 }),
    );
    await client.call('Set', set(kv('there')));
    await client.call('Set', set(kv('there', 'again')));
    const there = { key: Buffer.from('there') };
    const long = { key: Buffer.alloc(30, 'k') };
    const missing = { key: Buffer.from('missing') };
    const cases: readonly (readonly [object[], string | RegExp])[] = [
      [[{ keyMustNotExist: there }], 'precondition failed: KeyMustNotExist'],
      [[{ keyMustExist: missing }], 'precondition failed: KeyMustExist'],
      [[{ keyNotModifiedAfterTX: { ...there, txID: '1' } }], 'precondition failed: KeyNotModifiedAfterTxID'],
      [[{}], 'invalid precondition: null'],
      [[{ keyMustExist: {} }], 'invalid precondition: null key'],
      [[{ keyMustExist: long }], /^(invalid precondition: ){1,2}max key length exceeded$/],
      [[{ keyNotModifiedAfterTX: there }], /^(invalid precondition: ){1,2}invalid transaction ID$/],
      [Array<object>(4).fill({ keyMustExist: there }), 'invalid precondition: too many preconditions'],
    ];
    for (const [preconditions, words] of cases) {
      await refused(client, { ...set(kv('k')), preconditions }, words);
      await refusedOn(client, 'SetReference', reference('r', 'there', { preconditions }), words);
      await refusedOn(client, 'ExecAll', { ...ops({ kv: kv('k') }), preconditions }, words);
    }
    client.close();
  });

  test('a delete of what is not there, beside what is', async () => {
    const client = await WireClient.open(sharedImmudb(), await freshDatabase());
    await client.call('Set', set(kv('there')));
    const before = await size(client);
    const keys = [Buffer.from('there'), Buffer.from('missing')];
    onTheList(await refusalOf(client, 'Delete', { keys }), 'tbtree: key not found');
    expect(await size(client)).toBe(before);
    client.close();
  });

  test('a transaction for a replica that has it, for a database that is none, and one that is none', async () => {
    const { client } = await openClient();
    await client.verifiedSet('a', '1');
    const exported = (await client.exportTx(1n)) as ExportedTx;
    const { client: copy } = await replica();
    await copy.replicateTx(exported);
    const refusals: [typeof client, ExportedTx | Uint8Array, string][] = [
      [copy, exported, 'tx already committed'],
      [client, exported, 'database is NOT a replica'],
      [copy, Buffer.from('junk'), 'illegal arguments'],
    ];
    for (const [to, what, words] of refusals) {
      const error = (await rejection(to.replicateTx(what))) as unknown as ServerError;
      onTheList(asRefusal('replicateTx', { code: error.grpcCode, details: error.serverMessage }), words);
      expect((await to.currentState()).tx).toBe(1n);
    }
  });

  test('streams: taken back, without a login, too much in them', async () => {
    const database = await freshDatabase(undefined, { maxKeyLen: 20, maxValueLen: 1000, maxTxEntries: 3 });
    const wide = await freshDatabase();
    const clients = [
      await RawClient.open(sharedImmudb(), database),
      await RawClient.open(sharedImmudb(), wide),
    ];
    const [client, roomy] = clients as [RawClient, RawClient];
    const witnesses = [
      await WireClient.open(sharedImmudb(), database),
      await WireClient.open(sharedImmudb(), wide),
    ];
    const stranger = new RawClient(sharedImmudb());
    const ended = new RawClient(sharedImmudb());
    ended.metadata.set('sessionid', 'nosuch');
    const refusal = (method: string, { refusal: said }: Outcome): Refusal => {
      const name = said!.code as keyof typeof status;
      return { method, code: status[name], details: said!.message };
    };
    const framed = (...messages: (string | Uint8Array)[]) =>
      Buffer.concat(
        messages.flatMap((message) => {
          const length = Buffer.alloc(8);
          length.writeBigUInt64BE(BigInt(message.length));
          return [length, Buffer.from(message)];
        }),
      );
    const long = 'k'.repeat(30);
    for (const [method, op] of [
      ['streamSet', []],
      ['streamExecAll', [Uint8Array.of(1)]],
    ] as const) {
      const send = async (by: RawClient, words: string | RegExp, ...messages: (string | Uint8Array)[]) =>
        onTheList(refusal(method, await by.writeStream(method, framed(...messages))), words);
      const whole = framed(...op, 'key', 'value');
      const chunk = Buffer.concat([Buffer.from([0x0a, whole.length]), whole]);
      const takenBack = await client.writeRaw(method, chunk, Buffer.from([0xff, 0xff, 0xff]));
      onTheList(refusal(method, takenBack), /^grpc: failed to unmarshal the received message/);
      await send(stranger, 'not logged in', ...op, 'key', 'value');
      await send(ended, 'no session found', ...op, 'key', 'value');
      await send(client, /max key length exceeded$/, ...op, long, 'value');
      if (method === 'streamExecAll') {
        await send(client, 'max value length exceeded', ...op, 'key', new Uint8Array(2000));
        continue;
      }
      await send(client, /no entries provided$/);
      await send(
        client,
        /max number of entries per tx exceeded$/,
        ...['a', '1', 'b', '2', 'c', '3', 'd', '4'],
      );
      await send(client, 'internal store max value length exceeded', 'key', new Uint8Array(2000));
      const third = new Uint8Array(12 << 20);
      await send(roomy, 'max transaction values length exceeded', 'a', third, 'b', third, 'c', third);
    }
    for (const witness of witnesses) {
      expect(await size(witness)).toBe(0);
      witness.close();
    }
    for (const each of [...clients, stranger, ended]) await each.close();
  });

  test('metadata on a database of the old format', async () => {
    const database = await freshDatabase(undefined, { writeTxHeaderVersion: 0 });
    const client = await WireClient.open(sharedImmudb(), database);
    await refused(
      client,
      set({ ...kv('k'), metadata: { nonIndexable: true } }),
      /^metadata is unsupported when in 1\.1 compatibility mode/,
    );
    await client.call('Set', set(kv('there')));
    const unsupported = /^metadata is unsupported when in 1\.1 compatibility mode/;
    await refusedOn(client, 'Delete', { keys: [Buffer.from('there')] }, unsupported);
    const metadata = { nonIndexable: true };
    await refusedOn(client, 'ExecAll', ops({ kv: { ...kv('k'), metadata } }), unsupported);
    client.close();
  });

  test('a message that is too large, and an RPC that is not there', async () => {
    const client = await WireClient.open(sharedImmudb(), await freshDatabase());
    await refused(
      client,
      set(kv('k', 'v'.repeat(34 * 1024 * 1024))),
      /^grpc: received message larger than max/,
    );
    const unknown = await client.callPath('/immudb.schema.ImmuService/NoSuchMethod').then(
      () => undefined,
      (error: unknown) => error as ServiceError,
    );
    onTheList({ method: 'NoSuchMethod', code: unknown!.code, details: unknown!.details }, /^unknown method/);
    client.close();
  });

  test('statements, by what is wrong with them, their rows and their tables', async () => {
    const database = await freshDatabase();
    const client = await WireClient.open(sharedImmudb(), database);
    const run = (sql: string, params: object[] = []) => client.call('SQLExec', { sql, params });
    await run(
      'CREATE TABLE t (id INTEGER, v VARCHAR[4] NOT NULL, n INTEGER, j JSON, CHECK n > 0, PRIMARY KEY id)',
    );
    await run("INSERT INTO t (id, v, n) VALUES (1, 'a', 1)");
    await run('CREATE TABLE long (k VARCHAR[502], PRIMARY KEY k)');
    await run('CREATE INDEX ON t (n)');
    const rows = Array.from({ length: 1030 }, (_, i) => `(${i + 10}, 'x', 1)`).join();
    const refusals: readonly (readonly [string, string | RegExp])[] = [
      ['', 'illegal arguments'],
      ['INSERT INTO', /^syntax error: /],
      ['INSERT INTO nope (id) VALUES (2)', /^table does not exist/],
      ["INSERT INTO t (id, w) VALUES (2, 'a')", /^column does not exist/],
      ['DROP INDEX ON t (v)', /^index not found/],
      ['CREATE TABLE t (id INTEGER, PRIMARY KEY id)', /^table already exists/],
      ['ALTER TABLE t ADD COLUMN n INTEGER', /^column already exists/],
      ['CREATE INDEX ON t (n)', /^index already exists/],
      ["INSERT INTO t (id, v, n) VALUES (1, 'b', 1)", 'key already exists'],
      ['INSERT INTO t (id, n) VALUES (2, 1)', /^not nullable column/],
      ["INSERT INTO t (id, v, n) VALUES (2, 'a', 0)", /^check constraint violation/],
      ["INSERT INTO t (id, v, n) VALUES (2, 'abcde', 1)", /^max length exceeded/],
      ["INSERT INTO long (k) VALUES ('k')", 'max key length exceeded'],
      [`INSERT INTO t (id, v, n) VALUES ${rows}`, 'max number of entries per tx exceeded'],
      ['INSERT INTO t (id, v, n) VALUES (2, @v, 1)', /^missing parameter/],
      ["INSERT INTO t (id, v, n) VALUES ('two', 'a', 1)", /^invalid value provided/],
      ['INSERT INTO t (id, v, n) VALUES (2)', 'invalid number of values provided'],
      ["INSERT INTO t (id, id, v, n) VALUES (2, 2, 'a', 1)", /^duplicated column/],
      ['UPDATE t SET id = 5 WHERE id = 1', 'primary key can not be updated'],
      ['ALTER TABLE t DROP COLUMN n', /^cannot drop column/],
      ['CREATE INDEX ON t (j)', /^cannot index column/],
      ['CREATE UNIQUE INDEX ON t (v)', 'unique index creation is only supported on empty tables'],
      ['CREATE TABLE u (k VARCHAR, PRIMARY KEY k)', /^indexed key of unsupported type/],
      ['DROP TABLE t', 'tbtree: key not found'],
    ];
    for (const [sql, words] of refusals) await refusedOn(client, 'SQLExec', { sql }, words);

    // Those who may read only.
    const user = { user: Buffer.from(`reads${users++}${database}`), password: Buffer.from('Passw0rd!') };
    await client.call('CreateUser', { ...user, permission: 1, database });
    const reader = await WireClient.open(sharedImmudb(), database, user.user.toString(), 'Passw0rd!');
    const sql = "INSERT INTO t (id, v, n) VALUES (3, 'a', 1)";
    await refusedOn(reader, 'SQLExec', { sql }, 'permission denied');
    reader.close();
    client.close();
  });

  test('statements and commits that others came before', async () => {
    const database = await freshDatabase();
    const client = await WireClient.open(sharedImmudb(), database);
    await client.call('SQLExec', {
      sql: 'CREATE TABLE t (id INTEGER AUTO_INCREMENT, n INTEGER, PRIMARY KEY id)',
    });
    const insert = { sql: 'INSERT INTO t (n) VALUES (1)' };
    const begin = async () => {
      const inTx = await WireClient.open(sharedImmudb(), database);
      inTx.metadata.set('transactionid', (await inTx.call('NewTx', { mode: 'ReadWrite' })).transactionID);
      await inTx.call('TxSQLExec', insert);
      return inTx;
    };
    const [first, second] = [await begin(), await begin()];
    await first.call('Commit');
    await refusedOn(second, 'Commit', {}, 'tx read conflict', client);
    await refusedOn(second, 'Commit', {}, 'no transaction found', client);
    first.close();
    second.close();

    // Many at once: those that were refused are not among the rows.
    const ended = await Promise.allSettled(Array.from({ length: 20 }, () => client.call('SQLExec', insert)));
    const errors = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason as ServiceError] : []));
    const conflicts = errors.filter(({ details }) => details === 'tx read conflict');
    expect(conflicts.length).toBeGreaterThan(0);
    for (const error of conflicts) onTheList(asRefusal('SQLExec', error), 'tx read conflict');
    const done = ended.length - errors.length;
    const { rows } = await client.call('UnarySQLQuery', { sql: 'SELECT COUNT(*) FROM t' });
    expect(Number(rows[0].values[0].n)).toBe(1 + done);
    client.close();
  });

  test('who is not logged in, or on no database, or has lost the session', async () => {
    const database = await freshDatabase();
    const stranger = new WireClient(sharedImmudb());
    const admin = await WireClient.open(sharedImmudb(), database);
    for (const [method, request] of [
      ['Set', set(kv('k'))],
      ['VerifiableSet', { setRequest: set(kv('k')) }],
      ...OTHERS,
      ['CreateUser', { user: Buffer.from('x'), password: Buffer.from('Passw0rd!'), permission: 1, database }],
      ['ChangePassword', { user: Buffer.from('x'), newPassword: Buffer.from('Passw0rd!') }],
      ['ChangePermission', { action: 'GRANT', username: 'x', database, permission: 1 }],
      ['SetActiveUser', { username: 'x', active: true }],
      ['ChangeSQLPrivileges', { action: 'GRANT', username: 'x', database, privileges: ['DROP'] }],
      ['CompactIndex', {}],
    ] as const) {
      onTheList(await refusalOf(stranger, method, request), 'not logged in');
    }
    for (const method of TO_DATABASES)
      onTheList(await refusalOf(stranger, method, toDatabase(database)), 'could not get loggedin user data');
    onTheList(
      await refusalOf(stranger, 'CreateDatabaseV2', { name: `${database}x` }),
      'could not get loggedin user data',
    );
    const { token } = await stranger.call('Login', {
      user: Buffer.from('immudb'),
      password: Buffer.from('immudb'),
    });
    stranger.metadata.set('authorization', token);
    await refused(stranger, set(kv('k')), 'please select a database first', admin);
    for (const [method, request] of OTHERS)
      await refusedOn(stranger, method, request, 'please select a database first', admin);
    onTheList(await refusalOf(stranger, 'CompactIndex'), 'please select a database first');
    const lost = await WireClient.open(sharedImmudb(), database);
    await lost.call('CloseSession');
    onTheList(await refusalOf(lost, 'Set', set(kv('k'))), 'session not found');
    onTheList(await refusalOf(lost, 'CreateDatabaseV2', { name: `${database}x` }), 'session not found');
    expect(await size(admin)).toBe(0);
    const { databases } = await admin.call('DatabaseListV2');
    expect(databases.map(({ name }: { name: string }) => name)).not.toContain(`${database}x`);
    for (const client of [stranger, admin, lost]) client.close();
  });

  test('users who may not: sets, users, databases', async () => {
    const database = await freshDatabase();
    const other = await freshDatabase();
    const admin = await WireClient.open(sharedImmudb(), database);
    const name = await newUser(admin, database, 1);
    const reader = await WireClient.open(sharedImmudb(), database, name, 'Passw0rd!');
    await refused(reader, set(kv('k')), 'permission denied');
    for (const [method, request] of OTHERS) await refusedOn(reader, method, request, 'permission denied');
    const listed = async () => JSON.stringify(await admin.call('ListUsers'));
    const before = await listed();
    const password = Buffer.from('Passw0rd!');
    const user = Buffer.from(`${name}x`);
    onTheList(
      await refusalOf(reader, 'CreateUser', { user, password, permission: 1, database }),
      'you do not have permission on this database',
    );
    onTheList(
      await refusalOf(reader, 'ChangePassword', { user: Buffer.from(name), newPassword: password }),
      'user is not system admin nor admin in any of the databases',
    );
    onTheList(
      await refusalOf(reader, 'SetActiveUser', { username: `${name}x`, active: false }),
      'user is not system admin nor admin in any of the databases',
    );
    onTheList(
      await refusalOf(reader, 'CreateDatabaseV2', { name: `${database}y` }),
      'loggedin user does not have permissions for this operation',
    );
    onTheList(await refusalOf(reader, 'CompactIndex'), 'permission denied');
    const asTheyWere = await listedDatabases(admin, other);
    for (const method of TO_DATABASES)
      onTheList(
        await refusalOf(reader, method, toDatabase(other)),
        `the database '${other}' does not exist or you do not have admin permission on this database`,
      );
    expect(await listedDatabases(admin, other)).toEqual(asTheyWere);
    const local = await newUser(admin, database, 254);
    const localAdmin = await WireClient.open(sharedImmudb(), database, local, 'Passw0rd!');
    const theirs = await newUser(admin, other, 1);
    const elsewhere = await listed();
    onTheList(
      await refusalOf(localAdmin, 'ChangePermission', {
        action: 'GRANT',
        username: name,
        database: other,
        permission: 2,
      }),
      'you do not have permission on this database',
    );
    onTheList(
      await refusalOf(localAdmin, 'ChangeSQLPrivileges', {
        action: 'GRANT',
        username: theirs,
        database: other,
        privileges: ['DROP'],
      }),
      'you do not have permission on this database',
    );
    onTheList(
      await refusalOf(localAdmin, 'SetActiveUser', { username: name, active: false }),
      `${name} was not created by you`,
    );
    onTheList(
      await refusalOf(localAdmin, 'ChangePassword', { user: Buffer.from(name), newPassword: password }),
      `user ${name} was not found or it was not created by you`,
    );
    expect(await listed()).toBe(elsewhere);
    expect(elsewhere).not.toBe(before);
    for (const client of [admin, reader, localAdmin]) client.close();
  });

  test('users and databases that are named wrongly', async () => {
    const database = await freshDatabase();
    const admin = await WireClient.open(sharedImmudb(), database);
    const name = await newUser(admin, database, 1);
    const password = Buffer.from('Passw0rd!');
    const grant = { action: 'GRANT', username: name, database, permission: 2 };
    const privileges = { action: 'GRANT', username: name, database, privileges: ['DROP'] };
    const other = await freshDatabase();
    onTheList(
      await refusalOf(admin, 'ChangeSQLPrivileges', { ...privileges, database: other }),
      `user ${name} doesn't have permission on database ${other}`,
    );
    await admin.call('SetActiveUser', { username: name, active: false });
    const before = JSON.stringify(await admin.call('ListUsers'));
    const create = { user: Buffer.from(name), password, permission: 1, database };
    onTheList(await refusalOf(admin, 'CreateUser', create), 'user already exists');
    const nowhere = { ...create, user: Buffer.from(`${name}z`), database: 'nowhere' };
    onTheList(await refusalOf(admin, 'CreateUser', nowhere), 'database nowhere does not exist');
    onTheList(
      await refusalOf(admin, 'ChangePermission', { ...grant, database: 'nowhere' }),
      'database does not exist',
    );
    onTheList(
      await refusalOf(admin, 'ChangePermission', { ...grant, username: 'immudb' }),
      'changing your own permissions is not allowed',
    );
    onTheList(
      await refusalOf(admin, 'ChangePermission', { ...grant, username: 'nobody' }),
      'user nobody not found',
    );
    onTheList(await refusalOf(admin, 'ChangePermission', grant), `user ${name} is not active`);
    for (const [change, words] of [
      [{ database: 'nowhere' }, 'database does not exist'],
      [{ username: 'immudb' }, 'changing your own privileges is not allowed'],
      [{ username: 'nobody' }, 'user nobody not found'],
      [{}, `user ${name} is not active`],
    ] as const)
      onTheList(await refusalOf(admin, 'ChangeSQLPrivileges', { ...privileges, ...change }), words);
    const wrong = { user: Buffer.from('immudb'), oldPassword: Buffer.from('wrong'), newPassword: password };
    onTheList(await refusalOf(admin, 'ChangePassword', wrong), 'old password is incorrect');
    onTheList(
      await refusalOf(admin, 'ChangePassword', { user: Buffer.from('nobody'), newPassword: password }),
      'user nobody was not found or it was not created by you',
    );
    onTheList(
      await refusalOf(admin, 'SetActiveUser', { username: 'nobody', active: true }),
      'user nobody not found',
    );
    onTheList(
      await refusalOf(admin, 'SetActiveUser', { username: 'immudb', active: false }),
      'changing your own status is not allowed',
    );
    onTheList(await refusalOf(admin, 'CreateDatabaseV2', { name: database }), 'database already exists');
    onTheList(await refusalOf(admin, 'CreateDatabaseV2', { name: 'defaultdb' }), 'database is reserved');
    expect(JSON.stringify(await admin.call('ListUsers'))).toBe(before);
    admin.close();
  });

  test('databases that are not as the call needs them', async () => {
    const database = await freshDatabase();
    const other = await freshDatabase();
    const admin = await WireClient.open(sharedImmudb(), other);
    const before = await listedDatabases(admin, database);
    for (const method of TO_DATABASES) {
      for (const reserved of ['defaultdb', 'systemdb'])
        onTheList(await refusalOf(admin, method, toDatabase(reserved)), 'database is reserved');
      onTheList(await refusalOf(admin, method, toDatabase('nowhere')), 'database does not exist');
    }
    onTheList(await refusalOf(admin, 'LoadDatabase', toDatabase(database)), 'database already loaded');
    onTheList(
      await refusalOf(admin, 'DeleteDatabase', toDatabase(database)),
      'cannot delete an open database',
    );
    onTheList(
      await refusalOf(admin, 'TruncateDatabase', toDatabase(database)),
      'retention period has not been reached',
    );
    const illegal = /^rpc error: code = InvalidArgument desc = illegal arguments: /;
    const settings = [
      { maxKeyLen: { value: 5000 } },
      { maxConcurrency: { value: 0 } },
      { readTxPoolSize: { value: 0 } },
      { syncFrequency: { value: -1 } },
      { truncationSettings: { retentionPeriod: { value: 5 } } },
      { ahtSettings: { syncThreshold: { value: 0 } } },
      { replicationSettings: { replica: { value: false }, primaryPort: { value: 1 } } },
    ];
    for (const wrong of settings) {
      onTheList(await refusalOf(admin, 'UpdateDatabaseV2', { database, settings: wrong }), illegal);
      const made = { name: `${database}z`, settings: wrong };
      onTheList(await refusalOf(admin, 'CreateDatabaseV2', made), illegal);
    }
    const fixed = { fileSize: { value: 1 << 20 }, indexSettings: { maxNodeSize: { value: 8192 } } };
    for (const wrong of Object.entries(fixed))
      onTheList(
        await refusalOf(admin, 'UpdateDatabaseV2', { database, settings: Object.fromEntries([wrong]) }),
        illegal,
      );
    const tooShort = { database, retentionPeriod: '5' };
    onTheList(await refusalOf(admin, 'TruncateDatabase', tooShort), illegal);
    expect(await listedDatabases(admin, database)).toEqual(before);
    // The name is free.
    await admin.call('CreateDatabaseV2', { name: `${database}z` });

    await admin.call('UnloadDatabase', { database });
    await admin.call('DeleteDatabase', { database });
    onTheList(await refusalOf(admin, 'DeleteDatabase', toDatabase(database)), 'tbtree: key not found');
    onTheList(
      await refusalOf(admin, 'CreateDatabaseV2', { name: database, ifNotExists: true }),
      'tbtree: key not found: while loading database settings',
    );
    onTheList(
      await refusalOf(admin, 'LoadDatabase', toDatabase(database)),
      `database does not exist: while opening database '${database}'`,
    );
    admin.close();
  });

  test('an index that has nothing to be compacted', async () => {
    const few = await WireClient.open(sharedImmudb(), await freshDatabase());
    await few.call('Set', set(kv('k')));
    onTheList(await refusalOf(few, 'CompactIndex'), 'tbtree: compaction threshold not yet reached');
    const settings = { indexSettings: { compactionThld: { value: 1 } } };
    const client = await WireClient.open(sharedImmudb(), await freshDatabase(undefined, settings));
    await client.call('Set', set(kv('k')));
    await client.call('FlushIndex', {});
    await client.call('CompactIndex');
    onTheList(
      await refusalOf(client, 'CompactIndex'),
      /^dumping index '[^']+' .* tbtree: target folder already exists: /,
    );
    for (const one of [few, client]) one.close();
  });

  test('more at a time than a database takes', async () => {
    const database = await freshDatabase(undefined, { maxConcurrency: 2 });
    const client = await WireClient.open(sharedImmudb(), database);
    const outcomes: (Refusal | undefined)[] = [];
    const atOnce = (first: number) =>
      Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          client.call('Set', set(kv(`k${first + i}`, 'v'.repeat(100_000)))).then(
            () => undefined,
            (error: unknown) => asRefusal('Set', error),
          ),
        ),
      );
    // How many of them meet is up to the machine.
    for (let round = 0; round < 20 && !outcomes.some(Boolean); round++)
      outcomes.push(...(await atOnce(outcomes.length)));
    const refusals = outcomes.filter((outcome) => outcome !== undefined);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) onTheList(refusal, 'max concurrency limit exceeded');
    await nothingOf(client, outcomes);
    client.close();
  });

  test('more deletes at a time than a database takes', async () => {
    const database = await freshDatabase(undefined, { maxConcurrency: 2 });
    const client = await WireClient.open(sharedImmudb(), database);
    const busy: number[] = [];
    let done = 0;
    for (let round = 0; round < 20 && busy.length === 0; round++) {
      const numbers = Array.from({ length: 100 }, (_, i) => 100 * round + i);
      await client.call('Set', set(...numbers.map((i) => kv(`k${i}`))));
      done += 1;
      await Promise.all(
        numbers.map((i) =>
          client.call('Delete', { keys: [Buffer.from(`k${i}`)] }).then(
            () => (done += 1),
            (error: unknown) => {
              const refusal = asRefusal('Delete', error);
              // How many of them meet, and where, is up to the machine.
              if (refusal.details !== 'max concurrency limit exceeded') return;
              onTheList(refusal, 'max concurrency limit exceeded');
              busy.push(i);
            },
          ),
        ),
      );
    }
    expect(busy.length).toBeGreaterThan(0);
    // Every one that was not refused is a tx, and no other.
    expect(await size(client)).toBe(done);
    client.close();
  });

  test('more proofs at a time than a database has buffers for', async () => {
    const database = await freshDatabase(undefined, { readTxPoolSize: 1 });
    const client = await WireClient.open(sharedImmudb(), database);
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        client.call('VerifiableSet', { setRequest: set(kv(`k${i}`, 'v'.repeat(10_000))) }).then(
          () => undefined,
          (error: unknown) => asRefusal('VerifiableSet', error),
        ),
      ),
    );
    const exhausted = outcomes.filter((outcome) => outcome?.details === 'read tx pool exhausted');
    expect(exhausted.length).toBeGreaterThan(0);
    for (const refusal of exhausted) onTheList(refusal as Refusal, 'read tx pool exhausted');
    await nothingOf(
      client,
      outcomes.map((outcome) => (outcome?.details === 'read tx pool exhausted' ? outcome : undefined)),
    );
    client.close();
  });
});

/** No key of a refused write is there. */
async function nothingOf(client: WireClient, outcomes: readonly (Refusal | undefined)[]): Promise<void> {
  for (const [i, outcome] of outcomes.entries()) {
    if (!outcome) continue;
    const refusal = await refusalOf(client, 'Get', { key: Buffer.from(`k${i}`) });
    expect(refusal.details).toBe('tbtree: key not found');
  }
}

/** What the document service refuses the call with. */
async function documentRefusal(client: WireClient, method: string, request: object): Promise<Refusal> {
  return client.call(method, request, { service: 'immudb.model.DocumentService' }).then(
    () => {
      throw new Error(`${method} was not refused`);
    },
    (error: unknown) => asRefusal(method, error),
  );
}

const inPeople = (more: object = {}) => ({ query: { collectionName: 'people', ...more } });
const comparing = (field: string, value: object) =>
  inPeople({ expressions: [{ fieldComparisons: [{ field, operator: 'EQ', value }] }] });
const struct = (fields: Record<string, object>) => ({ fields });
const inserting = (...documents: object[]) => ({ collectionName: 'people', documents });

/** A request of each to a collection. */
const ON_COLLECTION = (name: string): readonly (readonly [method: string, request: object])[] => [
  ['InsertDocuments', { collectionName: name, documents: [struct({})] }],
  ['ReplaceDocuments', { query: { collectionName: name }, document: struct({}) }],
  ['DeleteDocuments', { query: { collectionName: name } }],
  ['UpdateCollection', { name, documentIdFieldName: 'x' }],
  ['DeleteCollection', { name }],
  ['AddField', { collectionName: name, field: { name: 'a', type: 'STRING' } }],
  ['RemoveField', { collectionName: name, fieldName: 'a' }],
  ['CreateIndex', { collectionName: name, fields: ['a'] }],
  ['DeleteIndex', { collectionName: name, fields: ['a'] }],
];

describeReal('what the document service refuses before it is written', () => {
  const UNIQUE =
    'conflict due to uniqueness contraint violation or read document was updated by another transaction';

  test('by what is asked for', async () => {
    const database = await freshDatabase(undefined, { maxTxEntries: 10 });
    const client = await WireClient.open(sharedImmudb(), database);
    const made = {
      name: 'people',
      fields: [
        { name: 'name', type: 'STRING' },
        { name: 'age', type: 'INTEGER' },
      ],
      indexes: [{ fields: ['name'], isUnique: true }],
    };
    const asked = { service: 'immudb.model.DocumentService' } as const;
    await client.call('CreateCollection', made, asked);
    await client.call(
      'InsertDocuments',
      inserting(struct({ name: { stringValue: 'a' } }), struct({ name: { stringValue: 'b' } })),
      asked,
    );
    const before = await size(client);
    const refuse = async (method: string, request: object, words: string | RegExp) =>
      onTheList(await documentRefusal(client, method, request), words);

    for (const [method, request] of ON_COLLECTION('none'))
      await refuse(method, request, /^collection does not exist( \(none\))?$/);
    const noField = comparing('nope', { numberValue: 1 });
    await refuse('ReplaceDocuments', { ...noField, document: struct({}) }, 'field does not exist (nope)');
    await refuse('DeleteDocuments', noField, 'field does not exist (nope)');
    await refuse('RemoveField', { collectionName: 'people', fieldName: 'nope' }, 'field does not exist');
    await refuse('CreateIndex', { collectionName: 'people', fields: ['nope'] }, 'field does not exist');
    await refuse(
      'CreateCollection',
      { name: 'new', indexes: [{ fields: ['nope'] }] },
      'field does not exist',
    );

    const same = struct({ name: { stringValue: 'a' } });
    await refuse('InsertDocuments', inserting(same), UNIQUE);
    await refuse('ReplaceDocuments', { ...inPeople(), document: same }, UNIQUE);
    const notEmpty = 'unique index creation is only supported on empty collections';
    await vi.waitFor(async () => {
      // Before the documents are indexed the server says it in other words.
      const unique = { collectionName: 'people', fields: ['age'], isUnique: true };
      await refuse('CreateIndex', unique, notEmpty);
    });
    const wrong = struct({ age: { stringValue: 'x' } });
    const type = /^unexpected value: expecting value of type INTEGER/;
    await refuse('InsertDocuments', inserting(wrong), type);
    await refuse('ReplaceDocuments', { ...inPeople({ limit: 1 }), document: wrong }, type);
    await refuse('DeleteDocuments', comparing('age', { stringValue: 'x' }), type);
    const long = struct({ name: { stringValue: 'x'.repeat(600) } });
    const length = 'max length exceeded: table: people, column: name';
    await refuse('InsertDocuments', inserting(long), length);
    await refuse('ReplaceDocuments', { ...inPeople({ limit: 1 }), document: long }, length);
    const eleven = Array.from({ length: 11 }, (_, i) => struct({ name: { stringValue: `n${i}` } }));
    await refuse('InsertDocuments', inserting(...eleven), 'max number of entries per tx exceeded');
    const withId = struct({ _id: { stringValue: 'ab' } });
    const id = 'illegal arguments: field (_id) should NOT be specified when inserting a document';
    await refuse('InsertDocuments', inserting(withId), id);

    await refuse('CreateCollection', made, 'collection already exists');
    await refuse('UpdateCollection', { name: 'people', documentIdFieldName: 'name' }, 'field already exists');
    await refuse(
      'AddField',
      { collectionName: 'people', field: { name: 'age', type: 'UUID' } },
      'field already exists',
    );
    await refuse('CreateIndex', { collectionName: 'people', fields: ['name'] }, 'index already exists');
    const twice = [made.fields[0], made.fields[0]];
    await refuse('CreateCollection', { name: 'new', fields: twice }, 'duplicated column');
    await refuse('CreateIndex', { collectionName: 'people', fields: ['age', 'age'] }, 'duplicated column');
    const idField = "illegal arguments: id field name '_id' should not be specified";
    await refuse('CreateCollection', { name: 'new', fields: [{ name: '_id', type: 'UUID' }] }, idField);
    const indexed = 'cannot drop column name because one or more indexes require it';
    await refuse('RemoveField', { collectionName: 'people', fieldName: 'name' }, indexed);
    await refuse(
      'DeleteIndex',
      { collectionName: 'people', fields: ['age'] },
      'index not found (people(age))',
    );
    const primary = 'illegal arguments: primary key index can NOT be deleted';
    await refuse('DeleteIndex', { collectionName: 'people', fields: ['_id'] }, primary);
    expect(await size(client)).toBe(before);

    const reader = await WireClient.open(
      sharedImmudb(),
      database,
      await newUser(client, database, 1),
      'Passw0rd!',
    );
    for (const [method, request] of [
      ...ON_COLLECTION('people'),
      ['CreateCollection', { name: 'new' }] as const,
    ])
      onTheList(await documentRefusal(reader, method, request), 'permission denied');
    expect(await size(client)).toBe(before);
    for (const each of [client, reader]) each.close();
  });
});

describePrivate('what is refused before it is written', () => {
  test('a token of before a restart', async () => {
    await using server = await startImmudb();
    const old = new WireClient(server.address);
    const login = async (client: WireClient) => {
      const asked = { user: Buffer.from('immudb'), password: Buffer.from('immudb') };
      const { token } = await client.call('Login', asked);
      client.metadata.set('authorization', token);
    };
    await login(old);
    await server.restart();
    const witness = new WireClient(server.address);
    onTheList(await refusalOf(old, 'Set', set(kv('k'))), 'not logged in');
    await login(witness);
    await refused(old, set(kv('k')), 'invalid token', witness);
    for (const [method, request] of OTHERS) await refusedOn(old, method, request, 'invalid token', witness);
    expect(await size(witness)).toBe(0);
    for (const client of [old, witness]) client.close();
  });

  test('a replica', async () => {
    await using primary = await startImmudb();
    await using replica = await startImmudb({ replicaOf: primary.address });
    // Its users are the primary's: nobody can log in before they have come.
    const client = await vi.waitFor(() => WireClient.open(replica.address), {
      timeout: 20_000,
      interval: 100,
    });
    await refused(client, set(kv('k')), "database is read-only because it's a replica");
    for (const [method, request] of OTHERS)
      await refusedOn(client, method, request, "database is read-only because it's a replica");
    for (const [method, request] of [
      ...ON_COLLECTION('people'),
      ['CreateCollection', { name: 'new' }] as const,
    ])
      onTheList(
        await documentRefusal(client, method, request),
        "database is read-only because it's a replica",
      );
    client.close();
  });

  test('a server without logins', async () => {
    await using server = await startImmudb({ auth: false });
    const client = new WireClient(server.address);
    const user = Buffer.from('x');
    const password = Buffer.from('Passw0rd!');
    const on = 'this command is available only with authentication on';
    onTheList(
      await refusalOf(client, 'CreateUser', { user, password, permission: 1, database: 'defaultdb' }),
      on,
    );
    onTheList(await refusalOf(client, 'ChangePassword', { user, newPassword: password }), on);
    onTheList(await refusalOf(client, 'SetActiveUser', { username: 'x', active: true }), on);
    onTheList(await refusalOf(client, 'CreateDatabaseV2', { name: 'x' }), 'authentication must be on');
    for (const method of TO_DATABASES)
      onTheList(await refusalOf(client, method, toDatabase('x')), 'authentication must be on');
    client.close();
  });

  // Last in its file: all rows are met, or say why they could not be.
  afterAll(() => {
    const missed = NOT_DONE.filter(
      (row) =>
        row.read === undefined &&
        (row.on === 'any' ? !met.has(row) : row.on.some((method) => met.get(row)?.has(method) !== true)),
    );
    expect(missed).toEqual([]);
  });
});
