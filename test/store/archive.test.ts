// Archives: rows leave the log whole, both parts hold by themselves and together, and nothing is lost on the way.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryRootStore, SqliteRootStore } from '#dist/index.js';
import { openArchive, verifyCheckpoint } from '#dist/audit.js';
import type { AuditLog, AuditRow } from '#dist/index.js';
import type { AuditArchive } from '#dist/audit.js';
import { archiveRows } from '#dist/store/sqlite/file/archive-job.js';
import type { ArchiveStage } from '#dist/store/sqlite/file/archive-job.js';
import { LogWriter } from '#dist/store/sqlite/log/log-writer.js';
import { openStore } from '#dist/store/sqlite/file/open.js';
import { openSqlite } from '#dist/sqlite/open.js';
import {
  KEY,
  alh,
  child,
  climb,
  closing,
  edit,
  execute,
  entry,
  event,
  folder,
  newStore,
  refusal,
  rows,
} from './support.js';

const HOUR = 3_600_000;
const T0 = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
const root = (tx: bigint) => ({ tx, alh: alh(tx) });

/** A log of `count` root rows, a second apart, every seventh with an event that has evidence behind it. */
async function filled(count: number, path?: string): Promise<SqliteRootStore> {
  const store = await newStore(path);
  await store.bindIdentity('a:1', KEY.server);
  const job = new Uint8Array(300);
  const writes: Promise<unknown>[] = [];
  for (let tx = 1n; tx <= BigInt(count); tx++) {
    const fields = { verifiedAt: T0 + Number(tx) * 1000 };
    writes.push(store.advance(tx === 1n ? null : root(tx - 1n), entry(tx, fields)));
    if (tx % 7n === 0n) {
      writes.push(store.record(event(tx, { ...fields, outcome: 'failure', evidence: { check: 'c', job } })));
    }
  }
  await Promise.all(writes);
  return store;
}

async function opened(path: string): Promise<AuditArchive> {
  return closing(await openArchive(path));
}

async function allRows(log: { readonly audit: AuditLog }): Promise<AuditRow[]> {
  return rows(log, { outcome: 'all' });
}

