// A queue in PostgreSQL whose connections, or whose server, go away; which URLs it takes; and what it never tells.
import { generateKeyPairSync } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { believedReports, joinReports, rangesOf, workRanges } from '#dist/audit.js';
import { PostgresAuditQueue } from '#dist/postgres.js';
import type { PostgresQueueOptions } from '#dist/postgres.js';
import { TASK, closing, leased, reportOf, signed } from '../contract/queue/open-queue.js';
import { refusal } from '../store/support.js';
import { Postgres, describePostgres, sharedPostgres } from '../support/postgres.js';
import { clientOf, stage } from './support.js';

const KEY = generateKeyPairSync('ed25519').privateKey;
const WHOLE = [{ first: 1n, last: 40n }];
const brief = { unavailableAfterMs: 300 };

async function made(options: PostgresQueueOptions = {}) {
  const server = await sharedPostgres();
  const schema = server.newSchema();
  const queue = closing(await PostgresAuditQueue.make(server.url(), TASK, WHOLE, { schema, ...options }));
  const open = async () => closing(await PostgresAuditQueue.open(server.url(), { schema, ...options }));
  return { server, schema, queue, open };
}

const CUT = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'immu-ts audit'`;

describePostgres('connections that are cut time and again', () => {
  test('are made again: each range is reported once, and one report comes of it', async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const { client, ledger } = await stage({ txs: 120 });
    const { tx, alh } = await client.verifiedState();
    const task = { database: client.databaseName, under: { tx, alh }, values: false, maxFindings: 100 };
    const ranges = rangesOf(1n, tx, 60);
    await using queue = await PostgresAuditQueue.make(server.url(), task, ranges, { schema });
    let isOver = false;
    const cutting = (async () => {
      let cut = 0;
      while (!isOver) {
        await delay(20 + Math.random() * 60);
        cut += (await server.sql(CUT)).length;
      }
      return cut;
    })();
    const clients = [client, clientOf(ledger).client, clientOf(ledger).client];
    const outcomes = await Promise.all(
      clients.map(async ({ audit }) => {
        await using own = await PostgresAuditQueue.open(server.url(), { schema });
        // A lease whose answer was lost is somebody's until it runs out.
        return await workRanges(audit, own, { key: KEY, leaseMs: 500 });
      }),
    );
    isOver = true;
    expect(await cutting).toBeGreaterThan(3);
    expect(outcomes.every(({ givenBack }) => givenBack.length === 0)).toBe(true);
    const found = await believedReports(queue, ranges, task, [KEY]);
    expect(found).toMatchObject({ missing: 0, refused: [] });
    const joined = joinReports(found!.reports, { under: task.under, keys: [KEY] });
    expect(joined).toMatchObject({ ok: true, complete: true, checked: { txs: 120 } });
  }, 60_000);

  test('behind a commit whose answer was lost: what was done is done once, and is known', async () => {
    const { server, schema, queue } = await made();
    const cutAfter = async <T>(work: Promise<T>, when: string): Promise<T> => {
      const cut = server.sql(`DO $$ BEGIN
        FOR i IN 1..3000 LOOP
          EXIT WHEN EXISTS (SELECT 1 FROM ${schema}.audit_range WHERE ${when});
          PERFORM pg_sleep(0.001);
        END LOOP;
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'immu-ts audit';
      END $$`);
      const [answer] = await Promise.all([work, cut]);
      return answer;
    };
    const lease = await cutAfter(leased(queue), 'token IS NOT NULL');
    expect(await cutAfter(queue.renew(lease, 90_000), 'until > 0')).toBe(true);
    const report = signed(reportOf(lease));
    expect(await cutAfter(queue.finish(lease, report), 'report IS NOT NULL')).toBe(true);
    expect(await queue.reports()).toEqual([report]);
  });
});

describePostgres('a server that is killed', () => {
  test('is STORE_UNAVAILABLE while it is away, and has every lease and report when it is back', async () => {
    const server = await Postgres.start();
    try {
      const ranges = rangesOf(1n, 40n, 3);
      const queue = closing(await PostgresAuditQueue.make(server.url(), TASK, ranges, brief));
      const [done, held] = [await leased(queue), await leased(queue)];
      const report = signed(reportOf(done));
      expect(await queue.finish(done, report)).toBe(true);
      await server.kill();
      for (const asked of [
        queue.lease('w', 1000),
        queue.renew(held, 1000),
        queue.status(),
        queue.handedIn(0n),
      ]) {
        const error = await refusal(asked);
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
        expect(error.message).toContain('the queue of the audit postgres://127.0.0.1');
      }
      const opening = PostgresAuditQueue.open(server.url(), brief);
      expect(await refusal(opening)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await server.startAgain();
      expect(await queue.status()).toEqual({ ranges: 3, done: 1, leased: 1, givenUp: [] });
      expect(await queue.renew(held, 1000)).toBe(true);
      expect(await queue.reports()).toEqual([report]);
    } finally {
      await server.stop();
    }
  }, 60_000);

  test('with fsync = off is refused', async () => {
    const server = await Postgres.start(['fsync = off']);
    try {
      const error = await refusal(PostgresAuditQueue.make(server.url(), TASK, WHOLE));
      expect(error).toMatchObject({ code: 'STORE_FAILED' });
      expect(error.message).toContain('the queue of the audit');
    } finally {
      await server.stop();
    }
  }, 60_000);
});

describePostgres('a schema', () => {
  test('may be there already, of a role that may make none; rights that are missing are no damage', async () => {
    const server = await sharedPostgres();
    await server.sql(
      'CREATE ROLE worker LOGIN; CREATE SCHEMA "user" AUTHORIZATION worker; CREATE SCHEMA barred',
    );
    const url = server.url().replace('postgres@', 'worker@');
    const queue = closing(await PostgresAuditQueue.make(url, TASK, WHOLE, { schema: 'user' }));
    expect(await leased(queue)).toMatchObject(WHOLE[0]!);
    for (const schema of ['barred', 'made'])
      expect(await refusal(PostgresAuditQueue.make(url, TASK, WHOLE, { schema }))).toMatchObject({
        code: 'STORE_FAILED',
      });
    await queue.remove();
    const again = closing(await PostgresAuditQueue.make(url, TASK, WHOLE, { schema: 'user' }));
    expect(await again.status()).toMatchObject({ ranges: 1 });
  });

  test('that is dropped meanwhile is missing, and nothing is made in its place', async () => {
    const { server, schema, queue, open } = await made();
    await server.sql(`DROP SCHEMA ${schema} CASCADE`);
    expect(await refusal(queue.lease('w', 1000))).toMatchObject({ code: 'STORE_MISSING' });
    expect(await refusal(open())).toMatchObject({ code: 'STORE_MISSING' });
  });

  test('with the ranges of an audit that was half removed takes the next', async () => {
    const { server, schema } = await made();
    await server.sql(`DELETE FROM ${schema}.audit_task`);
    const queue = closing(await PostgresAuditQueue.make(server.url(), TASK, WHOLE, { schema }));
    expect(await server.sql(`SELECT audit FROM ${schema}.audit_range`)).toHaveLength(1);
    expect(await queue.status()).toMatchObject({ ranges: 1 });
  });
});

describePostgres('what it is told', () => {
  test.for([
    ['url', 'mysql://a:hidden@h/d', {}],
    ['url', 'postgres://a:hidden@h/d?durability=sync', {}],
    ['url', `postgres://a:hidden@h/d?storeId=${'0'.repeat(32)}`, {}],
    ['schema', 'postgres://a:hidden@h/d?schema=one', { schema: 'two' }],
    ['schema', 'postgres://a:hidden@h/d', { schema: 'pg_x' }],
    ['answerTimeoutMs', 'postgres://a:hidden@h/d', { answerTimeoutMs: 0 }],
    ['unavailableAfterMs', 'postgres://a:hidden@h/d', { unavailableAfterMs: -1 }],
    ['options', 'postgres://a:hidden@h/d', { retries: 3 }],
  ] as const)('makes sense, or is refused: %s', async ([argument, url, options]) => {
    for (const error of [
      await refusal(PostgresAuditQueue.make(url, TASK, WHOLE, options as PostgresQueueOptions)),
      await refusal(PostgresAuditQueue.open(url, options as PostgresQueueOptions)),
    ]) {
      expect(error).toMatchObject({ argument });
      expect(error.message).not.toContain('hidden');
    }
  });

  test('of a password it says nothing', async () => {
    const error = await refusal(PostgresAuditQueue.open('postgres://u:hidden@127.0.0.1:1/d', brief));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(error.message).not.toContain('hidden');
  });
});
