// Who answers: a server that is known from one address introduces nothing new at another, and a server that the user accepts is
// the one of the very next call.
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore, SqliteRootStore, VerificationError } from '#dist/index.js';
import type { ImmuClientOptions, RootStore } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { Proxy, holdFirst } from '../adversary/proxy.js';
import { TestImmudb } from '../support/immudb.js';
import { describePrivate } from '../support/real.js';
import { USER, rejection, rowsOf, temporaryFolder, text } from '../trust/support.js';

/** A database that exists on every server here, and that no client has used. */
const FRESH = 'fresh';

function open(address: string, store: RootStore, options: ImmuClientOptions = {}): ImmuClient {
  const client = new ImmuClient({ address, store, credentials: USER, keepAliveMs: 0, ...options });
  onTestFinished(() => client.close().catch(() => undefined));
  return client;
}

const on = (database: string): ImmuClientOptions => ({ credentials: { ...USER, database } });

async function ledgerOf(value: string, options: { signing?: boolean } = {}): Promise<EmbeddedLedger> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingKey = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const ledger = await EmbeddedLedger.start(options.signing ? { signingKey } : {});
  onTestFinished(() => ledger.close());
  await using client = open(ledger.address, new MemoryRootStore());
  await client.set('k', value);
  await client.createDatabase(FRESH);
  await client.useDatabase(FRESH);
  await client.set('k', value);
  return ledger;
}

async function proxyOf(ledger: EmbeddedLedger): Promise<Proxy> {
  const proxy = await Proxy.start(ledger.address);
  onTestFinished(() => proxy.close());
  return proxy;
}

const read = async (client: ImmuClient) => text((await client.verifiedGet('k'))?.value);