describe('archiving', () => {
  it('moves the oldest rows, as they are, and both parts hold alone and together', async () => {
    const store = await filled(100);
    const before = await allRows(store);
    const stats = (await store.audit.stats({ bucket: 'hour' })).filter(
      ({ from }) => from < Date.now() - HOUR,
    );
    const path = join(await folder(), 'old.db');
    const info = await store.audit.archive({ path, through: 60n });
    expect(info).toMatchObject({ path, firstSeq: 1n, lastSeq: 60n, lastHash: before[59]?.hash });
    expect(await store.audit.archives()).toEqual([info]);

    const live = await allRows(store);
    expect(live.slice(0, -1)).toEqual(before.slice(60));
    expect(live.at(-1)).toMatchObject({
      outcome: 'archive',
      tx: 60n,
      previousTx: 0n,
      detail: 'rows 1 to 60',
    });
    const archive = await opened(path);
    expect(await allRows(archive)).toEqual(before.slice(0, 60));
    expect(archive).toMatchObject({
      firstSeq: 1n,
      lastSeq: 60n,
      lastHash: info!.lastHash,
      startHash: info!.startHash,
    });

    const end = { seq: archive.lastSeq, hash: archive.lastHash };
    expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: 60n, lastHash: end.hash });
    expect(await store.audit.verify({ startsAfter: end })).toMatchObject({ ok: true, startsAfter: end });
    const elsewhere = await store.audit.verify({ startsAfter: { ...end, hash: new Uint8Array(32) } });
    expect(elsewhere).toMatchObject({ ok: false, seq: 61n });

    // What is archived is not counted, what is trusted stays.
    const [known] = await store.audit.databases();
    expect(known).toMatchObject({ ...KEY, rows: before.length - 60, head: root(100n) });
    expect(await archive.audit.databases()).toMatchObject([{ ...KEY, rows: 59 }]);

    // The log goes on, and opens again.
    expect(await store.head(KEY)).toEqual(root(100n));
    await store.advance(root(100n), entry(101n));
    await store.close();
    const again = await newStore(store.path);
    expect(await again.audit.verify({ startsAfter: end })).toMatchObject({ ok: true });
    expect(await again.identity('a:1')).toBe(KEY.server);
    // Figures of the two are those of the whole.
    const parts = await Promise.all(
      [archive, again].map(({ audit }) => audit.stats({ bucket: 'hour', timeRange: { to: T0 + HOUR } })),
    );
    const sum = parts.flat().reduce((total, bucket) => total + bucket.rows, 0);
    // And the row that moved the head since.
    expect(sum).toBe(stats.reduce((total, bucket) => total + bucket.rows, 0) + 1);
  });

  it('can be done again and again; each part begins where the one before ends', async () => {
    const store = await filled(700);
    const before = await allRows(store);
    const paths = [1, 2, 3].map((part) => join(dirname(store.path), `part-${part}.db`));
    await store.audit.archive({ path: paths[0]!, through: 100n });
    await store.audit.archive({ path: paths[1]!, through: 101n });
    await store.audit.archive({ path: paths[2]!, through: 600n });
    const parts = await Promise.all(paths.map(opened));
    const archived = (await Promise.all(parts.map(allRows))).flat();
    const live = await allRows(store);
    const whole = [...archived, ...live].filter(({ outcome }) => outcome !== 'archive');
    expect(whole).toEqual(before);
    let end = { seq: 0n, hash: parts[0]!.startHash };
    for (const part of [...parts, store]) {
      const verdict = await part.audit.verify({ startsAfter: end });
      expect(verdict).toMatchObject({ ok: true, startsAfter: end });
      if (verdict.ok) end = { seq: end.seq + verdict.rows, hash: verdict.lastHash };
    }
    expect((await parts[2]!.audit.archives()).map(({ lastSeq }) => lastSeq)).toEqual([100n, 101n]);
  });

  it.each([
    ['keepRows', { keepRows: 20 }, 95n],
    ['before', { before: T0 + 51_000 }, 57n],
    ['through', { through: 7n }, 7n],
    ['through more than there is', { through: 10_000n }, 115n],
    ['keepRows: 0', { keepRows: 0 }, 115n],
    ['before all of it', { before: T0 }, null],
    ['keepRows of more than there is', { keepRows: 1000 }, null],
  ])('cuts where it is told: %s', async (_what, cut, lastSeq) => {
    // The row that binds the identity has the time of now: none of them is before it.
    const store = await newStore();
    for (let tx = 1n; tx <= 100n; tx++) {
      const fields = { verifiedAt: T0 + Number(tx) * 1000 };
      void store.advance(tx === 1n ? null : root(tx - 1n), entry(tx, fields));
      if (tx % 7n === 0n) void store.record(event(tx, fields));
      if (tx === 100n) await store.record(event(tx, fields));
    }
    const path = join(await folder(), 'old.db');
    const info = await store.audit.archive({ path, ...cut });
    expect(info?.lastSeq ?? null).toBe(lastSeq);
    expect(existsSync(path)).toBe(lastSeq !== null);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
    expect(await store.head(KEY)).toEqual(root(100n));
  });

  it('does not split rows whose clocks are out of order: all before the first that is to stay', async () => {
    const store = await newStore();
    const times = [5, 1, 9, 3, 2, 11];
    for (const time of times) await store.record(event(1n, { verifiedAt: T0 + time }));
    const info = await store.audit.archive({ path: join(await folder(), 'old.db'), before: T0 + 6 });
    expect(info?.lastSeq).toBe(2n);
  });

  it('keeps trust that rests on archived rows', async () => {
    const store = await newStore();
    await climb(store, 0, 3);
    await store.advance(null, entry(8n, { database: 'quiet' }));
    await store.advance(null, entry(9n, { database: 'forgotten' }));
    await store.forget(entry(9n, { database: 'forgotten', outcome: 'forget' }));
    await store.bindIdentity('a:1', 'one');
    await store.audit.archive({ path: join(await folder(), 'old.db'), keepRows: 0 });
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 1n });
    expect(await store.audit.latest()).toBeNull();
    expect(await store.audit.gaps()).toEqual([]);
    await store.close();
    const again = await newStore(store.path);
    expect(await again.head({ ...KEY, database: 'quiet' })).toEqual(root(8n));
    expect(await again.head({ ...KEY, database: 'forgotten' })).toBeNull();
    expect(await again.identity('a:1')).toBe('one');
    expect(await again.advance(root(3n), entry(4n))).toEqual({ moved: true });
    const gaps = await again.audit.gaps();
    expect(gaps.filter(({ kind }) => kind !== 'clock')).toEqual([]);
    expect((await again.audit.verify()).ok).toBe(true);
    await again.close();
    for (const change of [
      'UPDATE head SET tx = 5 WHERE alh = (SELECT max(alh) FROM head)',
      "UPDATE identity SET server = 'mine'",
      "UPDATE store SET base_hash = x'00'",
      'UPDATE store SET base_seq = base_seq + 1',
      'UPDATE store SET base_checkpoint = NULL',
    ]) {
      const path = join(await folder(), 'roots.db');
      await copyFile(store.path, path);
      edit(path, change);
      expect(await refusal(SqliteRootStore.open(path)), change).toMatchObject({ code: 'STORE_DAMAGED' });
    }
  });

  it('finds a beginning that was edited so that it holds by itself', async () => {
    const store = await filled(20);
    await store.audit.archive({ path: join(await folder(), 'old.db'), through: 10n });
    await store.close();
    const db = openSqlite(store.path);
    const bytes = db.prepare('SELECT base_checkpoint FROM store').pluck().get() as Buffer;
    // The time of the checkpoint, which nothing but the row about the archive covers.
    bytes[18 + 1 + 16 + 8 + 32 + 7]! ^= 1;
    db.prepare('UPDATE store SET base_checkpoint = ?').run(bytes);
    db.close();
    const verdict = await (await newStore(store.path)).audit.verify();
    expect(verdict).toMatchObject({ ok: false });
    expect(verdict.ok ? '' : verdict.finding).toContain('does not begin');
  });

  it('takes checkpoints along, makes one at the cut, and tells where an older one belongs', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const path = join(await folder(), 'roots.db');
    const checkpoints = { everyRows: 10, key: privateKey };
    const store = closing(await SqliteRootStore.open(path, { checkpoints }));
    await climb(store, 0, 45);
    const [first] = await store.audit.checkpoints();
    const old = join(await folder(), 'old.db');
    await store.audit.archive({ path: old, through: 25n });
    const kept = await store.audit.checkpoints();
    expect(kept.map(({ seq }) => seq)).toEqual([25n, 30n, 40n]);
    for (const made of kept) expect(verifyCheckpoint(made, publicKey).ok).toBe(true);
    expect(await refusal(store.audit.verify({ checkpoint: first! }))).toMatchObject({
      argument: 'checkpoint',
    });
    expect(await store.audit.verify({ checkpoint: kept[0]! })).toMatchObject({ ok: true, checkpoints: 3 });
    const archive = await opened(old);
    expect((await archive.audit.checkpoints()).map(({ seq }) => seq)).toEqual([10n, 20n]);
    for (const checkpoint of [first!, kept[0]!]) {
      expect(await archive.audit.verify({ checkpoint })).toMatchObject({ ok: true, checkpoints: 2 });
    }
  });

  it('gives room back, and goes on writing meanwhile', async () => {
    const store = await filled(6000);
    const size = async () => {
      const db = openSqlite(store.path);
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      return (await stat(store.path)).size;
    };
    const full = await size();
    const order: string[] = [];
    const archived = store.audit
      .archive({ path: join(await folder(), 'old.db'), keepRows: 100 })
      .finally(() => order.push('archived'));
    await store.advance(root(6000n), entry(6001n)).then(() => order.push('written'));
    await archived;
    expect(order).toEqual(['written', 'archived']);
    expect(await size()).toBeLessThan(full / 4);
    expect(await store.head(KEY)).toEqual(root(6001n));
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  it('begins when what was asked for with it has been written', async () => {
    const store = await filled(5);
    const path = join(await folder(), 'old.db');
    const [, info] = await Promise.all([
      store.advance({ tx: 5n, alh: alh(5n) }, entry(6n)),
      store.audit.archive({ path, keepRows: 1 }),
      store.advance({ tx: 6n, alh: alh(6n) }, entry(7n)),
    ]);
    expect(info).toMatchObject({ firstSeq: 1n, lastSeq: 7n });
    await store.close();
    const again = await newStore(store.path);
    expect((await again.head(KEY))?.tx).toBe(7n);
    expect(await again.audit.verify()).toMatchObject({ ok: true, rows: 2n });
  });

  it('lets one of two at once in a store win, and refuses the other', async () => {
    const store = await filled(50);
    const paths = [join(await folder(), 'a.db'), join(await folder(), 'b.db')];
    const results = await Promise.allSettled(
      paths.map((path) => store.audit.archive({ path, through: 20n })),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'STORE_FAILED' } });
    // Two stores of one file, as in two processes: one archive has the rows, the other is not left behind.
    const other = await newStore(store.path);
    const again = [join(await folder(), 'c.db'), join(await folder(), 'd.db')];
    const both = await Promise.allSettled([
      store.audit.archive({ path: again[0]!, through: 40n }),
      other.audit.archive({ path: again[1]!, through: 40n }),
    ]);
    const won = both.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    expect(again.filter((path) => existsSync(path))).toHaveLength(1);
    expect((await store.audit.archives()).map(({ lastSeq }) => lastSeq)).toEqual([20n, 40n]);
    expect(await store.audit.verify()).toMatchObject({ ok: true });
  });

  it('refuses what makes no sense', async () => {
    const store = await filled(5);
    const path = join(await folder(), 'old.db');
    const bad: [string, unknown][] = [
      ['options', null],
      ['path', {}],
      ['path', { path: ':memory:', keepRows: 1 }],
      ['options', { path }],
      ['options', { path, keepRows: 1, through: 1n }],
      ['keepRows', { path, keepRows: -1 }],
      ['before', { path, before: '2024' }],
      ['through', { path, through: 5 }],
    ];
    for (const [argument, options] of bad) {
      expect(await refusal(store.audit.archive(options as never))).toMatchObject({ argument });
    }
    const memory = new MemoryRootStore();
    const refused = await refusal(memory.audit.archive({ path, keepRows: 1 }));
    expect(refused).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
    expect(refused.message).toContain('memory');
    expect(await memory.audit.archives()).toEqual([]);
  });
});

