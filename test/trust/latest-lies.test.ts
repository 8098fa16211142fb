// A server that hides what was written, or shows what was before: believed without a follower, and not with one. And who follows
// goes by nothing but what is proven.
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { FollowOptions, FollowSinceOptions, VerifiedEntry } from '#dist/index.js';
import type { DatabaseTrust } from '#dist/client/trust/database-trust.js';
import { CATALOG_PREFIXES } from '#dist/client/trust/latest/row-observers.js';
import type { ObservedRow } from '#dist/client/trust/latest/row-observers.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { Proxy, passOn } from '../adversary/proxy.js';
import type { Passing } from '../adversary/proxy.js';
import { describeReal, describeServer, freshDatabase, sharedImmudb } from '../support/real.js';
import type { WireClient } from '../support/wire-client.js';
import { USER, openWire, rejection, rowsOf, text } from './support.js';

/** Decoded answers are as loose as the wire. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Wire = any;

let proxy: Proxy;
let database: string;
let wire: WireClient;

beforeEach(async () => {
  database = await freshDatabase();
  proxy = await Proxy.start(sharedImmudb());
  wire = await openWire(database);
});
afterEach(() => proxy.close());

function open(): { client: ImmuClient; store: MemoryRootStore } {
  const store = new MemoryRootStore();
  const client = new ImmuClient({
    address: proxy.address,
    store,
    credentials: { ...USER, database },
  });
  onTestFinished(() => client.close());
  return { client, store };
}

const set = async (key: string, value: string) =>
  BigInt((await wire.call('Set', { KVs: [{ key: Buffer.from(key), value: Buffer.from(value) }] })).id);

/** Answers to `method` are changed. */
function lie(methods: readonly string[], change: (answer: Wire, method: string) => void): void {
  proxy.intercept = async (passing: Passing) => {
    const bytes = await passing.forward();
    if (!methods.includes(passing.method)) return bytes;
    const { responseDeserialize, responseSerialize } = methodDefinition(
      'immudb.schema.ImmuService',
      passing.method,
    );
    const answer = responseDeserialize(bytes);
    change(answer, passing.method);
    return responseSerialize(answer);
  };
}

/** The server answers reads of a key as it stood at a tx; 0: as if it had never been written. */
async function pretend(key: string, atTx: bigint): Promise<void> {
  const old = atTx > 0n ? await wire.call('Get', { key: Buffer.from(key), atTx: String(atTx) }) : undefined;
  const { requestDeserialize } = methodDefinition('immudb.schema.ImmuService', 'VerifiableGet');
  proxy.intercept = async (passing) => {
    if (passing.method === 'GetAll') {
      const bytes = await passing.forward();
      const { responseDeserialize, responseSerialize } = methodDefinition(
        'immudb.schema.ImmuService',
        'GetAll',
      );
      const answer = responseDeserialize(bytes) as Wire;
      const others = answer.entries.filter((entry: Wire) => entry.key.toString() !== key);
      return responseSerialize({ entries: old ? [...others, old] : others });
    }
    if (passing.method === 'Get' && old)
      return methodDefinition('immudb.schema.ImmuService', 'Get').responseSerialize(old);
    if (passing.method !== 'VerifiableGet') return passOn(passing);
    const request = requestDeserialize(passing.request) as Wire;
    if (request.keyRequest.key.toString() !== key) return passOn(passing);
    if (atTx === 0n) throw Object.assign(new Error('key not found'), { code: 2, details: 'key not found' });
    const { requestSerialize } = methodDefinition('immudb.schema.ImmuService', 'VerifiableGet');
    request.keyRequest.atTx = String(atTx);
    return passing.forward(requestSerialize(request));
  };
}

