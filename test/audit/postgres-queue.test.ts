// A queue in PostgreSQL whose connections, or whose server, go away; which URLs it takes; and what it never tells.
import { generateKeyPairSync } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
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
    const over = new AbortController();
    const cutting = (async () => {
      let cut = 0;
      for (let i = 0; i < 25 && !over.signal.aborted; i++) {
        await delay(50 + Math.random() * 150);
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
    over.abort();
    expect(await cutting).toBeGreaterThan(1);
    expect(outcomes.every(({ givenBack }) => givenBack.length === 0)).toBe(true);
    const found = await believedReports(queue, ranges, task, [KEY]);
    expect(found).toMatchObject({ missing: 0, refused: [] });
    const joined = joinReports(found!.reports, { under: task.under, keys: [KEY] });
    expect(joined).toMatchObject({ ok: true, complete: true, checked: { txs: 120 } });
  }, 120_000);

  test('behind a commit whose answer is lost: what was done is done once, and is known', async () => {
    const server = await Postgres.start();
    try {
      const queue = closing(await PostgresAuditQueue.make(server.url(), TASK, rangesOf(1n, 40n, 2)));
      /** A commit waits for a standby that there is none of; its connection is cut when it is done here. */
      const inDoubt = async <T>(work: () => Promise<T>): Promise<T> => {
        await settle(server, 'nobody');
        const answer = work();
        while ((await server.sql(`${CUT} AND wait_event = 'SyncRep'`)).length === 0) await delay(20);
        await settle(server, '');
        return answer;
      };
      const lease = await inDoubt(() => leased(queue));
      expect(await queue.status()).toMatchObject({ leased: 1 });
      const report = signed(reportOf(lease));
      expect(await inDoubt(() => queue.finish(lease, report))).toBe(true);
      expect(await queue.reports()).toEqual([report]);
      const next = await leased(queue);
      await inDoubt(() => queue.giveBack(next, 'no server'));
      // Told twice, it counts once.
      for (let i = 0; i < 3; i++) await queue.giveBack(await leased(queue), 'no server');
      expect((await queue.status()).givenUp).toHaveLength(1);
    } finally {
      await server.stop();
    }
  }, 120_000);
});

describePostgres('a connection that is lost on the way, and not for the server', () => {
  test('what it does later on is found', async () => {
    const server = await Postgres.start();
    const here = new Set<Socket>();
    // What comes to an end on this side goes on on the other.
    const way = createServer((socket) => {
      here.add(socket);
      const on = connect(server.port, '127.0.0.1');
      socket.on('data', (bytes) => on.write(bytes));
      on.on('data', (bytes) => !socket.destroyed && socket.write(bytes));
      for (const each of [socket, on]) each.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
    const { port } = way.address() as AddressInfo;
    try {
      const url = server.url().replace(String(server.port), String(port));
      const queue = closing(await PostgresAuditQueue.make(url, TASK, rangesOf(1n, 40n, 3)));
      await settle(server, 'nobody');
      const leasing = leased(queue);
      await waits(server, 'SyncRep');
      for (const socket of here) socket.destroy();
      // The second time it waits for what the first time is still at.
      await waits(server, 'transactionid');
      await settle(server, '');
      expect(await leasing).toMatchObject({ first: 1n });
      expect(await queue.status()).toMatchObject({ leased: 1 });
    } finally {
      way.close();
      for (const socket of here) socket.destroy();
      await server.stop();
    }
  }, 60_000);
});

async function waits(server: Postgres, event: string): Promise<void> {
  const waiting = `SELECT pid FROM pg_stat_activity WHERE application_name = 'immu-ts audit' AND wait_event = $1`;
  while ((await server.sql(waiting, [event])).length === 0) await delay(20);
}

/** Every session has it from then on. */
async function settle(server: Postgres, standbys: string): Promise<void> {
  await server.set(`synchronous_standby_names = '${standbys}'`);
  for (;;) {
    const [found] = await server.sql('SHOW synchronous_standby_names');
    if (found?.['synchronous_standby_names'] === standbys) break;
    await delay(20);
  }
  // The connections that are there look at it between two statements.
  await delay(300);
}

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