describe('an archive that cannot be made', () => {
  it.each<[string, string, (path: string, store: SqliteRootStore) => unknown]>([
    [
      'there is another file',
      'STORE_DAMAGED',
      (path) => writeFile(path, 'text that is no database'.repeat(99)),
    ],
    ['there is an empty file', 'STORE_DAMAGED', (path) => writeFile(path, '')],
    [
      'there is a database',
      'STORE_FOREIGN',
      (path) => {
        execute(path, 'CREATE TABLE x (y)');
      },
    ],
    ['there is a store', 'STORE_FOREIGN', async (path) => (await newStore(path)).close()],
    ['it would be over the log', 'STORE_FOREIGN', (path, store) => copyFile(store.path, path)],
    [
      'there is an archive of another store',
      'STORE_FOREIGN',
      async (path) => (await filled(9)).audit.archive({ path, through: 4n }),
    ],
    ['there is no folder', 'STORE_FAILED', (path) => rm(dirname(path), { recursive: true })],
    [
      'rows were edited',
      'STORE_DAMAGED',
      (_path, store) => edit(store.path, 'UPDATE audit SET calls = 9 WHERE seq = 5'),
    ],
    [
      'rows were removed',
      'STORE_DAMAGED',
      (_path, store) => edit(store.path, 'DELETE FROM audit WHERE seq = 5'),
    ],
  ])('leaves the log as it is: %s', async (_what, code, prepare) => {
    const store = await filled(50);
    const path = join(await folder(), 'old.db');
    await prepare(path, store);
    const before = await allRows(store);
    expect(await refusal(store.audit.archive({ path, through: 20n }))).toMatchObject({
      name: 'StoreError',
      code,
    });
    expect(await allRows(store)).toEqual(before);
    expect(await store.audit.archives()).toEqual([]);
    expect(existsSync(`${path}.draft`)).toBe(false);
    expect(await store.advance(root(50n), entry(51n))).toEqual({ moved: true });
  });
});

