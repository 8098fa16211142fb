// Pages and figures of a log of three levels of blocks, clocks out of order: the same rows as a plain filter gives.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditEntry, AuditRow, RootsQuery } from '#dist/index.js';
import { SqliteRootStore } from '#dist/index.js';
import { matcher } from '#dist/store/log/audit-query.js';
import { LogWriter } from '#dist/store/sqlite/log/log-writer.js';
import { openStore } from '#dist/store/sqlite/file/open.js';
import { Zones } from '#dist/store/sqlite/tables/zones.js';
import { closing, entry, event, folder, rows } from './support.js';

/** More than one block of 16 384 rows, and blocks of 256 behind it, and rows behind these. */
const ROWS = 2 * 16_384 + 3 * 256 + 17;
const T0 = 1_700_000_000_000;
const HOUR = 3_600_000;

function entryAt(i: number): AuditEntry {
  // Clocks go up on the whole, by a second a row; they are noisy, one goes wrong, and one stretch is years ago.
  let verifiedAt = T0 + i * 1000 + ((i * 7919) % 5000);
  if (i % 4001 === 17) verifiedAt += 30 * HOUR;
  if (i > 9000 && i < 9300) verifiedAt -= 20_000 * HOUR;
  const database = i % 3 === 0 ? 'other' : 'defaultdb';
  const operation = i % 9973 === 5 ? 'rare' : i % 31 === 3 ? 'verifiedScan' : 'verifiedGet';
  const tx = BigInt(Math.floor(i / 2) + (i % 500 === 9 ? 5000 : 0));
  const fields = { database, operation, verifiedAt, durationMs: i % 13, calls: i % 4 };
  return i % 1111 === 7 ? event(tx, { ...fields, outcome: 'failure' }) : event(tx, fields);
}

async function filled(): Promise<{ path: string; all: AuditRow[] }> {
  const path = join(await folder(), 'roots.db');
  const { db, log } = openStore(path, { create: 'if-new', busyTimeoutMs: 0 });
  const writer = new LogWriter(log);
  const entries = Array.from({ length: ROWS }, (_, i) => entryAt(i));
  db.transaction(() => {
    writer.begin();
    for (const each of entries) writer.append(each);
    writer.finish();
  })();
  db.close();
  const all = entries.map((each, i) => ({ ...each, seq: BigInt(i + 1), hash: new Uint8Array(0) }));
  return { path, all };
}

const within = <T>(value: fc.Arbitrary<T>) =>
  fc.record({ from: fc.option(value, { nil: undefined }), to: fc.option(value, { nil: undefined }) });
const time = fc.integer({ min: T0 - 3 * HOUR, max: T0 + ROWS * 1000 + 40 * HOUR });
const tx = fc.bigInt(0n, BigInt((ROWS / 2 + 6000) | 0));
const query = fc.record(
  {
    database: fc.constantFrom('defaultdb', 'other', 'nowhere'),
    operation: fc.constantFrom('verifiedGet', 'verifiedScan', 'rare', 'never'),
    outcome: fc.constantFrom('calls' as const, 'failure' as const, 'all' as const),
    timeRange: within(time),
    txRange: within(tx),
    order: fc.constantFrom('asc' as const, 'desc' as const),
    after: fc.bigInt(0n, BigInt(ROWS + 300)),
    limit: fc.constantFrom(1, 7, 100, 600),
  },
  { requiredKeys: ['limit'] },
);

/** Without what is undefined: a query has no such fields. */
function plain(given: object): RootsQuery {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]: [string, unknown]) => [
        key,
        typeof value === 'object' && value !== null ? plain(value) : value,
      ]),
  );
}

