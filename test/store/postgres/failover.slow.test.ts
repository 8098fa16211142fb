// A primary that is killed, and its synchronous standby promoted, again and again: no row that was acknowledged is missing.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { PostgresRootStore } from '#dist/store/postgres/postgres-root-store.js';
import { Postgres, describePostgres } from '../../support/postgres.js';
import { closing, event, rows } from '../support.js';

/** `FAILOVERS=20` for more than a look. */
const ROUNDS = Number(process.env['FAILOVERS'] ?? 3);
const WRITERS = 4;

describePostgres('a primary that is killed', () => {
  it(`${ROUNDS} times, with a synchronous standby that is promoted: 0 acknowledged rows missing`, async () => {
    const settled = { done: 0, sentAgain: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const primary = await Postgres.start();
      let standby: Postgres | undefined;
      try {
        standby = await primary.standby('second');
        await primary.set(`synchronous_standby_names = 'second'`);
        await until(async () => {
          const [found] = await primary.sql(`SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`);
          return found !== undefined;
        });
        const urls = [primary.url(), standby.url()];
        // The standby is the only one: once promoted it has none, and who asked for `sync` would be refused.
        const options = { unavailableAfterMs: 60_000 };
        const stores: PostgresRootStore[] = [];
        for (let i = 0; i < WRITERS; i++) stores.push(closing(await PostgresRootStore.open(urls, options)));
        const { storeId } = stores[0]!;
        const acknowledged: string[] = [];
        const stop = new AbortController();
        const writing = stores.map(async (store, writer) => {
          for (let i = 0; !stop.signal.aborted; i++) {
            await store.record(event(1n, { detail: `${writer}-${i}` }));
            acknowledged.push(`${writer}-${i}`);
          }
        });
        await sleep(700 + 130 * round);
        await primary.kill();
        await standby.promote();
        await sleep(500);
        stop.abort();
        await Promise.all(writing);
        for (const { diagnostics } of stores) {
          settled.done += diagnostics.settled.done;
          settled.sentAgain += diagnostics.settled.sentAgain;
        }
        await Promise.all(stores.map((store) => store.close()));
        const left = closing(await PostgresRootStore.open(standby.url(), { storeId, create: 'never' }));
        const details = (await rows(left)).map(({ detail }) => detail);
        const written = new Set(details);
        expect(acknowledged.length).toBeGreaterThan(WRITERS);
        expect(acknowledged.filter((detail) => !written.has(detail))).toEqual([]);
        expect(written.size).toBe(details.length);
        expect(await left.audit.verify()).toMatchObject({ ok: true });
        await left.close();
      } finally {
        await standby?.stop();
        await primary.stop();
      }
    }
    console.log(`${ROUNDS} failovers, commits that were not answered: ${JSON.stringify(settled)}`);
  }, 1_800_000);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50);
}