describe('room that cannot be freed', () => {
  it('costs no row: the archive stays, for the log begins behind it', async () => {
    const store = await filled(60);
    const before = await allRows(store);
    await store.close();
    const path = join(await folder(), 'old.db');
    const { db, log } = openStore(store.path, { create: 'never', busyTimeoutMs: 100 });
    const full = Object.assign(new Error('no space left'), { code: 'SQLITE_FULL' });
    const pause = (stage: ArchiveStage) => (stage === 'free' ? Promise.reject(full) : Promise.resolve());
    const job = { db, log, writer: new LogWriter(log), path: store.path, key: undefined, pause };
    for (let attempt = 0; attempt < 2; attempt++) {
      const error = await refusal(archiveRows(job, { path, through: 40n }));
      expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED', cause: full });
      expect(error.message).toContain(`rows 1 to 40 are in the archive ${path}`);
    }
    db.close();
    const again = await newStore(store.path);
    expect(await again.audit.archive({ path, through: 40n })).toMatchObject({ lastSeq: 40n });
    const whole = [...(await allRows(await opened(path))), ...(await allRows(again))];
    expect(whole.filter(({ outcome }) => outcome !== 'archive')).toEqual(before);
  });
});

describe('opening an archive', () => {
  async function archived(): Promise<string> {
    const store = await filled(400);
    const path = join(await folder(), 'old.db');
    await store.audit.archive({ path, through: 300n });
    return path;
  }

  it('only reads', async () => {
    const path = await archived();
    const archive = await opened(path);
    expect(await archive.audit.row(1n)).toMatchObject({ outcome: 'identity' });
    expect((await archive.audit.latest(KEY))?.seq).toBe(300n);
    expect(await archive.audit.row(301n)).toBeNull();
    expect(await archive.audit.stats()).toHaveLength(1);
    for (const refused of [
      archive.audit.checkpoint(),
      archive.audit.archive({ path: `${path}.2`, keepRows: 1 }),
    ]) {
      expect(await refusal(refused)).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
    }
    expect(await refusal(SqliteRootStore.open(path))).toMatchObject({ code: 'STORE_FOREIGN' });
    await archive.close();
    expect(await refusal(archive.audit.verify())).toMatchObject({ code: 'CLOSED' });
    expect(await readdir(dirname(path))).toEqual(['old.db']);
  });

  it.each<[string, string, (path: string) => unknown]>([
    ['missing', 'STORE_MISSING', (path) => rm(path)],
    ['empty', 'STORE_DAMAGED', (path) => truncate(path, 0)],
    ['cut off', 'STORE_DAMAGED', async (path) => truncate(path, (await stat(path)).size - 4096)],
    ['no archive', 'STORE_FOREIGN', async (path) => rm(path).then(() => newStore(path))],
    ['without its newest row', 'STORE_DAMAGED', (path) => edit(path, 'DELETE FROM audit WHERE seq = 300')],
    [
      'with a newer row edited',
      'STORE_DAMAGED',
      (path) => edit(path, 'UPDATE audit SET tx = 1 WHERE seq = 290'),
    ],
    ['with a head edited', 'STORE_DAMAGED', (path) => edit(path, 'UPDATE head SET tx = 1')],
    [
      'with a trigger',
      'STORE_DAMAGED',
      (path) => execute(path, 'CREATE TRIGGER t DELETE ON head BEGIN SELECT 1; END'),
    ],
  ])('is refused when it is %s', async (_what, code, change) => {
    const path = await archived();
    await change(path);
    const error = await refusal(openArchive(path).then((archive) => archive.close()));
    expect(error).toMatchObject({ name: 'StoreError', code });
    expect(error.message).toContain(path);
  });

  it('finds by verify what was edited further back', async () => {
    const original = await archived();
    const path = join(await folder(), 'edited.db');
    for (const [seq, change] of [
      [5n, 'UPDATE audit SET calls = 2 WHERE seq = 5'],
      [5n, 'DELETE FROM audit WHERE seq = 5'],
      [9n, "UPDATE evidence SET job = x'00' WHERE seq = 9"],
      [300n, 'UPDATE hour SET calls = calls + 1'],
    ] as const) {
      await copyFile(original, path);
      edit(path, change);
      const archive = await openArchive(path);
      expect(await archive.audit.verify(), change).toMatchObject({ ok: false, seq });
      await archive.close();
    }
  });
});

