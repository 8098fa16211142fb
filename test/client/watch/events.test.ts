// What clients tell on the channels of the process: every kind of event where its fact arises, and no secrets in any of them.
import { randomUUID } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ArgumentError, ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { ImmuClientOptions } from '#dist/index.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { describeServer, freshDatabase, sharedImmudb } from '../../support/real.js';
import { USER, rejection } from '../../trust/support.js';
import { TcpProxy } from '../tcp-proxy.js';
import { expectWithout, hear } from './support.js';

const KEY = 'a-key-of-nobody';
const VALUE = 'a-value-of-nobody';

function open(options: ImmuClientOptions): { client: ImmuClient; clientId: string } {
  const clientId = randomUUID();
  const client = new ImmuClient({ store: new MemoryRootStore(), credentials: USER, clientId, ...options });
  onTestFinished(() => client.close());
  return { client, clientId };
}

describeServer('events of a client', () => {
  test('tell of calls, requests, checks, heads, the connection and the session', async () => {
    const address = sharedImmudb();
    const database = await freshDatabase();
    const { client, clientId } = open({ address, credentials: { ...USER, database } });
    const heard = hear(clientId);
    const { tx } = await client.verifiedSet(KEY, VALUE);
    await client.verifiedGet(KEY);
    await client.verifiedGetAll([KEY, 'no such key', `${KEY}2`]);
    await client.verifiedGet('no such key');
    await client.get(KEY);
    await client.health();
    expect(await rejection(client.useDatabase('nosuchdatabase'))).toMatchObject({
      code: 'DATABASE_NOT_FOUND',
    });
    await client.close();

    const calls = heard.of('immu-ts:call');
    expect(
      calls.map(({ operation, verified, code, entries }) => [operation, verified, code, entries]),
    ).toEqual([
      ['verifiedSet', true, 'OK', 1],
      ['verifiedGet', true, 'OK', 1],
      ['verifiedGetAll', true, 'OK', 1],
      ['verifiedGet', true, 'OK', 0],
      ['Get', false, 'OK', undefined],
      ['Health', false, 'OK', undefined],
      ['useDatabase', false, 'DATABASE_NOT_FOUND', undefined],
    ]);
    expect(calls[6]).not.toHaveProperty('database');
    expect(calls[0]).toMatchObject({ client: clientId, address, database, tx, waitedMs: 0 });
    expect(calls[1]).toMatchObject({ tx });
    expect(calls[5]).toMatchObject({ rpcs: ['Health'], sends: 1 });
    for (const { durationMs, load, at } of calls) {
      expect(durationMs).toBeGreaterThan(0);
      expect(load).toEqual({ calls: 0, bytes: 0, waiting: 0 });
      expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
    }
    const starts = heard.of('immu-ts:call:start');
    expect(starts.map(({ operation }) => operation)).toEqual([
      ...['verifiedSet', 'verifiedGet', 'verifiedGetAll', 'verifiedGet', 'Get', 'call', 'useDatabase'],
    ]);
    expect(starts.some((start) => 'code' in start)).toBe(false);

    const rpcs = heard.of('immu-ts:rpc');
    expect(new Set(rpcs.map((rpc) => rpc.database))).toEqual(new Set([database]));
    expect(rpcs.every(({ code, durationMs }) => ['OK', 'NOT_FOUND'].includes(code) && durationMs > 0)).toBe(
      true,
    );
    expect(rpcs.map(({ method }) => method)).toEqual(expect.arrayContaining(['CurrentState', 'Health']));
    expect(heard.of('immu-ts:verify').every(({ ok, bytes }) => ok && bytes >= 0)).toBe(true);
    expect(heard.of('immu-ts:verify').length).toBeGreaterThan(1);
    const heads = heard.of('immu-ts:head');
    expect(heads[0]).toMatchObject({ outcome: 'first-use', previousTx: null, database });
    expect(heads.at(-1)).toMatchObject({ outcome: 'root', tx });
    expect(heads.at(-1)?.alh).toMatch(/^[0-9a-f]{64}$/);
    expect(heard.of('immu-ts:connection').map(({ state }) => state)).toEqual([
      ...['connecting', 'connected', 'closed'],
    ]);
    const sessions = heard.of('immu-ts:session').filter((session) => session.database === database);
    expect(sessions.map(({ state }) => state)).toEqual(['opened', 'ended']);
    expect(heard.of('immu-ts:refusal')).toEqual([]);
    expectWithout(heard.all, [KEY, VALUE]);
  });

  test('tell of trust that is forgotten', async () => {
    const database = await freshDatabase();
    const { client, clientId } = open({ address: sharedImmudb(), credentials: { ...USER, database } });
    const heard = hear(clientId, ['immu-ts:head']);
    const { tx } = await client.verifiedSet(KEY, VALUE);
    await client.forgetTrust('made anew');
    expect(heard.of('immu-ts:head').at(-1)).toMatchObject({
      outcome: 'forget',
      tx,
      operation: 'forgetTrust',
    });
  });

  test('tell of a wrong password by its code, and never the password', async () => {
    const password = 'Wr0ng-Passw0rd!';
    const credentials = { user: 'immudb', password };
    const lines: unknown[] = [];
    const log = (...args: unknown[]) => void lines.push(args);
    const logger = { debug: log, info: log, warn: log, error: log };
    const { client, clientId } = open({
      address: sharedImmudb(),
      credentials,
      logger,
      observe: { keys: true },
    });
    const heard = hear(clientId);
    await rejection(client.get(KEY));
    await rejection(client.login('immudb', password));
    expect(heard.of('immu-ts:session')[0]).toMatchObject({ state: 'refused', code: 'WRONG_CREDENTIALS' });
    expect(client.status().now).toMatchObject({ ready: false, connection: 'connected' });
    expect(client.status().now.troubles).toContain('no session on defaultdb: WRONG_CREDENTIALS');
    await client.login('immudb', USER.password);
    await client.changePassword('immudb', USER.password, USER.password).catch(() => undefined);
    expect(client.status().now).toMatchObject({ ready: true, troubles: [] });
    await client.close();
    expect(heard.all.length).toBeGreaterThan(4);
    expect(lines.length).toBeGreaterThan(4);
    expectWithout([heard.all, lines], [password]);
  });

  test('tell of a connection that is lost, and of the next one', async () => {
    const proxy = await TcpProxy.start(sharedImmudb());
    const { address } = proxy;
    const { client, clientId } = open({ address });
    const heard = hear(clientId);
    await client.get(KEY);
    proxy.cut();
    await expect.poll(() => client.status().now.connection).toBe('lost');
    expect(client.status().now).toMatchObject({ ready: false, saturated: false });
    await client.get(KEY);
    expect(client.status().now).toMatchObject({ ready: true, connection: 'connected' });
    await client.close();
    expect(heard.of('immu-ts:connection').map(({ state, losses }) => [state, losses])).toEqual([
      ['connecting', 0],
      ['connected', 0],
      ['lost', 1],
      ['reconnecting', 1],
      ['connected', 1],
      ['closed', 1],
    ]);
    await proxy[Symbol.asyncDispose]();
    const { client: without, clientId: other } = open({ address, retry: false });
    const heardNone = hear(other, ['immu-ts:connection']);
    await rejection(without.get(KEY));
    expect(heardNone.of('immu-ts:connection').map(({ state }) => state)).toEqual(['connecting', 'failed']);
  });
});

