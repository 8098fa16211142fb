// Recent rows of a store that is only looked at: they cannot be moved there, and are shown, searched and checked like all
// others, be they left by a process that was killed or written meanwhile.
import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteRootStore } from '#dist/index.js';
import { openForReading } from '#dist/audit.js';
import type { RootsQuery } from '#dist/index.js';
import type { ReadStore } from '#dist/audit.js';
import { openSqlite } from '#dist/sqlite/open.js';
import {
  KEY,
  abandoned,
  alh,
  child,
  climb,
  closing,
  edit,
  entry,
  event,
  folder,
  inTable,
  newStore,
  rows,
  toSchema,
} from './support.js';

const opened = async (path: string): Promise<ReadStore> => closing(await openForReading(path));
const upTo = (last: number, ...without: bigint[]) =>
  Array.from({ length: last }, (_, i) => BigInt(i + 1)).filter((seq) => !without.includes(seq));
const seqs = async (store: ReadStore, query: RootsQuery = { outcome: 'all' }) =>
  (await rows(store, query)).map(({ seq }) => seq);

/** The bytes of a store's files, shared memory apart. */
async function digests(path: string): Promise<readonly string[]> {
  const files = [path, `${path}-wal`, `${path}.id`];
  return Promise.all(
    files.map(async (file) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    ),
  );
}

/** Answers to every kind of question about a log. */
async function answers({ audit }: Pick<ReadStore, 'audit'>) {
  const last = (await audit.latest()) ?? entry(1n);
  const time = last.verifiedAt;
  const queries: RootsQuery[] = [
    { outcome: 'all' },
    { order: 'desc', limit: 700 },
    { outcome: 'all', after: 250n, limit: 20 },
    { database: 'db-3', order: 'desc' },
    { txRange: { from: 5n, to: 9n }, outcome: 'all' },
    { txRange: { from: 3n, to: last.tx }, outcome: 'all', order: 'desc' },
    { timeRange: { from: time - 300, to: time + 300 }, outcome: 'all' },
    { timeRange: { from: 0, to: time }, operation: 'verifiedSet', order: 'desc', limit: 600 },
  ];
  const pages = [];
  for (const query of queries) pages.push(await rows({ audit }, query));
  return {
    pages,
    rows: [await audit.row(1n), await audit.row(300n), await audit.row(1_000_000n)],
    latest: [last, await audit.latest({ database: 'db-1' }), await audit.latest({ server: 'nobody' })],
    rootAt: await Promise.all(
      [1n, 7n, 1_000_000n].map((tx) => audit.rootAt(tx, { ...KEY, database: last.database })),
    ),
    conflict: await audit.conflict({
      server: last.server,
      database: last.database,
      tx: last.tx,
      alh: alh(9n, 7),
    }),
    stats: [
      await audit.stats(),
      await audit.stats({ bucket: 'hour', database: 'db-2' }),
      await audit.stats({ txRange: { from: 2n, to: 5n } }),
      await audit.stats({ timeRange: { from: time - 5, to: time } }),
    ],
    databases: await audit.databases(),
    gaps: await audit.gaps(),
    verdict: await audit.verify(),
  };
}