describe('a process that is killed while it archives', () => {
  const ROWS = 4600;
  const moments: [string, number][] = [
    ['copy', 1],
    ['copy', 2],
    ['copy', 4],
    ['publish', 1],
    ['switch', 1],
    ['free', 1],
    ['free', 2],
  ];

  let template: { path: string; before: AuditRow[] };

  beforeAll(async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'immu-ts-template-')), 'roots.db');
    const store = await filled(ROWS, path);
    template = { path, before: await allRows(store) };
    await store.close();
  });
  afterAll(() => rm(dirname(template.path), { recursive: true }));

  async function copyOf(): Promise<{ path: string; before: AuditRow[] }> {
    const path = join(await folder(), 'roots.db');
    await copyFile(template.path, path);
    await copyFile(`${template.path}.id`, `${path}.id`);
    return { path, before: template.before };
  }

  it.each(moments)(
    'before step %s %i: loses no row, has none twice, and goes on',
    async (stage, step) => {
      const { path: store, before } = await copyOf();
      const path = join(await folder(), 'old.db');
      const through = 4500;
      const killed = child('archiver.mjs', store, path, String(through), stage, String(step));
      expect(await killed.gone).toEqual({ code: null, signal: 'SIGKILL' });

      const withoutOwn = (log: AuditRow[]) => log.filter(({ outcome }) => outcome !== 'archive');
      const again = await newStore(store);
      expect(await again.audit.verify()).toMatchObject({ ok: true });
      const live = withoutOwn(await allRows(again));
      const moved = live.length < before.length;
      expect(moved).toBe(stage === 'free');
      expect(live).toEqual(moved ? before.slice(through) : before);
      await again.advance(root(BigInt(ROWS)), entry(BigInt(ROWS + 1)));

      const info = await again.audit.archive({ path, through: BigInt(through) });
      expect(info).toMatchObject({ firstSeq: 1n, lastSeq: BigInt(through) });
      expect(await readdir(dirname(path))).toEqual(['old.db']);
      expect(await again.audit.archives()).toHaveLength(1);
      const archive = await opened(path);
      const end = { seq: archive.lastSeq, hash: archive.lastHash };
      expect(await archive.audit.verify()).toMatchObject({ ok: true, rows: BigInt(through) });
      expect(await again.audit.verify({ startsAfter: end })).toMatchObject({ ok: true });
      const whole = withoutOwn([...(await allRows(archive)), ...(await allRows(again))]);
      expect(whole.slice(0, -1)).toEqual(before);
      // What was archived takes no room in the log, even when it was not this call that archived it.
      const db = openSqlite(store, { readonly: true });
      expect(db.prepare('SELECT min(seq) FROM audit').pluck().get()).toBe(through + 1);
      db.close();
    },
    60_000,
  );
});