describe('events of refusals', () => {
  async function lied(options: ImmuClientOptions = {}) {
    const ledger = await EmbeddedLedger.start();
    onTestFinished(() => ledger.close());
    const { client, clientId } = open({ address: ledger.address, ...options });
    await client.verifiedSet(KEY, VALUE);
    const heard = hear(clientId);
    ledger.lie({ kind: 'swap-value' });
    expect(await rejection(client.verifiedGet(KEY, { atTx: 1n }))).toMatchObject({
      code: 'VERIFICATION_FAILED',
    });
    return { ledger, client, heard };
  }

  test('name the check, and neither key nor value', async () => {
    const { heard } = await lied();
    const [refusal] = heard.of('immu-ts:refusal');
    expect(refusal).toMatchObject({ code: 'VERIFICATION_FAILED', database: 'defaultdb' });
    expect(refusal?.check).toMatch(/^[\w.-]+$/);
    expect(heard.of('immu-ts:verify').at(-1)).toMatchObject({ ok: false, check: refusal?.check });
    expect(heard.of('immu-ts:call').at(-1)).toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(Object.keys(refusal ?? {})).not.toContain('message');
    expectWithout(heard.all, [KEY, VALUE]);
  });

  test('say what did not hold where keys may be told', async () => {
    const { heard, client } = await lied({ observe: { keys: true } });
    const [refusal] = heard.of('immu-ts:refusal');
    expect(refusal?.message).toMatch(/verifiedGet/);
    expect(heard.of('immu-ts:call').at(-1)?.message).toMatch(/verifiedGet/);
    await client.get(KEY);
    expect(heard.of('immu-ts:call').at(-1)?.key).toBe(KEY);
    expectWithout(heard.all, [VALUE]);
  });

  test('tell of a fork, and the status says that the server is refused', async () => {
    const ledger = await EmbeddedLedger.start();
    onTestFinished(() => ledger.close());
    const { client, clientId } = open({ address: ledger.address });
    for (let i = 0; i < 3; i++) await client.verifiedSet(KEY, `${i}`);
    const heard = hear(clientId);
    ledger.lie({ kind: 'fork', at: 2n, height: 9n });
    expect(await rejection(client.verifiedSet(KEY, VALUE))).toMatchObject({ code: 'FORK_DETECTED' });
    expect(heard.of('immu-ts:fork')[0]).toMatchObject({ code: 'FORK_DETECTED', database: 'defaultdb' });
    expect(heard.of('immu-ts:refusal')[0]).toMatchObject({ code: 'FORK_DETECTED' });
    const { ready, databases, troubles } = client.status().now;
    expect({ ready, databases, troubles }).toEqual({
      ready: false,
      databases: { defaultdb: { headTx: client.diagnostics.trust['defaultdb']?.headTx, refused: true } },
      troubles: ['the server is refused on defaultdb'],
    });
  });

  test('tell of another server at the address', async () => {
    const ledger = await EmbeddedLedger.start();
    onTestFinished(() => ledger.close());
    const { client, clientId } = open({ address: ledger.address });
    await client.verifiedSet(KEY, VALUE);
    const heard = hear(clientId);
    ledger.lie({ kind: 'other-identity' });
    expect(await rejection(client.get(KEY))).toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect(heard.of('immu-ts:refusal')[0]).toMatchObject({ code: 'IDENTITY_CHANGED', check: 'identity' });
  });
});

