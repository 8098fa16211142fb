// Logs of any size in PostgreSQL for its bench: the first rows by the store itself, so that all names are there, the others by the
// server, in bulk. They are as the store's own in size, order, bounds and sums; only their chain of hashes is none.
import { performance } from 'node:perf_hooks';
import type { PostgresRootStore } from '#dist/postgres.js';
import type { Postgres } from '../../test/support/postgres-server.js';
import { SPAN_MS, START, operationOf, rootEntry } from './store-rows.js';

/** Rows that the store writes: every operation and client is among them. */
const FIRST = 4096;
/** Rows of one statement: of the largest blocks of bounds. */
const AT_ONCE = 1_048_576;

/** Fills a store that is empty, in the schema that it has. */
export async function fillPostgresLog(
  server: Postgres,
  store: PostgresRootStore,
  schema: string,
  rows: number,
): Promise<void> {
  const start = performance.now();
  const moves = Array.from({ length: Math.min(FIRST, rows) }, (_, i) =>
    store.advance(i === 0 ? null : rootEntry(i - 1, rows), rootEntry(i, rows)),
  );
  for (const { moved } of await Promise.all(moves)) if (!moved) throw new Error('the head did not move');
  const set = `SET search_path = ${schema}; SET synchronous_commit = off;`;
  for (let from = FIRST; from < rows; from += AT_ONCE - (from % AT_ONCE)) {
    const to = Math.min(from + AT_ONCE - (from % AT_ONCE), rows);
    await server.sql(`${set} ${INSERT(from, to, rows)}; SELECT fill_blocks(${from + 1}, ${to})::text`);
  }
  if (rows > FIRST)
    await server.sql(`${set} UPDATE store SET (rows, hash) = (SELECT seq, hash FROM audit WHERE seq = ${rows});
      UPDATE head SET (tx, alh) = (SELECT tx, alh FROM audit WHERE seq = ${rows})`);
  // As a server does by itself in the end.
  for (const table of ['audit', 'zone', 'hour', 'kind', 'ledger', 'client'])
    await server.sql(`VACUUM ANALYZE ${schema}.${table}`);
  await server.sql('CHECKPOINT');
  console.log(`${rows} rows made in ${((performance.now() - start) / 1000).toFixed(0)} s`);
}

const KIND = (operation: string) => `(SELECT id FROM kind WHERE operation = '${operation}')`;
const OPERATIONS = [77, 7, 3, 0].map(operationOf);

/** Rows `from` to `to` of {@link rootEntry}. */
function INSERT(from: number, to: number, rows: number): string {
  const [seldom = '', some = '', many = '', most = ''] = OPERATIONS;
  return `INSERT INTO audit (seq, tx, previous_tx, calls, header_time, verified_at, duration_ms, kind, client, alh, hash)
    SELECT i + 1, i + 1, i, 1 + i % 3, ${Math.floor(START / 1000)},
      ${START} + i * ${SPAN_MS} / ${rows} + (i * 7919) % 4000, 1 + (i % 1000) / 64.0,
      CASE WHEN i % 100000 = 77 THEN ${KIND(seldom)} WHEN i % 50 = 7 THEN ${KIND(some)}
        WHEN i % 5 = 3 THEN ${KIND(many)} ELSE ${KIND(most)} END,
      (SELECT min(id) FROM client) + i % 16, sha256(int8send(i)), sha256(int8send(i + 1))
    FROM generate_series(${from}::int8, ${to - 1}::int8) i ORDER BY i`;
}