describe('recent rows of a store that is only looked at', () => {
  it('are shown when its process was killed: every acknowledged row, and nothing is changed', async () => {
    const path = join(await folder(), 'roots.db');
    const burst = child('burst.mjs', path);
    await burst.printed(500);
    burst.process.kill('SIGKILL');
    await burst.gone;
    const pending = inTable(path, 'recent');
    expect(pending).toBeGreaterThan(0);
    const before = await digests(path);
    const store = await opened(path);
    expect(await store.damage()).toEqual([]);
    const shown = new Set((await rows(store)).map((row) => `${row.database} ${row.tx.toString()}`));
    // The last line may be cut off.
    const acknowledged = burst.lines.filter((line) => /^db-\d+ \d+$/.test(line)).slice(0, -1);
    expect(acknowledged.length).toBeGreaterThanOrEqual(499);
    expect(acknowledged.filter((line) => !shown.has(line))).toEqual([]);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: BigInt(shown.size) });
    await store.close();
    expect(await digests(path)).toEqual(before);
    expect(inTable(path, 'recent')).toBe(pending);
  });

  it('give the answers that they give once they were moved', async () => {
    const path = join(await folder(), 'roots.db');
    const store = await newStore(path);
    let row = 0;
    const write = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () => {
          const i = row++;
          const key = { ...KEY, database: `db-${i % 5}` };
          const fields = { ...key, verifiedAt: 1_700_000_000_000 + ((i * 37) % 900) * 20_000 };
          return store.record(
            event(BigInt(i % 11) + 1n, { ...fields, durationMs: i / 8, outcome: 'rollback' }),
          );
        }),
      );
    await climb(store, 0, 200);
    await write(700);
    // They are moved when someone looks.
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    await write(1000);
    for (let tx = 201n; tx <= 300n; tx++) await store.advance({ tx: tx - 1n, alh: alh(tx - 1n) }, entry(tx));
    await store.advance(null, entry(4n, { database: 'db-1' }));
    const copied = join(await folder(), 'copy.db');
    for (const end of ['', '-wal', '.id']) await copyFile(`${path}${end}`, `${copied}${end}`);
    expect([inTable(copied, 'audit'), inTable(copied, 'recent')]).toEqual([900, 1101]);
    const looking = await answers(await opened(copied));
    expect(inTable(copied, 'recent')).toBe(1101);
    expect(looking.verdict).toMatchObject({ ok: true, rows: 2001n });
    expect(looking).toEqual(await answers(await newStore(copied)));
    expect(inTable(copied, 'recent')).toBe(0);
  });

  it.each([
    ['changed', 'UPDATE recent SET calls = 9 WHERE seq = 5', 5n, 'the row was changed', []],
    ['removed', 'DELETE FROM recent WHERE seq = 5', 5n, 'the row is missing', [5n]],
    ['removed at the end', 'DELETE FROM recent WHERE seq = 8', 8n, 'the newest rows', [8n]],
    ['given what is never written', 'UPDATE recent SET client = 77 WHERE seq = 5', 5n, 'never written', [5n]],
  ] as const)('are checked: one was %s', async (_how, change, seq, words, gone) => {
    const path = await abandoned(8);
    edit(path, change);
    const store = await opened(path);
    const finding = expect.stringContaining(words) as string;
    expect(await store.damage()).toContainEqual({ seq, finding });
    expect(await seqs(store)).toEqual(upTo(8, ...gone));
    expect(await store.audit.verify()).toMatchObject({ ok: false, seq, finding });
  });

  it('are checked: one that was moved is there again', async () => {
    const store = await newStore();
    await climb(store, 0, 8);
    await store.close();
    edit(store.path, 'INSERT INTO recent SELECT * FROM audit WHERE seq = 6');
    const twice = { seq: 6n, finding: 'the row is there twice' };
    const reading = await opened(store.path);
    expect(await reading.damage()).toContainEqual(twice);
    expect(await reading.audit.verify()).toMatchObject({ ok: false, ...twice });
    await expect(SqliteRootStore.open(store.path)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining('row 6 of the audit log: the row is there twice') as string,
    });
  });

  it('are shown as they come and are moved by the process that writes', async () => {
    const live = await newStore();
    const store = await opened(live.path);
    expect(await seqs(store)).toEqual([]);
    await climb(live, 0, 3);
    expect(await seqs(store)).toEqual(upTo(3));
    expect(inTable(live.path, 'recent')).toBe(3);
    expect(await rows(live)).toHaveLength(3);
    expect(inTable(live.path, 'recent')).toBe(0);
    await live.advance({ tx: 3n, alh: alh(3n) }, entry(4n));
    expect(await seqs(store)).toEqual(upTo(4));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 4n });
  });

  it.each([1, 2] as const)(
    'are none in a store of schema %i, before it is brought up to date',
    async (version) => {
      const made = await newStore();
      await climb(made, 0, 5);
      await made.close();
      toSchema(made.path, version);
      const store = await opened(made.path);
      expect(await store.damage()).toEqual([]);
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 5n });
      expect(await store.audit.databases()).toMatchObject([{ rows: 5, head: { tx: 5n } }]);
      const live = await newStore(made.path);
      await live.advance({ tx: 5n, alh: alh(5n) }, entry(6n));
      expect(await seqs(store)).toEqual(upTo(6));
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 6n });
    },
  );

  it('are seen where nothing may be written at all', async () => {
    const path = await abandoned(5);
    const db = openSqlite(path);
    // What a copy on a read-only medium is: one file, no write-ahead log.
    db.pragma('journal_mode = DELETE');
    db.close();
    const store = await opened(path);
    expect(await seqs(store)).toEqual(upTo(5));
  });
});