describeServer('the two deceptions', () => {
  test('a revocation that is hidden is believed without a follower, and not with one', async () => {
    await set('other', 'x');
    await set('revoked/alice', 'yes');
    await pretend('revoked/alice', 0n);
    const { client: without } = open();
    expect(await without.verifiedGet('revoked/alice')).toBeNull();
    const { client } = open();
    await client.follow();
    expect(await client.proveAbsent('revoked/alice')).toBeNull();
    const refusal = await rejection(client.verifiedGet('revoked/alice', { latest: true }));
    expect(refusal).toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(await rejection(client.verifiedGet('revoked/alice'))).toMatchObject({
      code: 'VERIFICATION_FAILED',
    });
  });

  test('yesterday’s balance is believed without a follower, and not with one', async () => {
    const before = await set('balance', '100');
    await set('balance', '5');
    await pretend('balance', before);
    const { client: without } = open();
    const told = (await without.verifiedGet('balance')) as VerifiedEntry;
    expect(text(told.value)).toBe('100');
    const { client, store } = open();
    const following = await client.follow();
    await following.ready();
    expect(await rejection(client.verifiedGet('balance', { latest: true }))).toMatchObject({
      code: 'VERIFICATION_FAILED',
      evidence: { check: 'get.stale', expected: '2', computed: '1' },
    });
    const all = await rejection(client.verifiedGetAll(['balance']));
    expect(all).toMatchObject({ evidence: { check: 'get.stale' } });
    expect((await rowsOf(store)).filter(({ outcome }) => outcome === 'failure')).toHaveLength(2);
    proxy.intercept = passOn;
    expect(text((await client.verifiedGet('balance', { latest: true })).value ?? undefined)).toBe('5');
  });

  test('what is overtaken between question and answer is asked for once more', async () => {
    await set('k', '1');
    const { client } = open();
    const following = await client.follow({ push: false, everyMs: 60_000 });
    await following.ready();
    let asked = 0;
    proxy.intercept = async (passing) => {
      const isRead = passing.method === 'VerifiableGet' || passing.method === 'GetAll';
      const bytes = await passing.forward();
      if (isRead && asked++ === 0) {
        const tx = await set('k', '2');
        await following.reach(tx);
      }
      return bytes;
    };
    expect(await client.verifiedGet('k', { latest: true })).toMatchObject({ tx: 2n, revision: 2n });
    expect(asked).toBe(2);
  });

  test('a deleted key that is shown again', async () => {
    const before = await set('k', '1');
    await set('other', '1');
    await wire.call('Delete', { keys: [Buffer.from('k')] });
    const { client } = open();
    await client.follow();
    expect(await client.verifiedGet('k', { latest: true })).toMatchObject({ absent: 'deleted', tx: 3n });
    await pretend('k', before);
    expect(await rejection(client.verifiedGet('k', { latest: true }))).toMatchObject({
      code: 'VERIFICATION_FAILED',
    });
  });

  test('another revision than it is', async () => {
    await set('k', '1');
    await set('k', '2');
    const { client } = open();
    await client.follow();
    lie(['VerifiableGet', 'GetAll'], (answer) => {
      for (const entry of answer.entries ?? [answer.entry]) entry.revision = '7';
    });
    expect(await rejection(client.verifiedGet('k', { latest: true }))).toMatchObject({
      evidence: { check: 'latest.revision', expected: '2', computed: '7' },
    });
  });

  test('an entry left out of a transaction, and a transaction left out', async () => {
    await set('a', '1');
    await set('b', '1');
    const checks = [];
    for (const change of [
      (answer: Wire) => answer.txs[0].entries.pop(),
      (answer: Wire) => answer.txs.pop(),
      (answer: Wire) =>
        (answer.txs[0] = structuredClone(answer.txs[1] ?? { header: { id: '7' }, entries: [] })),
    ]) {
      lie(['TxScan'], change);
      const { client } = open();
      const following = await client.follow({ everyMs: 60_000 });
      const refused = await rejection(client.proveAbsent('b'));
      expect(refused.code).toBe('VERIFICATION_FAILED');
      checks.push(refused.evidence.check);
      expect(following.progress).toMatchObject({ status: 'refused', tx: 0n });
      proxy.intercept = passOn;
      expect(await client.proveAbsent('b')).toBeNull();
      expect(await client.proveAbsent('c')).toMatchObject({ absent: 'never-written' });
      expect(following.progress).toMatchObject({ status: 'following', tx: 2n });
      expect(following.progress.failure).toBeUndefined();
    }
    expect(new Set(checks).size).toBeGreaterThan(1);
  });

  test('an entry left out of the next transaction, which is asked for with its proof, by one question', async () => {
    await set('a', '1');
    const { client, store } = open();
    const following = await client.follow({ push: false, everyMs: 60_000 });
    await following.ready();
    lie(['VerifiableTxById'], ({ tx }) => tx.entries?.pop());
    const hidden = await set('b', '1');
    expect(await rejection(following.reach(hidden))).toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(following.progress).toMatchObject({ status: 'refused', tx: 1n });
    expect((await rowsOf(store)).filter(({ outcome }) => outcome === 'failure')).toHaveLength(1);
    proxy.intercept = passOn;
    await following.reach(hidden);
    const asked: string[] = [];
    proxy.intercept = (passing) => {
      asked.push(passing.method);
      return passOn(passing);
    };
    await following.reach(await set('c', '1'));
    expect(asked).toEqual(['VerifiableTxById']);
  });
});

