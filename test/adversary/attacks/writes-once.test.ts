// A write happens once: whatever a server says after it has committed, nothing is sent again; what was certainly not
// executed goes out again.
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import { WireClient } from '../../support/wire-client.js';
import type { Fault } from '../../model/world.js';
import { CREDENTIALS, codeOf, openAt, proxyTo, range, setScene, timesWritten } from './support.js';

/** Words after a commit that are not on any list of what precedes one. */
const AFTER: readonly Fault[] = ['busy-after', 'too-large', 'closing', 'lost', 'garbled'];

test.for(AFTER)('committed, then "%s": a lone verified write is not sent again', async (fault) => {
  const scene = await setScene();
  const client = scene.open();
  await client.verifiedSet('before', 'v');
  scene.way.begin(fault, 1);
  const code = await codeOf(client.verifiedSet('once', 'v'));
  expect(scene.way.met).toBe(1);
  expect(timesWritten(scene, 'once')).toBe(1);
  expect(['OUTCOME_UNKNOWN', 'VERIFICATION_FAILED']).toContain(code);
});

test.for(AFTER)('committed, then "%s": a plain write is not sent again', async (fault) => {
  const scene = await setScene();
  const client = scene.open();
  await client.set('before', 'v');
  scene.way.begin(fault, 1);
  const code = await codeOf(client.set('once', 'v'));
  expect(scene.way.met).toBe(1);
  expect(timesWritten(scene, 'once')).toBe(1);
  expect(code).toBe('OUTCOME_UNKNOWN');
});

test.for(AFTER)(
  'committed, then "%s": a group of writes is not sent again, nor parts of it',
  async (fault) => {
    const scene = await setScene();
    const client = scene.open({ group: true });
    await client.verifiedSet('before', 'v');
    scene.way.begin(fault, 2);
    const keys = range(12).map((i) => `once${i}`);
    const codes = await Promise.all(keys.map((key) => codeOf(client.verifiedSet(key, 'v'))));
    expect(scene.way.met).toBeGreaterThan(0);
    for (const [i, key] of keys.entries()) {
      expect(timesWritten(scene, key), key).toBeLessThanOrEqual(1);
      // Nobody is told that nothing happened, and nobody that it did where that is not known.
      expect(['ok', 'OUTCOME_UNKNOWN', 'VERIFICATION_FAILED'], key).toContain(codes[i]);
      if (codes[i] === 'ok') expect(timesWritten(scene, key), key).toBe(1);
    }
    expect(codes.filter((code) => code !== 'ok').length).toBeGreaterThan(0);
  },
);

test('an answer to a grouped Set that is larger than maxMessageBytes: the group is not sent again in parts', async () => {
  const scene = await setScene();
  const client = scene.open({ maxMessageBytes: 4096, group: true });
  await client.verifiedSet('before', 'v');
  scene.intercept(({ method, forward }) =>
    // A field that nobody knows, of 8 KiB.
    method === 'Set'
      ? forward().then((answer) =>
          Buffer.concat([answer, Buffer.from([0xfa, 0x7f, 0x80, 0x40]), Buffer.alloc(8192)]),
        )
      : undefined,
  );
  const keys = range(8).map((i) => `key${i}`);
  const codes = await Promise.all(keys.map((key) => codeOf(client.verifiedSet(key, 'v'))));
  for (const [i, key] of keys.entries()) {
    expect(timesWritten(scene, key), key).toBeLessThanOrEqual(1);
    expect(['ok', 'OUTCOME_UNKNOWN'], key).toContain(codes[i]);
  }
  expect(codes).toContain('OUTCOME_UNKNOWN');
});

test('one retry policy: an audit of a busy server does not multiply it', async () => {
  const scene = await setScene();
  const client = scene.open({ timeoutMs: 20_000 });
  for (let i = 0; i < 4; i++) await client.verifiedSet(`k${i}`, 'v');
  const sends = new Map<string, number>();
  scene.intercept(({ method, request }) => {
    if (method !== 'TxScan') return undefined;
    const name = request.toString('hex');
    sends.set(name, (sends.get(name) ?? 0) + 1);
    const details = 'read tx pool exhausted';
    return Promise.reject(Object.assign(new Error(details), { code: status.UNKNOWN, details }));
  });
  await client.audit.database().catch(() => undefined);
  expect(Math.max(...sends.values())).toBeGreaterThan(0);
  expect(Math.max(...sends.values())).toBeLessThanOrEqual(10);
}, 60_000);

test.for([false, true])(
  'a write whose session had ended was not executed: it goes out again (grouped: %s)',
  async (grouped) => {
    const scene = await setScene();
    const client = scene.open({ group: grouped });
    await client.verifiedSet('before', 'v');
    scene.way.begin('session-lost', 1);
    const writes = grouped
      ? range(6).map((i) => client.verifiedSet(`again${i}`, 'v'))
      : [client.verifiedSet('again0', 'v')];
    expect(await Promise.all(writes.map(codeOf))).toEqual(writes.map(() => 'ok'));
    expect(scene.way.met).toBe(1);
    for (const i of writes.keys()) expect(timesWritten(scene, `again${i}`)).toBe(1);
  },
);

test('a write of a user who was given a permission meanwhile goes out again, also in an ingest', async () => {
  await using ledger = await EmbeddedLedger.start();
  const proxy = await proxyTo(ledger.address);
  const admin = openAt(ledger.address);
  await admin.createDatabase('other');
  const wire = await WireClient.open(ledger.address);
  await wire.call('CreateUser', {
    user: Buffer.from('writer'),
    password: Buffer.from('Writes-0nly'),
    permission: 2,
    database: 'defaultdb',
  });
  const grant = async () => {
    // A grant ends the user's sessions; so does taking it back.
    for (const action of ['GRANT', 'REVOKE'])
      await wire.call('ChangePermission', { action, username: 'writer', database: 'other', permission: 1 });
  };
  const client = openAt(proxy.address, { credentials: { user: 'writer', password: 'Writes-0nly' } });
  await client.verifiedSet('a', '1');
  await grant();
  expect(await codeOf(client.set('b', '2'))).toBe('ok');
  await grant();
  expect(await codeOf(client.verifiedSet('c', '3'))).toBe('ok');
  const receipts = [];
  const records = async function* () {
    for (const i of range(20)) {
      if (i % 5 === 4) await grant();
      yield [`i${i}`, `${i}`] as const;
    }
  };
  for await (const receipt of client.ingest(records(), { window: 2 })) receipts.push(receipt.index);
  expect(receipts).toEqual(range(20));
  wire.close();
});

test('a database that its admin unloaded: the code says so, and nothing was written', async () => {
  await using ledger = await EmbeddedLedger.start();
  const wire = await WireClient.open(ledger.address);
  await openAt(ledger.address).createDatabase('unloaded');
  const client = openAt(ledger.address, { credentials: { ...CREDENTIALS, database: 'unloaded' } });
  const { tx } = await client.verifiedSet('a', '1');
  await wire.call('UnloadDatabase', { database: 'unloaded' });
  expect(await codeOf(client.set('b', '2'))).toBe('DATABASE_CLOSED');
  expect(await codeOf(client.verifiedSet('c', '3'))).toBe('DATABASE_CLOSED');
  expect(await codeOf(client.verifiedGet('a'))).toBe('DATABASE_CLOSED');
  await wire.call('LoadDatabase', { database: 'unloaded' });
  const after = await client.verifiedSet('d', '4');
  expect(after.tx).toBe(tx + 1n);
  wire.close();
});
