// Rows that are durable but not yet moved to where the log is searched: seen by every reader, kept through a kill, checked
// like all others.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MemoryRootStore } from '#dist/store/memory/memory-root-store.js';
import type { AuditEntry, RootStore } from '#dist/store/root-store.js';
import { SqliteRootStore } from '#dist/store/sqlite/sqlite-root-store.js';
import { openArchive } from '#dist/store/archive.js';
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
  refusal,
  rows,
  toSchema,
} from './support.js';

describe('recent rows', () => {
  it('are in the log of whoever opens the store next', async () => {
    const path = await abandoned(300);
    expect([inTable(path, 'recent'), inTable(path, 'audit')]).toEqual([300, 0]);
    const store = await newStore(path);
    expect(await rows(store)).toHaveLength(300);
    expect(await store.head(KEY)).toEqual({ tx: 300n, alh: alh(300n) });
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 300n });
    expect([inTable(path, 'recent'), inTable(path, 'audit')]).toEqual([0, 300]);
  });

  it('are left behind by no store that was closed', async () => {
    const store = await newStore();
    await climb(store, 0, 5);
    expect(await store.head(KEY)).toEqual({ tx: 5n, alh: alh(5n) });
    // Nobody has looked at a row.
    expect(inTable(store.path, 'recent')).toBe(5);
    await store.close();
    expect([inTable(store.path, 'recent'), inTable(store.path, 'audit')]).toEqual([0, 5]);
  });

  it('are as many as a bound allows', async () => {
    const store = await newStore();
    const write = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => store.record(event(BigInt(i)))));
    for (let i = 0; i < 9; i++) {
      await write(1000);
      expect(inTable(store.path, 'recent')).toBeLessThan(5000);
    }
    expect(inTable(store.path, 'audit')).toBeGreaterThan(0);
    await write(1);
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 9001n });
  });

  it.each([
    ['changed', 5n, 'UPDATE recent SET calls = 9 WHERE seq = 5'],
    ['removed', 5n, 'DELETE FROM recent WHERE seq = 5'],
    ['removed at the end', 8n, 'DELETE FROM recent WHERE seq = 8'],
    [
      'brought back',
      9n,
      'INSERT INTO recent SELECT 9, kind, tx, alh, previous_tx, calls, header_time, signature, key_fingerprint, verified_at, duration_ms, client, detail, evidence_hash, hash FROM recent WHERE seq = 8',
    ],
  ])('are refused when one was %s', async (_how, seq, change) => {
    const path = await abandoned(8);
    edit(path, change);
    const error = await refusal(SqliteRootStore.open(path));
    expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
    expect(error.message).toContain(`row ${seq.toString()} `);
  });

  it('are seen by every reader, whoever wrote them', async () => {
    const path = join(await folder(), 'roots.db');
    const [a, b] = [await newStore(path), await newStore(path)];
    const memory = new MemoryRootStore();
    const all: RootStore[] = [a, b, memory];
    const write = async (store: RootStore, each: AuditEntry) => {
      const before = await memory.head(each);
      for (const to of [store, memory]) {
        if (each.outcome === 'root') expect(await to.advance(before, each)).toEqual({ moved: true });
        else if (each.outcome === 'forget') await to.forget(each);
        else await to.record(each);
      }
    };
    const texts = async (store: RootStore) =>
      (await rows(store, { outcome: 'all' })).map((row) => ({ ...row, hash: undefined }));
    let tx = 0n;
    for (const [i, read] of [2, 2, 0, 2, 1, 0, 2, 1, 2, 0, 1, 2].entries()) {
      const key = { ...KEY, database: `db-${i % 2}` };
      await write(i % 3 === 1 ? b : a, entry((tx += 1n), key));
      await write(i % 2 === 1 ? b : a, event(tx, { ...key, alh: alh(tx) }));
      if (i === 5) await write(b, entry(tx, { ...key, outcome: 'forget' }));
      const asked = all[read] ?? memory;
      expect(await asked.head(key)).toEqual(await memory.head(key));
      expect(await texts(asked)).toEqual(await texts(memory));
      expect(await asked.audit.stats()).toEqual(await memory.audit.stats());
    }
    for (const store of [a, b]) expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 25n });
  });

  it('tell of a root that contradicts one of them', async () => {
    const store = await newStore();
    await climb(store, 0, 3);
    const other = { tx: 2n, alh: alh(77n) };
    const outcome = await store.advance(null, entry(2n, other));
    const conflict = { seq: 2n, tx: 2n, alh: alh(2n), operation: 'verifiedSet', clientId: 'client-1' };
    expect(outcome).toMatchObject({ moved: false, conflict });
    expect(await store.record(event(3n))).toEqual({});
    expect(await store.record(event(2n, other))).toMatchObject({ conflict });
    const [fork, ...more] = await rows(store, { outcome: 'fork' });
    expect(more).toEqual([]);
    expect(fork?.evidence).toMatchObject({ check: 'log.fork' });
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 6n });
  });

  it('are seen while another process keeps the store locked', async () => {
    const path = await abandoned(300);
    const other = openSqlite(path);
    try {
      other.exec('BEGIN IMMEDIATE');
      const store = closing(await SqliteRootStore.open(path, { busyTimeoutMs: 0 }));
      expect((await rows(store)).map((row) => row.tx)).toEqual(
        Array.from({ length: 300 }, (_, i) => BigInt(i + 1)),
      );
      expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 300n });
      expect(await store.audit.databases()).toMatchObject([{ rows: 300, tx: { first: 1n, last: 300n } }]);
      expect(inTable(path, 'recent')).toBe(300);
      other.exec('COMMIT');
      expect(await rows(store)).toHaveLength(300);
      expect(inTable(path, 'recent')).toBe(0);
    } finally {
      other.close();
    }
  });

  it('survive a kill while 64 callers write, before and after many were moved', async () => {
    const path = join(await folder(), 'roots.db');
    const heads = new Map<string, bigint>();
    for (const lines of [200, 9000, 64]) {
      const burst = child('burst.mjs', path);
      await burst.printed(lines);
      burst.process.kill('SIGKILL');
      expect(await burst.gone).toEqual({ code: null, signal: 'SIGKILL' });
      for (const line of burst.lines) {
        // The last line may be cut off.
        const [, database, tx] = /^(db-\d+) (\d+)$/.exec(line) ?? [];
        if (database && tx && BigInt(tx) > (heads.get(database) ?? 0n)) heads.set(database, BigInt(tx));
      }
      const store = await newStore(path);
      expect(await store.audit.verify()).toMatchObject({ ok: true });
      for (const [database, tx] of heads) {
        const key = { ...KEY, database };
        const head = await store.head(key);
        // What was not acknowledged may be there or not; then the lines begin anew from it.
        expect(head!.tx).toBeGreaterThanOrEqual(tx);
        const moves = await rows(store, key);
        expect(moves.map((row) => row.tx)).toEqual(moves.map((_, i) => BigInt(i + 1)));
        expect(moves.at(-1)?.tx).toBe(head!.tx);
      }
      await store.close();
    }
    expect(heads.size).toBe(64);
  });
});

describe('files of a release before', () => {
  it.each([1, 2] as const)('are brought up to date when they are opened: schema %i', async (version) => {
    const store = await newStore();
    await climb(store, 0, 5);
    await store.close();
    toSchema(store.path, version);
    const again = await newStore(store.path);
    await again.advance({ tx: 5n, alh: alh(5n) }, entry(6n));
    expect(await again.audit.verify()).toMatchObject({ ok: true, rows: 6n });
  });

  it.each([1, 2] as const)('are read as archives: schema %i', async (version) => {
    const store = await newStore();
    await climb(store, 0, 5);
    const path = join(await folder(), 'old.archive');
    await store.audit.archive({ path, through: 3n });
    toSchema(path, version);
    const archive = closing(await openArchive(path));
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 3n });
    expect(await rows(archive)).toHaveLength(3);
  });
});