describe('a server at another address that says it is one we know', () => {
  let honest: EmbeddedLedger;
  let store: MemoryRootStore;

  beforeEach(async () => {
    honest = await ledgerOf('true', { signing: true });
    store = new MemoryRootStore();
    expect(await read(open(honest.address, store))).toBe('true');
  });

  async function impostor(): Promise<EmbeddedLedger> {
    const ledger = await ledgerOf('false', { signing: true });
    ledger.lie({ kind: 'other-identity', serverId: honest.serverId });
    return ledger;
  }

  test('does not begin trust in a database not used yet; the honest one does', async () => {
    const { address } = await impostor();
    const misled = open(address, store, on(FRESH));
    for (let i = 0; i < 2; i++) {
      const error = await rejection(read(misled));
      expect(error).toBeInstanceOf(VerificationError);
      expect(error).toMatchObject({
        code: 'IDENTITY_CHANGED',
        evidence: {
          ...{ server: honest.serverId, database: FRESH, check: 'identity.address' },
          ...{ expected: honest.address, computed: address },
        },
      });
      for (const words of [
        address,
        honest.address,
        honest.serverId,
        'acceptServer',
        'serverPublicKey',
        'pin',
      ]) {
        expect(error.message).toContain(words);
      }
    }
    expect(await store.head({ server: honest.serverId, database: FRESH })).toBeNull();
    const rows = await rowsOf(store, { outcome: 'identity-change' });
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ server: honest.serverId, database: FRESH, operation: 'firstContact' });
    expect(rows[0]?.detail).toContain(address);

    expect(await read(open(honest.address, store, on(FRESH)))).toBe('true');
    const first = await rowsOf(store, { outcome: 'first-use' });
    expect(first.map(({ database, detail }) => [database, detail])).toEqual([
      ['defaultdb', `at ${honest.address}`],
      [FRESH, `at ${honest.address}`],
    ]);
    const bound = await rowsOf(store, { outcome: 'identity' });
    expect(bound.map(({ detail }) => detail)).toEqual([honest.address, address]);
  });

  test('has to extend the head of a database that was used', async () => {
    const { address } = await impostor();
    const error = await rejection(read(open(address, store)));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.code).not.toBe('IDENTITY_CHANGED');
    // The same server through a proxy does, without another word.
    const { address: other } = await proxyOf(honest);
    expect(await read(open(other, store))).toBe('true');
  });

  test.each<[string, (client: ImmuClient) => Promise<void> | undefined, (pem: string) => ImmuClientOptions]>([
    ['the word of the user', (client) => client.acceptServer(honest.serverId), () => ({})],
    ['the key, which signs', () => undefined, (pem) => ({ serverPublicKey: pem })],
  ])('may begin it with %s', async (_name, accept, options) => {
    const { address } = await proxyOf(honest);
    const client = open(address, store, { ...on(FRESH), ...options(honest.publicKeyPem!) });
    if (options('').serverPublicKey === undefined) {
      expect(await rejection(read(client))).toMatchObject({ code: 'IDENTITY_CHANGED' });
    }
    await accept(client);
    expect(await read(client)).toBe('true');
    const [, row] = await rowsOf(store, { outcome: 'first-use' });
    expect(row).toMatchObject({ database: FRESH, detail: `at ${address}` });
    // The word holds for other databases, and for the next client at this address.
    if (options('').serverPublicKey !== undefined) return;
    await client.createDatabase('another');
    await open(address, store, on('another')).verifiedSet('k', 'v');
  });

  test('may begin it with a pinned root', async () => {
    const known = await open(honest.address, new MemoryRootStore(), on(FRESH)).verifiedGet('k');
    const { address } = await proxyOf(honest);
    const trust = { policy: 'pinned', ...known!.root } as const;
    expect(await read(open(address, store, { ...on(FRESH), trust }))).toBe('true');
    const [row] = await rowsOf(store, { outcome: 'pinned' });
    expect(row?.detail).toBe(`at ${address}`);
  });

  test('and cannot sign, does not begin it with a key either', async () => {
    const { address } = await impostor();
    const client = open(address, store, { ...on(FRESH), serverPublicKey: honest.publicKeyPem! });
    expect(await rejection(read(client))).toMatchObject({ evidence: { check: 'signature.invalid' } });
    expect(await store.head({ server: honest.serverId, database: FRESH })).toBeNull();
  });

  test('begins nothing anew where trust was forgotten either', async () => {
    const { address } = await proxyOf(honest);
    const client = open(address, store);
    await client.forgetTrust('on purpose');
    expect(await rejection(read(client))).toMatchObject({ evidence: { check: 'identity.address' } });
    expect(await read(open(honest.address, store))).toBe('true');
    expect(await read(client)).toBe('true');
  });

  test('who was bound first begins, under whatever name its address has', async () => {
    const elsewhere = new MemoryRootStore();
    const { address } = await proxyOf(honest);
    await read(open(address, elsewhere));
    const error = await rejection(read(open(honest.address, elsewhere, on(FRESH))));
    expect(error).toMatchObject({ evidence: { expected: address, computed: honest.address } });
    const named = open(honest.address.replace('127.0.0.1', 'localhost'), store, on(FRESH));
    expect(await rejection(read(named))).toMatchObject({ evidence: { expected: honest.address } });
  });

  test('is known from where it was when the rows that say so are in an archive', async () => {
    const path = join(await temporaryFolder(), 'roots.db');
    const kept = await SqliteRootStore.open(path);
    onTestFinished(() => kept.close());
    await read(open(honest.address, kept));
    const { seq } = (await kept.audit.latest())!;
    await kept.audit.archive({ path: `${path}.old`, through: seq });
    expect(await rowsOf(kept, { outcome: 'identity' })).toEqual([]);
    const { address } = await impostor();
    const error = await rejection(read(open(address, kept, on(FRESH))));
    expect(error).toMatchObject({ code: 'IDENTITY_CHANGED', evidence: { expected: honest.address } });
    expect(await read(open(honest.address, kept, on(FRESH)))).toBe('true');
  });
});