it('gives the rows and figures that a plain filter gives, before and behind archived rows', async () => {
  const { path, all } = await filled();
  const store = closing(await SqliteRootStore.open(path));
  let first = 1n;
  const check = (runs: number) =>
    fc.assert(
      fc.asyncProperty(query, async (given) => {
        const asked = plain(given);
        const { order, after, limit = 0, ...filter } = asked;
        const matching = all.filter((row) => row.seq >= first && matcher(filter)(row));
        const ordered = order === 'desc' ? matching.toReversed() : matching;
        const behind = ordered.filter(
          ({ seq }) => after === undefined || (order === 'desc' ? seq < after : seq > after),
        );
        const found = (await rows(store, asked)).filter(({ outcome }) => outcome !== 'archive');
        expect(
          found.map(({ seq }) => seq),
          inspect(asked),
        ).toEqual(
          behind
            .slice(0, limit)
            .map(({ seq }) => seq)
            .slice(0, found.length),
        );
        // A page of everything may have ended with the row about the archive.
        expect(found.length, inspect(asked)).toBeGreaterThanOrEqual(Math.min(limit, behind.length) - 1);
        const figures = await store.audit.stats({
          ...plain(filter),
          outcome: filter.outcome ?? ['calls', 'failure'],
        });
        const own = filter.outcome === 'all' && matchesOwn(filter) && first > 1n ? 1 : 0;
        const count = figures.reduce((sum, bucket) => sum + bucket.rows, 0);
        expect([matching.length, matching.length + own], inspect(asked)).toContain(count);
        const calls = matching.reduce((sum, row) => sum + row.calls, 0);
        expect(
          figures.reduce((sum, bucket) => sum + bucket.calls, 0),
          inspect(asked),
        ).toBe(calls);
      }),
      { numRuns: runs },
    );
  await check(150);
  expect(await store.audit.verify()).toMatchObject({ ok: true });
  const archive = join(await folder(), 'old.db');
  await store.audit.archive({ path: archive, through: 20_001n });
  first = 20_002n;
  await check(100);
  expect(await store.audit.verify()).toMatchObject({ ok: true });
  await rm(archive);
}, 120_000);

function matchesOwn({ database, operation }: RootsQuery): boolean {
  return database === undefined && operation === undefined;
}

it('finds bounds of larger blocks that do not cover the smaller ones', async () => {
  const { path } = await filled();
  const { db, log } = openStore(path, { create: 'never', busyTimeoutMs: 10_000 });
  const zones = new Zones(log.statements);
  expect(zones.areNested(BigInt(ROWS))).toBe(true);
  const store = closing(await SqliteRootStore.open(path));
  for (const change of [
    'UPDATE zone SET time_max = time_max - 40000000 WHERE level = 1 AND kind = 1 AND number = 1',
    'DELETE FROM zone WHERE level = 1 AND kind = 1 AND number = 1',
  ]) {
    db.exec('SAVEPOINT changed');
    db.exec(change);
    expect(zones.areNested(BigInt(ROWS)), change).toBe(false);
    db.exec('ROLLBACK TO changed');
    db.exec('RELEASE changed');
  }
  db.exec('UPDATE zone SET tx_min = tx_min + 1 WHERE level = 1');
  db.close();
  expect(await store.audit.verify()).toMatchObject({ ok: false, seq: BigInt(ROWS) });
}, 60_000);

it('takes as many kinds as there are, in either order', async () => {
  const store = closing(await SqliteRootStore.open(join(await folder(), 'roots.db')));
  await Promise.all(
    Array.from({ length: 3000 }, (_, i) => store.record(event(BigInt(i), { database: `db-${i % 300}` }))),
  );
  const seqs = Array.from({ length: 3000 }, (_, i) => BigInt(i + 1));
  expect((await rows(store)).map(({ seq }) => seq)).toEqual(seqs);
  expect((await rows(store, { order: 'desc' })).map(({ seq }) => seq)).toEqual(seqs.toReversed());
  const { verifiedAt } = entry(2990n);
  const late = await rows(store, { timeRange: { from: verifiedAt }, order: 'desc', limit: 5 });
  expect(late.map(({ seq }) => seq)).toEqual([3000n, 2999n, 2998n, 2997n, 2996n]);
});
