// What a question reads of a long log: the rows that it answers with, and not all, whatever the server's planner knows of the tables.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describePostgres, sharedPostgres } from '../../support/postgres.js';
import { KEY, climb, event, rows } from '../support.js';
import { newPostgresStore } from './support.js';

const ROWS = 6000;
/** A server counts what was read once a second. */
const COUNTED_MS = 1100;

describePostgres('a question to a log whose length the server knows', () => {
  it('reads the rows that it answers with', async () => {
    const server = await sharedPostgres();
    const schema = server.newSchema();
    const store = await newPostgresStore({ schema });
    await climb(store, 0, 8);
    await Promise.all(Array.from({ length: ROWS }, () => store.record(event(3n))));
    await climb(store, 8, 9);
    await server.sql(`SET search_path = ${schema}; ANALYZE`);
    const ask = async () => {
      expect(await rows(store, { ...KEY, txRange: { from: 9n, to: 9n } })).toHaveLength(1);
      expect(await rows(store, { limit: 10, order: 'desc' })).toHaveLength(10);
    };
    const read = async () => {
      await sleep(COUNTED_MS);
      // With it goes what was counted before.
      await ask();
      const [sum] = await server.sql<{ rows: string }>(
        `SELECT sum(idx_tup_read) AS rows FROM pg_stat_all_indexes WHERE schemaname = '${schema}' AND relname = 'audit'`,
      );
      return Number(sum?.rows);
    };
    await ask();
    const before = await read();
    await ask();
    const more = (await read()) - before;
    expect(more).toBeGreaterThan(0);
    expect(more).toBeLessThan(ROWS / 10);
  });
});
