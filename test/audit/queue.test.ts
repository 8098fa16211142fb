// Workers of an audit in ranges that come and go: one report, whoever did what.
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ArgumentError, ImmuError, StoreError, VerificationError } from '#dist/index.js';
import type { ImmuClient } from '#dist/index.js';
import { SqliteAuditQueue, joinReports, rangesOf, workRanges } from '#dist/audit.js';
import type { AuditTask, RangeLease, SignedRangeReport } from '#dist/audit.js';
import { temporaryFolder } from '../cli/run.js';
import { rejection } from '../trust/support.js';
import { clientOf, stage, write } from './support.js';
import { timeless } from './timeless.js';

const KEY = generateKeyPairSync('ed25519').privateKey;

async function queueOf(client: ImmuClient, count: number) {
  const { tx, alh } = await client.verifiedState();
  const path = join(await temporaryFolder(), 'queue.db');
  const task: AuditTask = {
    ...{ database: client.databaseName, under: { tx, alh }, values: false, maxFindings: 100 },
  };
  const queue = await SqliteAuditQueue.make(path, task, rangesOf(1n, tx, count));
  onTestFinished(() => queue.close());
  return { queue, path, task };
}

const leased = async (queue: SqliteAuditQueue, leaseMs = 60_000): Promise<RangeLease> => {
  const lease = await queue.lease('w', leaseMs);
  if (typeof lease === 'string') throw new Error(lease);
  return lease;
};
describe('workers', () => {
  test('several at once do each range once, and one report comes of it', async () => {
    const { client, ledger } = await stage({ txs: 60 });
    const { queue, path, task } = await queueOf(client, 9);
    const clients = [client, clientOf(ledger).client, clientOf(ledger).client];
    const outcomes = await Promise.all(
      clients.map(async ({ audit }) => {
        await using own = await SqliteAuditQueue.open(path);
        return await workRanges(audit, own, { key: KEY });
      }),
    );
    expect(outcomes.reduce((sum, { ranges }) => sum + ranges, 0)).toBe(9);
    const joined = joinReports(await queue.reports(), { under: task.under, keys: [KEY] });
    expect(timeless(joined)).toEqual(timeless(await client.audit.database()));
  });

  test('a lease is renewed while it is worked on, and a worker that was overtaken drops its range', async () => {
    const { client } = await stage({ txs: 40 });
    const { queue, task } = await queueOf(client, 1);
    let calls = 0;
    const slow = {
      range: async (options: Parameters<typeof client.audit.range>[0]) => {
        calls++;
        await delay(600);
        return client.audit.range(options);
      },
    };
    const working = workRanges(slow, queue, { key: KEY, leaseMs: 300 });
    await delay(450);
    expect(await queue.lease('another', 1000)).toBe('later');
    expect(await working).toEqual({ ranges: 1, overtaken: 0, givenBack: [] });
    expect(calls).toBe(1);

    const second = await queueOf(client, 1);
    const renew = second.queue.renew.bind(second.queue);
    // As if its machine had slept.
    second.queue.renew = async (lease, ms) => {
      await delay(400);
      return renew(lease, ms);
    };
    const overtaken = workRanges(slow, second.queue, { key: KEY, leaseMs: 300 });
    await delay(350);
    const lease = await leased(second.queue);
    const report = await client.audit.range({ first: 1n, last: 40n, under: task.under, key: KEY });
    expect(await second.queue.finish(lease, report)).toBe(true);
    expect(await overtaken).toMatchObject({ ranges: 0, overtaken: 1 });
    expect(await second.queue.reports()).toEqual([report]);
  });

  test('a server that is away: the range is given back, and done when it is there again', async () => {
    const { client } = await stage({ txs: 8 });
    const { queue, task } = await queueOf(client, 2);
    let fails = 2;
    const flaky = {
      range: (options: Parameters<typeof client.audit.range>[0]): Promise<SignedRangeReport> => {
        if (fails-- > 0) return Promise.reject(new ImmuError('UNAVAILABLE', 'nobody there'));
        return client.audit.range(options);
      },
    };
    expect(await workRanges(flaky, queue, { key: KEY })).toEqual({
      ...{ ranges: 2, overtaken: 0 },
      givenBack: ['UNAVAILABLE: nobody there', 'UNAVAILABLE: nobody there'],
    });
    expect(joinReports(await queue.reports(), { under: task.under, keys: [KEY] }).ok).toBe(true);
  });

  test('ends when it is told to, and says so to the queue; another database is refused', async () => {
    const { client } = await stage({ txs: 8 });
    const { queue } = await queueOf(client, 1);
    const stop = new AbortController();
    const hanging = {
      range: async ({ signal }: { signal?: AbortSignal }): Promise<SignedRangeReport> => {
        stop.abort();
        await delay(10_000, undefined, signal ? { signal } : {});
        throw new Error('not aborted');
      },
    };
    await expect(workRanges(hanging, queue, { key: KEY, signal: stop.signal })).rejects.toThrow();
    expect((await leased(queue)).first).toBe(1n);
    const other = await queueOf(client, 1);
    const wrong = {
      range: async (options: Parameters<typeof client.audit.range>[0]) => {
        const signed = await client.audit.range(options);
        return { ...signed, report: { ...signed.report, database: 'another' } };
      },
    };
    expect(await rejection(workRanges(wrong, other.queue, { key: KEY }))).toMatchObject({
      argument: 'queue',
    });
    for (const [argument, options] of [
      ['key', {}],
      ['leaseMs', { key: KEY, leaseMs: 1 }],
      ['worker', { key: KEY, worker: '' }],
      ['options', { key: KEY, lease: 1 }],
    ] as const)
      expect(await rejection(workRanges(client.audit, other.queue, options as never))).toMatchObject({
        argument,
      });
  });
});

