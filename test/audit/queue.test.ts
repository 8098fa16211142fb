// The queue of an audit in ranges: leases that run out, workers that come and go, one report whoever did what.
import { generateKeyPairSync } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ImmuError, StoreError } from '#dist/index.js';
import type { ImmuClient } from '#dist/index.js';
import { SqliteAuditQueue, joinReports, rangesOf, workRanges } from '#dist/audit.js';
import type { AuditTask, DatabaseReport, RangeLease, SignedRangeReport } from '#dist/audit.js';
import { temporaryFolder } from '../cli/run.js';
import { rejection } from '../trust/support.js';
import { clientOf, stage } from './support.js';

/** What depends on when, and in which cuts, it was looked at. */
const TIMES = ['startedAt', 'durationMs', 'bytes', 'txsPerSecond', 'entriesPerSecond', 'resume'];
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
function timeless(report: DatabaseReport): object {
  return Object.fromEntries(Object.entries(report).filter(([name]) => !TIMES.includes(name)));
}

describe('a queue', () => {
  test('hands out each range once, and again when its lease has run out, was given back, or not again when it is done', async () => {
    const { client } = await stage({ txs: 12 });
    const { queue, path, task } = await queueOf(client, 3);
    expect(await queue.task()).toEqual(task);
    expect((await stat(path)).mode & 0o077).toBe(0);
    const other = await SqliteAuditQueue.open(path);
    onTestFinished(() => other.close());
    const [a, b, c] = [await leased(queue), await leased(other, 150), await leased(queue)];
    expect([a.first, b.first, c.first]).toEqual([1n, 5n, 9n]);
    expect(await queue.lease('w', 1000)).toBe('later');
    expect(await queue.status()).toMatchObject({ ranges: 3, done: 0, leased: 3, givenUp: [] });
    await delay(200);
    const again = await leased(queue);
    expect(again.first).toBe(5n);
    // The first one is late.
    const report = await client.audit.range({ first: 5n, last: 8n, under: task.under, key: KEY });
    expect(await other.renew(b, 1000)).toBe(false);
    expect(await other.finish(b, report)).toBe(false);
    expect(await queue.renew(again, 60_000)).toBe(true);
    expect(await queue.finish(again, report)).toBe(true);
    expect(await queue.finish(again, report)).toBe(false);
    await queue.giveBack(a, 'no server');
    expect((await leased(other)).first).toBe(1n);
    expect(await other.reports()).toEqual([report]);
    expect(await queue.status()).toMatchObject({ done: 1, leased: 2 });
  });

  test('gives a range up that was tried often enough, and says why', async () => {
    const { client } = await stage({ txs: 4 });
    const { queue } = await queueOf(client, 1);
    for (let i = 0; i < 4; i++) await queue.giveBack(await leased(queue), `for the ${i}th time`);
    expect(await queue.lease('w', 1000)).toBe('over');
    expect((await queue.status()).givenUp).toEqual([{ first: 1n, last: 4n, why: 'for the 3th time' }]);
  });

  test('is made in a new file only, and opened only where one was made', async () => {
    const { client } = await stage({ txs: 4 });
    const { path, task } = await queueOf(client, 1);
    const folder = await temporaryFolder();
    expect(await rejection(SqliteAuditQueue.make(path, task, rangesOf(1n, 4n, 1)))).toMatchObject({
      code: 'EEXIST',
    });
    expect(await rejection(SqliteAuditQueue.make(join(folder, 'q'), task, []))).toMatchObject({
      argument: 'ranges',
    });
    expect(await rejection(SqliteAuditQueue.open(join(folder, 'none')))).toMatchObject({
      code: 'STORE_MISSING',
    });
    for (const bytes of [
      'no queue at all, whatever it is, and longer than a header of SQLite would be: '.repeat(9),
      '',
    ]) {
      const other = join(folder, `other${bytes.length}`);
      await writeFile(other, bytes);
      const error = await rejection(SqliteAuditQueue.open(other));
      expect(error).toBeInstanceOf(StoreError);
      expect(error.code).toBe('STORE_FOREIGN');
    }
  });
});

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