describeServer('a follower', () => {
  test('waits while the server does not answer, and goes on; a call that needs it ends in time', async () => {
    await set('a', '1');
    const { client } = open();
    await client.verifiedGet('a');
    proxy.intercept = (passing) =>
      passing.method === 'TxScan' ? new Promise(() => undefined) : passOn(passing);
    const following = await client.follow();
    const late = await rejection(client.proveAbsent('b', { timeoutMs: 300 }));
    expect(late).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await rejection(client.verifiedGet('a', { latest: true, timeoutMs: 300 }))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    expect(following.progress.status).toBe('catching-up');
    await following.stop();
  });

  test('goes on after the connection was lost', async () => {
    await set('a', '1');
    const { client } = open();
    const following = await client.follow({ everyMs: 50 });
    await following.ready();
    await proxy.dropConnections();
    await set('a', '2');
    await vi.waitFor(() => expect(following.head.tx).toBe(2n), { timeout: 10_000 });
    expect(await client.verifiedGet('a', { latest: true })).toMatchObject({ tx: 2n });
  });

  test('with a codec', async () => {
    await set('a', '{"n":1}');
    const { client } = open();
    await client.follow();
    const typed = client.database<{ n: number }>(database, { codec: 'json' });
    const told = await typed.verifiedGet('a', { latest: true });
    expect('absent' in told ? told : [told.decoded, told.revision]).toEqual([{ n: 1 }, 1n]);
    expect(await typed.verifiedGet('b', { latest: true })).toMatchObject({ absent: 'never-written' });
    expect(JSON.parse(JSON.stringify(await typed.verifiedGet('b', { latest: true })))).toMatchObject({
      key: 'b',
      value: null,
      provenLatestAt: { tx: '1' },
    });
  });

  test('ends with stop, with forgetTrust, and with the client', async () => {
    await set('a', '1');
    const { client } = open();
    const first = await client.follow();
    await first.ready();
    await first.stop();
    await first.stop();
    expect(first.progress.status).toBe('ended');
    expect(await rejection(client.proveAbsent('b'))).toMatchObject({ code: 'NOT_PROVABLE' });
    expect(await rejection(client.verifiedGet('a', { latest: true }))).toMatchObject({
      code: 'NOT_PROVABLE',
    });
    expect(await client.verifiedGet('a')).not.toBeNull();
    const second = await client.follow();
    await second.ready();
    expect(await client.proveAbsent('b')).not.toBeNull();
    await client.forgetTrust('a test');
    expect(await rejection(client.proveAbsent('b'))).toMatchObject({ code: 'NOT_PROVABLE' });
    expect(await rejection(second.ready())).toMatchObject({ code: 'STORE_FAILED' });
    const third = await client.follow();
    await third.ready();
    await client.close();
    expect(await rejection(third.ready())).toMatchObject({ code: 'CLOSED' });
  });

  test('from a root that is not on the trusted history nothing is followed', async () => {
    const tx = await set('a', '1');
    await set('b', '1');
    const { client } = open();
    const { alh } = await client.verifiedState();
    expect(await rejection(client.follow({ from: { tx, alh } }))).toMatchObject({ code: 'FORK_DETECTED' });
    const following = await client.follow({ from: { tx: tx + 1n, alh } });
    expect(following.from).toMatchObject({ tx: 2n });
    await following.ready();
    expect(await client.unchangedSince('a', 2n)).toMatchObject({ tx: 2n });
    expect(await rejection(client.unchangedSince('a', 1n))).toMatchObject({ code: 'NOT_PROVABLE' });
  });

  test('a transaction that is not there is waited for, until it is', async () => {
    await set('a', '1');
    const { client } = open();
    const following = await client.follow({ everyMs: 20 });
    await following.ready();
    expect(await rejection(following.reach(2n, { timeoutMs: 200 }))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    const reached = following.reach(2n);
    await set('a', '2');
    expect(await reached).toMatchObject({ tx: 2n });
  });
});

describeReal('a follower of SQL', () => {
  test('rows of catalogs are told in order, to whoever comes first or later', async () => {
    await wire.call('SQLExec', { sql: 'CREATE TABLE t (id INTEGER, PRIMARY KEY id);' });
    await set('plain', '1');
    const { client } = open();
    const following = await client.follow();
    await following.ready();
    const latest = await latestOf(client);
    const told: ObservedRow[] = [];
    const reached: bigint[] = [];
    const observer = {
      row: (row: ObservedRow) => told.push(row),
      reached: ({ tx }: { tx: bigint }) => reached.push(tx),
    };
    const end = latest.observe(CATALOG_PREFIXES[0]!, observer);
    expect(told.length).toBeGreaterThan(0);
    const first = told.length;
    await wire.call('SQLExec', { sql: 'CREATE TABLE u (id INTEGER, PRIMARY KEY id);' });
    await following.ready();
    expect(told.length).toBeGreaterThan(first);
    expect(told.every(({ key }) => Buffer.from(key).subarray(1, 5).toString() === 'CTL.')).toBe(true);
    expect(told.map(({ tx }) => tx)).toEqual(told.map(({ tx }) => tx).toSorted((a, b) => Number(a - b)));
    expect(reached.at(-1)).toBe(following.head.tx);
    end();
    await wire.call('SQLExec', { sql: 'CREATE TABLE v (id INTEGER, PRIMARY KEY id);' });
    await following.ready();
    const all: ObservedRow[] = [];
    latest.observe(CATALOG_PREFIXES[0]!, { row: (row) => all.push(row), reached: () => undefined });
    expect(all.slice(0, told.length)).toEqual(told);
    expect(all.length).toBeGreaterThan(told.length);
  });
});

function latestOf(client: ImmuClient): Promise<DatabaseTrust['latest']> {
  const { room } = client as unknown as { room: { trustNow(): DatabaseTrust } };
  return Promise.resolve(room.trustNow().latest);
}

describe('options of follow', () => {
  test.each([
    ['from', { from: 'tomorrow' }],
    ['from', { from: 7 }],
    ['from.tx', { from: { tx: -1n, alh: new Uint8Array(32) } }],
    ['from.alh', { from: { tx: 1n, alh: new Uint8Array(31) } }],
    ['maxBytes', { maxBytes: 0 }],
    ['maxBytes', { maxBytes: 1.5 }],
    ['everyMs', { everyMs: 0 }],
    ['everyMs', { everyMs: 1e10 }],
    ['push', { push: 1 }],
    ['ordered', { ordered: 'yes' }],
    ['keep', { keep: '' }],
    ['keep', { keep: 3 }],
    ['options', { every: 3 }],
    ['options', null],
  ])('%s', async (argument, options) => {
    const { client } = open();
    const asked = vi.fn(passOn);
    proxy.intercept = asked;
    const refused = await rejection(client.follow(options as FollowOptions & FollowSinceOptions));
    expect(refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: expect.stringContaining(argument.split('.')[0]!),
    });
    expect(asked).not.toHaveBeenCalled();
  });

  test('of what is asked of it', async () => {
    const { client } = open();
    for (const start of [
      () => client.verifiedGet('k', { latest: false as true }),
      () => client.verifiedGet('k', { latest: true, atTx: 1n } as never),
      () => client.verifiedGet('', { latest: true }),
      () => client.proveAbsent(''),
      () => client.proveAbsent('k', { latest: true } as never),
      () => client.unchangedSince('k', 0n),
      () => client.unchangedSince('k', 1 as never),
    ])
      expect(await rejection(start())).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