describe('a worker that cannot do it', () => {
  const root = { server: 's', database: 'd', check: 'c' };
  test.for<[string, Error]>([
    ['has another history', new VerificationError('FORK_DETECTED', 'it is another', root)],
    ['has a store that fails', new StoreError('STORE_FAILED', 'the disk is full')],
    ['has a server that lags behind', new ArgumentError('under', 'under is beyond it')],
  ])('%s: it ends, and the range is as if it had not been tried', async ([, error]) => {
    const { client } = await stage({ txs: 8 });
    const { queue } = await queueOf(client, 2);
    const bad = { range: () => Promise.reject<SignedRangeReport>(error) };
    // More often than a range may be tried.
    for (let i = 0; i < 25; i++) expect(await rejection(workRanges(bad, queue, { key: KEY }))).toBe(error);
    expect(await workRanges(client.audit, queue, { key: KEY })).toMatchObject({ ranges: 2, givenBack: [] });
  });

  test('is of another history: its own log has the fork, and others do the work', async () => {
    const { client } = await stage({ txs: 8 });
    const { queue } = await queueOf(client, 2);
    const other = await stage({ txs: 0 });
    await other.client.set('another', 'beginning');
    await write(other.client, 12);
    expect(await rejection(workRanges(other.client.audit, queue, { key: KEY }))).toMatchObject({
      code: 'FORK_DETECTED',
    });
    expect(await workRanges(client.audit, queue, { key: KEY })).toMatchObject({ ranges: 2 });
  });

  test('is slow to hear from its queue: it does not ask more than once at a time', async () => {
    const { client } = await stage({ txs: 8 });
    const { queue } = await queueOf(client, 1);
    let asking = 0;
    let most = 0;
    queue.renew = async () => {
      most = Math.max(most, ++asking);
      await delay(250);
      asking--;
      return true;
    };
    const slow = {
      range: async (options: Parameters<typeof client.audit.range>[0]) => {
        await delay(600);
        return client.audit.range(options);
      },
    };
    expect(await workRanges(slow, queue, { key: KEY, leaseMs: 150 })).toMatchObject({ ranges: 1 });
    expect(most).toBe(1);
  });
});
