// Sums of calls: all of them, of every kind and outcome, and before their callers go on; and nothing is told of each while nobody
// asks for that.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { ImmuClient, MemoryRootStore } from '#dist/index.js';
import type { CallsEvent } from '#dist/index.js';
import { CallSums } from '#dist/client/watch/call-sums.js';
import { Watch } from '#dist/client/watch/watch.js';
import { EmbeddedLedger } from '#dist/testing.js';
import { USER, rejection } from '../../trust/support.js';
import { hear } from './support.js';

async function open(): Promise<{ client: ImmuClient; ledger: EmbeddedLedger; clientId: string }> {
  const ledger = await EmbeddedLedger.start();
  const clientId = randomUUID();
  const { address } = ledger;
  const client = new ImmuClient({ address, store: new MemoryRootStore(), credentials: USER, clientId });
  onTestFinished(async () => {
    await client.close();
    await ledger.close();
  });
  return { client, ledger, clientId };
}

/** Calls by what they are and how they ended, with their entries. */
function told(events: readonly CallsEvent[]): Record<string, [calls: number, entries: number]> {
  const sums: Record<string, [number, number]> = {};
  for (const { operation, verified, ended } of events)
    for (const { code, calls, entries } of ended) {
      const sum = (sums[`${operation} ${verified ? 'verified ' : ''}${code}`] ??= [0, 0]);
      sum[0] += calls;
      sum[1] += entries;
    }
  return sums;
}

test.for([
  { names: ['immu-ts:calls'], how: 'alone' },
  { names: ['immu-ts:calls', 'immu-ts:call'], how: 'beside each call' },
] as const)('all calls are in the sums, $how', async ({ names }) => {
  const { client, ledger, clientId } = await open();
  const heard = hear(clientId, names);
  const keys = Array.from({ length: 200 }, (_, i) => `key/${i}`);
  await client.verifiedSetAll(keys.map((key) => [key, 'value'] as const));
  await client.verifiedGet('none');
  heard.all.length = 0;

  await Promise.all(keys.map((key) => client.verifiedGet(key)));
  const gets = heard.of('immu-ts:calls');
  expect(told(gets)).toEqual({ 'verifiedGet verified OK': [200, 200] });
  expect(gets.reduce((sum, { began }) => sum + began, 0)).toBe(200);
  expect(gets.length).toBeLessThan(20);
  for (const { ended, address, database } of gets) {
    expect({ address, database }).toEqual({ address: ledger.address, database: 'defaultdb' });
    for (const { longestMs } of ended) expect(longestMs).toBeGreaterThan(0);
  }

  heard.all.length = 0;
  await client.get('key/1');
  await client.verifiedGetAll(['key/1', 'none', 'key/2']);
  await client.health();
  await rejection(client.useDatabase('nosuchdatabase'));
  const aborted = { signal: AbortSignal.abort() };
  await rejection(client.verifiedGet('key/1', aborted));
  const events = heard.of('immu-ts:calls');
  expect(told(events)).toEqual({
    'Get OK': [1, 0],
    'verifiedGetAll verified OK': [1, 2],
    'Health OK': [1, 0],
    'useDatabase DATABASE_NOT_FOUND': [1, 0],
    'verifiedGet verified ABORTED': [1, 0],
  });
  expect(events.reduce((sum, { began }) => sum + began, 0)).toBe(5);
  expect(heard.of('immu-ts:call').length).toBe(names.length === 1 ? 0 : 5);
});

test('the longest of those that ended together is told, by kind and code, once', async () => {
  const watch = new Watch({ client: 'sums', address: 'a', keys: false });
  const heard: CallsEvent[] = [];
  watch.listen(['immu-ts:calls'], (_name, event) => heard.push(event as CallsEvent));
  const sums = new CallSums(watch, { load: { calls: 0, bytes: 0, waiting: 0 } });
  const [one, other] = [
    { verified: true, database: 'one' },
    { verified: true, database: 'other' },
  ];
  const now = performance.now();
  for (const ms of [10, 5000, 20]) sums.ends('get', one, 'OK', now - ms, 1);
  sums.ends('get', one, 'ABORTED', now - 1000, 0);
  sums.begins('get', other);
  expect(heard).toEqual([]);
  await Promise.resolve();
  expect(heard.map(({ database, began, ended }) => [database, began, ended.length])).toEqual([
    ['one', 0, 2],
    ['other', 1, 0],
  ]);
  const [ok, aborted] = heard[0]!.ended;
  expect(ok).toMatchObject({ code: 'OK', calls: 3, entries: 3 });
  expect([Math.floor(ok!.longestMs / 1000), Math.floor(aborted!.longestMs / 1000)]).toEqual([5, 1]);
  sums.begins('get', one);
  await Promise.resolve();
  expect(heard[2]).toMatchObject({ database: 'one', began: 1, ended: [] });
});

test('a call that cannot begin is counted too', async () => {
  const ledger = await EmbeddedLedger.start();
  const clientId = randomUUID();
  const client = new ImmuClient({
    ...{ address: ledger.address, store: new MemoryRootStore(), credentials: USER, clientId },
    ...{ maxQueuedCalls: 1, overload: 'fail' },
  });
  onTestFinished(async () => {
    await client.close();
    await ledger.close();
  });
  await client.warm();
  const heard = hear(clientId, ['immu-ts:calls']);
  const both = await Promise.allSettled([client.verifiedGet('a'), client.verifiedGet('b')]);
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(told(heard.of('immu-ts:calls'))).toEqual({
    'verifiedGet verified OK': [1, 0],
    'verifiedGet verified QUEUE_FULL': [1, 0],
  });
});