test('a call that is not let in is told with the reason', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const { client, clientId } = open({ address: ledger.address, maxQueuedCalls: 1, overload: 'fail' });
  const heard = hear(clientId);
  const first = client.get(KEY);
  expect(client.status().now).toMatchObject({ saturated: true, ready: true });
  expect(await rejection(client.get(KEY))).toMatchObject({ code: 'QUEUE_FULL' });
  await first;
  expect(client.status().now).toMatchObject({ saturated: false, load: { calls: 0, bytes: 0, waiting: 0 } });
  expect(heard.of('immu-ts:call').map(({ code }) => code)).toEqual(['QUEUE_FULL', 'OK']);
});

test('a call that waited to be let in says how long', async () => {
  const ledger = await EmbeddedLedger.start();
  onTestFinished(() => ledger.close());
  const { client, clientId } = open({ address: ledger.address, maxQueuedCalls: 1 });
  const heard = hear(clientId);
  await Promise.all([client.get(KEY), client.get(KEY)]);
  const [first, second] = heard.of('immu-ts:call');
  expect(first?.waitedMs).toBe(0);
  expect(second?.waitedMs).toBeGreaterThan(0);
  expect(heard.of('immu-ts:call:start')[1]).toMatchObject({ load: { calls: 1 } });
});

test('an error keeps the stack of its caller while somebody listens', async () => {
  const { client, clientId } = open({ address: 'localhost:1', retry: false });
  hear(clientId);
  async function asksInVain(): Promise<void> {
    await client.verifiedGet(KEY);
  }
  expect(((await rejection(asksInVain())) as Partial<Error>).stack).toContain('asksInVain');
});

test.for([
  [{ observe: { keys: 1 } }, 'observe.keys'],
  [{ observe: { values: true } }, 'observe'],
  [{ observe: null }, 'observe'],
  [{ logger: null }, 'logger'],
  [{ logger: 'console' }, 'logger'],
  [{ logger: { debug() {}, info() {}, warn() {} } }, 'logger.error'],
] as const)('%j is refused', ([options, argument]) => {
  const make = () => new ImmuClient(options as never);
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(expect.objectContaining({ argument }) as Error);
});
