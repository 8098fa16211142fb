// A connection, or a server, that goes away in the midst of an append: every commit in doubt is settled, nothing is lost or doubled.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { Postgres, describePostgres, sharedPostgres } from '../../support/postgres.js';
import { alh, closing, entry, event, refusal, rows } from '../support.js';
import { newPostgresStore } from './support.js';

/** Appends from several callers until told to stop; what was acknowledged, and what was not. */
function appending(store: PostgresRootStore, callers: number) {
  const acknowledged: string[] = [];
  const failed: unknown[] = [];
  const stop = new AbortController();
  const all = Array.from({ length: callers }, async (_, caller) => {
    for (let i = 0; !stop.signal.aborted; i++) {
      const detail = `${caller}-${i}`;
      try {
        await store.record(event(1n, { detail }));
        acknowledged.push(detail);
      } catch (error) {
        failed.push(error);
        return;
      }
    }
  });
  const end = async () => {
    stop.abort();
    await Promise.all(all);
  };
  return { acknowledged, failed, end };
}

async function assertOnce(store: PostgresRootStore, acknowledged: readonly string[]): Promise<void> {
  const details = (await rows(store)).map(({ detail }) => detail);
  expect(new Set(details).size).toBe(details.length);
  const written = new Set(details);
  expect(acknowledged.filter((detail) => !written.has(detail))).toEqual([]);
  expect(await store.audit.verify()).toMatchObject({ ok: true });
}

describePostgres('a connection that is cut in the midst of an append', () => {
  it('is made again, and each row is there once', async () => {
    const server = await sharedPostgres();
    const store = await newPostgresStore();
    const load = appending(store, 8);
    let cut = 0;
    for (let round = 0; round < 12; round++) {
      await sleep(20 + 13 * (round % 5));
      const ended = await server.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('immu-ts store', 'immu-ts questions')`,
      );
      cut += ended.length;
    }
    await load.end();
    expect(load.failed).toEqual([]);
    expect(cut).toBeGreaterThan(5);
    expect(load.acknowledged.length).toBeGreaterThan(3);
    await assertOnce(store, load.acknowledged);
    const { settled } = store.diagnostics;
    expect(settled.done + settled.sentAgain).toBeGreaterThan(0);
  });

  it.for([
    ['before its commit', 'BEFORE', 'ALONE'],
    ['before its commit, beside another writer', 'BEFORE', 'BESIDE'],
    ['after its commit, before it was told', 'AFTER', 'ALONE'],
    ['after its commit, before it was flushed beside another writer', 'AFTER', 'BESIDE'],
  ] as const)('%s: the caller is told what is true', async ([, when, beside]) => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const store = await newPostgresStore({ schema });
    await store.advance(null, entry(1n));
    const other = closing(await PostgresRootStore.open(server.url(), { schema }));
    // Who saw rows of others lets them in before its own are flushed.
    for (const writer of beside === 'BESIDE' ? [other, store] : []) await writer.record(event(1n));
    const before = beside === 'BESIDE' ? 3 : 1;
    // Somebody holds the log, so that the append waits; the flush behind it is what is cut in the other case.
    const lock = server.sql(`BEGIN; SELECT 1 FROM ${schema}.store FOR UPDATE; SELECT pg_sleep(0.4); COMMIT`);
    await sleep(100);
    const move = store.advance({ tx: 1n, alh: alh(1n) }, entry(2n));
    if (when === 'BEFORE') {
      await sleep(100);
      await server.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'`,
      );
    } else {
      await lock;
      await cutWhen(server, schema, before + 1);
    }
    await lock;
    expect(await move).toEqual({ moved: true });
    expect(await other.audit.roots().next()).toMatchObject({ done: false });
    expect((await rows(other)).map(({ tx }) => tx)).toEqual([
      ...Array.from({ length: before }, () => 1n),
      2n,
    ]);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: BigInt(before + 1) });
  });
});

/** Cuts the connections as soon as so many rows are there. */
async function cutWhen(server: Postgres, schema: string, count: number): Promise<void> {
  await server.sql(`DO $$ BEGIN
    FOR i IN 1..2000 LOOP
      EXIT WHEN (SELECT rows FROM ${schema}.store) >= ${count};
      PERFORM pg_sleep(0.001);
    END LOOP;
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'immu-ts store';
  END $$`);
}

describePostgres('a server that is killed', () => {
  it('comes back with every row that was acknowledged', async () => {
    const server = await Postgres.start();
    try {
      const store = closing(await PostgresRootStore.open(server.url(), { unavailableAfterMs: 60_000 }));
      const load = appending(store, 8);
      for (let round = 0; round < 3; round++) {
        await sleep(300);
        await server.kill();
        await server.startAgain();
      }
      await sleep(200);
      await load.end();
      expect(load.failed).toEqual([]);
      expect(load.acknowledged.length).toBeGreaterThan(20);
      await assertOnce(store, load.acknowledged);
      await store.close();
    } finally {
      await server.stop();
    }
  }, 120_000);

  it('is STORE_UNAVAILABLE while it is away, and answers afterwards', async () => {
    const server = await Postgres.start();
    try {
      const store = closing(await PostgresRootStore.open(server.url(), { unavailableAfterMs: 300 }));
      await store.advance(null, entry(1n));
      await server.kill();
      const errors = await Promise.all([
        refusal(store.record(event(1n))),
        refusal(store.head(entry(1n))),
        refusal(store.audit.verify()),
      ]);
      for (const error of errors) {
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
        expect(error.message).toContain('asked again when the server is back');
      }
      const open = PostgresRootStore.open(server.url(), { unavailableAfterMs: 200 });
      expect(await refusal(open)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await server.startAgain();
      expect(await store.record(event(1n))).toEqual({});
      expect(await store.audit.verify()).toMatchObject({ ok: true });
    } finally {
      await server.stop();
    }
  }, 60_000);
});
