// Durable head moves by many callers: what the store bench and the one of drivers measure.
import { performance } from 'node:perf_hooks';
import type { RootStore, StoredRoot } from '#dist/index.js';
import { KEY, rootEntry } from './store-rows.js';

/** Rows that the clocks of the entries are spread over. */
const ROWS = 10_000;

/** Durable head moves per second, and what each costs, by so many callers, each with a head of its own. What is written is made before. */
export async function appendsPerSecond(
  store: RootStore,
  callers: number,
  each: number,
  round: number,
): Promise<{ rate: number; cpuMicros: number }> {
  const all = Array.from({ length: callers }, (_, caller) => {
    const key = { ...KEY, database: `db-${callers}-${round}-${caller}` };
    return Array.from({ length: each }, (_, i) => rootEntry(i, ROWS, key));
  });
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(
    all.map(async (entries) => {
      let head: StoredRoot | null = null;
      for (const entry of entries) {
        const { moved } = await store.advance(head, entry);
        if (!moved) throw new Error('the head did not move');
        head = entry;
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  const rows = callers * each;
  return { rate: rows / ((performance.now() - start) / 1000), cpuMicros: (user + system) / rows };
}