describe('a server that is accepted', () => {
  const OTHER = 'anotherserver0000000';
  let ledger: EmbeddedLedger;
  let proxy: Proxy;
  let store: MemoryRootStore;
  let client: ImmuClient;

  beforeEach(async () => {
    ledger = await ledgerOf('true');
    proxy = await proxyOf(ledger);
    store = new MemoryRootStore();
    client = open(proxy.address, store);
    await client.verifiedSet('k', 'first');
  });

  /** Trust as the last head move of each server and database has it. */
  async function moves(): Promise<string[]> {
    const rows = await rowsOf(store, { outcome: ['first-use', 'root'] });
    return rows.map(({ server, database, outcome, previousTx, tx }) => {
      const who = server === OTHER ? 'other' : 'one';
      return `${who} ${database} ${outcome} ${previousTx} → ${tx}`;
    });
  }

  test('is that of the very next call, of all databases, there and back', async () => {
    await client.useDatabase(FRESH);
    await client.verifiedSet('k', 'first');
    await client.useDatabase('defaultdb');
    for (let i = 0; i < 3; i++) await client.verifiedGet('k');

    proxy.identity = OTHER;
    expect(await rejection(client.verifiedGet('k'))).toMatchObject({ code: 'IDENTITY_CHANGED' });
    await client.acceptServer(OTHER);
    // What was counted under the one before is in the log.
    const counted = await rowsOf(store, { outcome: 'calls', operation: 'verifiedGet' });
    expect(counted).toMatchObject([{ server: ledger.serverId, calls: 3 }]);
    await client.verifiedSet('k', 'second');
    expect(await read(client)).toBe('second');
    await client.useDatabase(FRESH);
    expect(await read(client)).toBe('first');

    proxy.identity = undefined;
    const error = await rejection(client.verifiedGet('k'));
    expect(error).toMatchObject({ code: 'IDENTITY_CHANGED', evidence: { expected: OTHER } });
    expect(error.message).toContain('acceptServer');
    await client.acceptServer(ledger.serverId);
    await client.verifiedSet('k', 'third');
    await client.useDatabase('defaultdb');
    await client.verifiedSet('k', 'fourth');
    expect(await moves()).toEqual([
      'one defaultdb first-use null → 1',
      'one defaultdb root 1 → 2',
      'one fresh first-use null → 1',
      'one fresh root 1 → 2',
      'other defaultdb first-use null → 2',
      'other defaultdb root 2 → 3',
      'other fresh first-use null → 2',
      // From where trust in the first was left: what the other has answered meanwhile is proven first.
      'one fresh root 2 → 3',
      'one defaultdb root 2 → 3',
      'one defaultdb root 3 → 4',
    ]);
    const bound = await rowsOf(store, { outcome: 'identity' });
    expect(bound.map(({ operation }) => operation)).toEqual([
      'bindIdentity',
      'rebindIdentity',
      'rebindIdentity',
    ]);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  const calls: [string, method: string, () => Promise<unknown>[]][] = [
    ['a lone read', 'VerifiableGet', () => [client.verifiedGet('k')]],
    ['reads together', 'GetAll', () => [client.verifiedGet('k'), client.verifiedGet('k1')]],
    ['verifiedGetAll', 'GetAll', () => [client.verifiedGetAll(['k', 'k2'])]],
    ['a lone write', 'VerifiableSet', () => [client.verifiedSet('k3', 'v', { ownTx: true })]],
    ['writes together', 'Set', () => Array.from({ length: 12 }, (_, i) => client.verifiedSet(`k${i}`, 'v'))],
  ];

  test.for(calls)('ends calls under way, typed: %s', async ([, method, make]) => {
    await Promise.all(['k1', 'k2'].map((key) => client.verifiedSet(key, 'v')));
    const held = holdFirst(proxy, method);
    const made = Promise.allSettled(make());
    await held.arrived;
    await client.acceptServer(OTHER);
    proxy.identity = OTHER;
    expect(await read(client)).toBe('first');
    held.release();
    const results = await made;
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused) {
      const { code, message } = reason as { code: string; message: string };
      expect(['STORE_FAILED', 'OUTCOME_UNKNOWN', 'IDENTITY_CHANGED']).toContain(code);
      if (code !== 'IDENTITY_CHANGED') expect(message).toContain('another server was accepted');
    }
    expect(await read(client)).toBe('first');
    expect(await rowsOf(store, { outcome: ['failure', 'fork', 'rollback'] })).toEqual([]);
  });

  test('ends a first contact under way, which leaves no head', async () => {
    const late = open(proxy.address, store, on(FRESH));
    await late.currentState();
    const held = holdFirst(proxy, 'VerifiableTxById');
    const made = rejection(late.verifiedGet('k'));
    await held.arrived;
    await late.acceptServer(OTHER);
    proxy.identity = OTHER;
    held.release();
    expect(['STORE_FAILED', 'IDENTITY_CHANGED']).toContain((await made).code);
    expect(await read(late)).toBe('true');
    expect(await store.head({ server: OTHER, database: FRESH })).not.toBeNull();
    expect(await store.head({ server: ledger.serverId, database: FRESH })).toBeNull();
  });

  test('ends a write into an empty database: what another server answers does not become the history of the first', async () => {
    await client.createDatabase('empty');
    const late = open(proxy.address, store, on('empty'));
    expect(await late.verifiedGet('k')).toBeNull();
    const held = holdFirst(proxy, 'VerifiableSet');
    const made = rejection(late.verifiedSet('k', 'v'));
    await held.arrived;
    await late.acceptServer(OTHER);
    proxy.identity = OTHER;
    held.release();
    expect(['OUTCOME_UNKNOWN', 'STORE_FAILED']).toContain((await made).code);
    expect(await read(late)).toBe('v');
    expect((await store.head({ server: ledger.serverId, database: 'empty' }))?.tx).toBe(0n);
    expect((await store.head({ server: OTHER, database: 'empty' }))?.tx).toBe(1n);
  });

  test('and is the one before, disturbs nothing', async () => {
    const held = holdFirst(proxy, 'VerifiableGet');
    const made = client.verifiedGet('k');
    await held.arrived;
    await client.acceptServer(ledger.serverId);
    held.release();
    expect(text((await made)?.value)).toBe('first');
    await client.verifiedSet('k', 'second');
    expect((await moves()).at(-1)).toBe('one defaultdb root 2 → 3');
  });

  test('of several that are accepted at once the last one counts, here and in the store', async () => {
    const words = [OTHER, ledger.serverId, OTHER];
    await Promise.all(words.map((identity) => client.acceptServer(identity)));
    proxy.identity = OTHER;
    expect(await read(client)).toBe('first');
    expect(await store.identity(proxy.address)).toBe(OTHER);
  });
});

describePrivate('another immudb in place of the first', () => {
  test('once accepted is that of the next call, a write; and the first one again', async () => {
    const store = new MemoryRootStore();
    await using first = await TestImmudb.start();
    const client = open(first.address, store);
    await client.verifiedSet('k', 'of the first');
    await first.stop();
    const second = await TestImmudb.start({ port: first.port });
    const refused = await rejection(client.verifiedGet('k'));
    expect(refused.code).toBe('IDENTITY_CHANGED');
    await client.acceptServer(refused.evidence.computed ?? '');
    await client.verifiedSet('k', 'of the second');
    expect(await read(client)).toBe('of the second');
    await second.close();
    await first.start();
    const back = await rejection(client.verifiedGet('k'));
    expect(back.evidence).toMatchObject({ expected: refused.evidence.computed });
    await client.acceptServer(refused.evidence.expected ?? '');
    expect(await read(client)).toBe('of the first');
    const begun = await rowsOf(store, { outcome: 'first-use' });
    expect(new Set(begun.map(({ server }) => server)).size).toBe(begun.length);
  });
});
