// Store files: made once, never again in place of one that is missing, damaged, foreign or altered.
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { SqliteRootStore } from '#dist/store/sqlite/sqlite-root-store.js';
import type { SqliteRootStoreOptions } from '#dist/store/sqlite/sqlite-root-store.js';
import { openSqlite } from '#dist/sqlite/open.js';
import {
  addHiddenTrigger,
  KEY,
  alh,
  child,
  climb,
  closing,
  edit,
  entry,
  event,
  folder,
  newStore,
  refusal,
  rows,
} from './support.js';

let template: string;

beforeAll(async () => {
  template = join(await mkdtemp(join(tmpdir(), 'immu-ts-template-')), 'roots.db');
  const store = await SqliteRootStore.open(template);
  await climb(store, 0, 5);
  await store.record(event(1n, { outcome: 'failure', evidence: { check: 'c', job: new Uint8Array(9) } }));
  await store.bindIdentity('a:1', KEY.server);
  await store.close();
});

afterAll(() => rm(dirname(template), { recursive: true }));

/** A closed store with five moves of one head and one event with evidence. */
async function closedStore(): Promise<string> {
  const path = join(await folder(), 'roots.db');
  await copyFile(template, path);
  await copyFile(`${template}.id`, `${path}.id`);
  return path;
}

function openRefused(path: string, options?: SqliteRootStoreOptions) {
  return refusal(SqliteRootStore.open(path, options).then(closing));
}

describe('making a store', () => {
  it('makes the folders, the file and its marker, and nothing else', async () => {
    const path = join(await folder(), 'a', 'b', 'roots.db');
    const store = await newStore(path);
    expect(store.path).toBe(path);
    await store.close();
    expect((await readdir(dirname(path))).sort()).toEqual(['roots.db', 'roots.db.id']);
    expect(await readFile(`${path}.id`, 'utf8')).toMatch(/^[0-9a-f]{32}\n$/);
    if (process.platform !== 'win32') expect((await stat(path)).mode & 0o077).toBe(0);
  });

  it('is durable by its settings', async () => {
    const path = await closedStore();
    const db = openSqlite(path, { readonly: true });
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(
      db
        .prepare(
          "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'",
        )
        .pluck()
        .get(),
    ).toBe(0);
    db.close();
  });

  it('opens again what it made', async () => {
    const path = await closedStore();
    const store = closing(await SqliteRootStore.open(path, { create: 'never' }));
    expect(await store.head(KEY)).toEqual({ tx: 5n, alh: alh(5n) });
    await store.advance({ tx: 5n, alh: alh(5n) }, entry(6n));
    expect(await store.audit.verify()).toMatchObject({ ok: true, rows: 8n });
  });

  it('lets two openings at once make one store', async () => {
    const path = join(await folder(), 'roots.db');
    const stores = await Promise.all(Array.from({ length: 4 }, () => newStore(path)));
    await Promise.all(stores.map((store, i) => store.record(event(BigInt(i)))));
    expect(await rows(stores[0]!)).toHaveLength(4);
    expect(await stores[3]!.audit.verify()).toMatchObject({ ok: true, rows: 4n });
  });

  it.each<[string, unknown, unknown]>([
    ['path', ':memory:', {}],
    ['path', '', {}],
    ['path', undefined, {}],
    ['path', 5, {}],
    ['path', 'a\0b', {}],
    ['create', '/nowhere/x', { create: 'always' }],
    ['busyTimeoutMs', '/nowhere/x', { busyTimeoutMs: -1 }],
    ['busyTimeoutMs', '/nowhere/x', { busyTimeoutMs: '5' }],
    ['busyTimeoutMs', '/nowhere/x', { busyTimeoutMs: 2 ** 31 }],
  ])('refuses a bad %s: %o %o', async (argument, path, options) => {
    expect(await openRefused(path as string, options as SqliteRootStoreOptions)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument,
    });
  });
});

describe('a store that is missing', () => {
  it('is not made when it must exist', async () => {
    const path = join(await folder(), 'sub', 'roots.db');
    expect(await openRefused(path, { create: 'never' })).toMatchObject({ code: 'STORE_MISSING' });
    expect(await readdir(dirname(dirname(path)))).toEqual([]);
  });

  it('is not made again when its marker says it was there', async () => {
    const path = await closedStore();
    await rm(path);
    expect(await openRefused(path)).toMatchObject({ name: 'StoreError', code: 'STORE_MISSING' });
    expect(await readdir(dirname(path))).toEqual([`${basename(path)}.id`]);
  });

  it('is not made where the write-ahead log of one is left', async () => {
    const path = join(await folder(), 'roots.db');
    await writeFile(`${path}-wal`, 'left');
    expect(await openRefused(path)).toMatchObject({ code: 'STORE_MISSING' });
  });

  it('gets its marker back when only that is gone', async () => {
    const path = await closedStore();
    const id = await readFile(`${path}.id`, 'utf8');
    await rm(`${path}.id`);
    await (await newStore(path)).close();
    expect(await readFile(`${path}.id`, 'utf8')).toBe(id);
  });

  it('gets no marker when it is damaged', async () => {
    const path = await closedStore();
    await rm(`${path}.id`);
    edit(path, 'UPDATE audit SET tx = 99 WHERE seq = 2');
    expect(await openRefused(path)).toMatchObject({ code: 'STORE_DAMAGED' });
    expect(await readdir(dirname(path))).not.toContain(`${basename(path)}.id`);
  });
});

describe('a store that is foreign', () => {
  it('is told by its marker', async () => {
    const path = await closedStore();
    const other = await newStore();
    await other.close();
    await copyFile(other.path, path);
    expect(await openRefused(path)).toMatchObject({ code: 'STORE_FOREIGN' });
  });

  it.each(['never', 'if-new'] as const)(
    'is left as it is: a database of something else (%s)',
    async (create) => {
      const path = join(await folder(), 'other.db');
      const db = openSqlite(path);
      db.exec('CREATE TABLE something (x)');
      db.close();
      const before = await readFile(path);
      expect(await openRefused(path, { create })).toMatchObject({ code: 'STORE_FOREIGN' });
      expect((await readFile(path)).equals(before)).toBe(true);
      expect(await readdir(dirname(path))).toEqual(['other.db']);
    },
  );

  it('is of a newer release', async () => {
    const path = await closedStore();
    const db = openSqlite(path);
    db.pragma('user_version = 1000');
    db.close();
    const error = await openRefused(path);
    expect(error).toMatchObject({ code: 'STORE_FOREIGN' });
    expect(error.message).toContain('1000');
  });
});

test('statistics that SQLite made are no damage', async () => {
  const path = await closedStore();
  const db = openSqlite(path);
  db.exec('ANALYZE');
  expect(db.prepare('SELECT count(*) FROM sqlite_stat1').pluck().get()).toBeGreaterThan(0);
  db.close();
  const store = await newStore(path);
  expect(await store.audit.verify()).toMatchObject({ ok: true });
});

describe('a store that is damaged', () => {
  const damages: [string, (path: string) => Promise<void> | void][] = [
    ['an empty file', (path) => truncate(path, 0)],
    ['an empty file without a marker', (path) => rm(`${path}.id`).then(() => truncate(path, 0))],
    ['text', (path) => writeFile(path, 'this is no database, but long enough to look at it.'.repeat(100))],
    ['cut off within its first page', (path) => truncate(path, 1000)],
    ['cut off', async (path) => truncate(path, (await stat(path)).size - 4096)],
    [
      'zeroes where its tables were',
      async (path) => {
        const bytes = await readFile(path);
        await writeFile(path, bytes.fill(0, 4096));
      },
    ],
    ['without its schema version', (path) => pragma(path, 'user_version = 0')],
    ['without a table', (path) => sql(path, 'DROP TABLE client')],
    ['without a column', (path) => sql(path, 'ALTER TABLE audit DROP COLUMN detail')],
    ['without its id', (path) => edit(path, 'DELETE FROM store')],
    ['with two ids', (path) => edit(path, "INSERT INTO store VALUES (x'00', 0, 0, x'', NULL)")],
    ['with a marker that holds no id', (path) => writeFile(`${path}.id`, 'gone')],
    ['a row edited', (path) => edit(path, 'UPDATE audit SET calls = 7 WHERE seq = 3')],
    [
      'a row with a number out of range',
      (path) => edit(path, 'UPDATE audit SET calls = calls + 4294967296 WHERE seq = 3'),
    ],
    ['a row of an unknown kind', (path) => edit(path, 'UPDATE audit SET kind = 77 WHERE seq = 3')],
    ['a kind of an unknown outcome', (path) => edit(path, 'UPDATE kind SET outcome = 77 WHERE id = 1')],
    ['a name edited', (path) => edit(path, "UPDATE ledger SET database = 'mine' WHERE id = 1")],
    ['a kind renamed', (path) => edit(path, "UPDATE kind SET operation = 'mine' WHERE id = 1")],
    ['a name removed', (path) => edit(path, "DELETE FROM client WHERE text = 'client-1'")],
    ['a row removed', (path) => edit(path, 'DELETE FROM audit WHERE seq = 3')],
    ['the first row removed', (path) => edit(path, 'DELETE FROM audit WHERE seq = 1')],
    ['the newest row removed', (path) => edit(path, 'DELETE FROM audit WHERE seq = 7')],
    [
      'a row added',
      (path) =>
        edit(
          path,
          'INSERT INTO audit SELECT 8, kind, tx, alh, previous_tx, calls, header_time, signature, key_fingerprint, verified_at, duration_ms, client, detail, evidence_hash, hash FROM audit WHERE seq = 7',
        ),
    ],
    ['a head moved up', (path) => edit(path, 'UPDATE head SET tx = 6')],
    [
      'a head moved back',
      (path) => edit(path, 'UPDATE head SET tx = 4, alh = (SELECT alh FROM audit WHERE tx = 4)'),
    ],
    ['a head with another hash', (path) => edit(path, "UPDATE head SET alh = x'00'")],
    ['a head removed', (path) => edit(path, 'DELETE FROM head')],
    ['an identity edited', (path) => edit(path, "UPDATE identity SET server = 'mine'")],
    ['an identity removed', (path) => edit(path, 'DELETE FROM identity')],
    ['an identity of nothing', (path) => edit(path, "INSERT INTO identity VALUES ('b:1', 'mine')")],
    ['another start', (path) => edit(path, 'UPDATE store SET base_seq = 2')],
    ['a start of another store', (path) => edit(path, "UPDATE store SET base_hash = x'00'")],
    ['an archive of nothing', (path) => edit(path, "UPDATE store SET base_checkpoint = x'00'")],
    ['a trigger', (path) => sql(path, 'CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM head; END')],
    ['a trigger under a name of SQLite', (path) => addHiddenTrigger(path)],
    ['a view', (path) => sql(path, 'CREATE VIEW v AS SELECT * FROM audit')],
    ['a table more', (path) => sql(path, 'CREATE TABLE more (x)')],
    [
      'an index changed',
      (path) => sql(path, 'DROP INDEX audit_by_kind; CREATE INDEX audit_by_kind ON audit (tx)'),
    ],
    ['an index removed', (path) => sql(path, 'DROP INDEX audit_by_tx')],
    ['a head of nothing', (path) => edit(path, "INSERT INTO head VALUES (99, 1, x'00')")],
  ];

  it.each(damages)('is refused and left as it is: %s', async (_what, damage) => {
    const path = await closedStore();
    await damage(path);
    const error = await openRefused(path);
    expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_DAMAGED' });
    expect(error.message).toContain(path);
    expect(await openRefused(path)).toMatchObject({ code: 'STORE_DAMAGED' });
  });

  function pragma(path: string, set: string): void {
    sql(path, `PRAGMA ${set}`);
  }

  function sql(path: string, text: string): void {
    const db = openSqlite(path);
    db.pragma('foreign_keys = OFF');
    db.exec(text);
    db.close();
  }
});

describe('audit.verify', () => {
  const FAR = 300;
  /** The first row binds an identity, the third is an event, the last moves another head. */
  const LAST = BigInt(FAR) + 3n;
  const alterations: [string, bigint, string][] = [
    ...[
      'kind = 3',
      'tx = tx + 1',
      'tx = -tx',
      "alh = x'00'",
      'previous_tx = NULL',
      'calls = calls + 1',
      'calls = calls + 4294967296',
      'header_time = header_time + 1',
      "signature = x''",
      "key_fingerprint = x'01'",
      'verified_at = verified_at - 1',
      'duration_ms = duration_ms * 2',
      "client = 'other'",
      'client = 99',
      "detail = ''",
      "evidence_hash = x'00'",
      "hash = x'00'",
    ].map((set): [string, bigint, string] => [set, 9n, `UPDATE audit SET ${set} WHERE seq = 9`]),
    ['the row removed', 9n, 'DELETE FROM audit WHERE seq = 9'],
    ['evidence changed', 3n, "UPDATE evidence SET job = x'01' WHERE seq = 3"],
    ['evidence changed where it is kept', 3n, "UPDATE evidence_blob SET bytes = x'01'"],
    ['evidence named anew', 3n, "UPDATE evidence_blob SET sha256 = x'01'"],
    ['evidence taken away', 3n, 'DELETE FROM evidence_blob'],
    ['evidence left out', 3n, 'UPDATE evidence SET blob = NULL WHERE seq = 3'],
    [
      'evidence said to be left out',
      3n,
      "UPDATE evidence SET omitted_part = 'answer', omitted_reason = 'size', omitted_sha256 = zeroblob(32), omitted_length = 1 WHERE seq = 3",
    ],
    ['evidence of nobody', LAST, "INSERT INTO evidence_blob (sha256, bytes) VALUES (x'01', x'02')"],
    ['evidence renamed', 3n, "UPDATE evidence SET failed_check = 'other' WHERE seq = 3"],
    ['evidence removed', 3n, 'DELETE FROM evidence WHERE seq = 3'],
    ['bounds narrowed', 256n, 'UPDATE zone SET tx_max = tx_max - 1 WHERE kind = 2'],
    ['bounds removed', 2n, 'DELETE FROM zone WHERE kind = 2'],
    ['sums changed', LAST, 'UPDATE hour SET rows = rows + 1 WHERE kind = 2'],
    ['sums removed', LAST, 'DELETE FROM hour WHERE kind = 2'],
    ['sums of nothing', LAST, 'INSERT INTO hour SELECT 99, hour, 1, 1, 1, 1, 1, 1, 1, 1 FROM hour LIMIT 1'],
    ['evidence added', 9n, "INSERT INTO evidence (seq, failed_check, job) VALUES (9, 'c', x'01')"],
  ];

  it('finds any alteration of an old row, which opening does not look at', async () => {
    const original = await newStore();
    await original.bindIdentity('a', 'b');
    await climb(original, 0, 1);
    await original.record(event(1n, { evidence: { check: 'c', job: new Uint8Array(2) } }));
    await climb(original, 1, FAR);
    // The newest of all, so that no head depends on the rows before.
    await original.advance(null, entry(1n, { database: 'other', operation: 'verifiedGet' }));
    await original.close();
    const path = join(await folder(), 'altered.db');
    for (const [what, seq, change] of alterations) {
      await copyFile(original.path, path);
      edit(path, change);
      const store = await newStore(path);
      const verdict = await store.audit.verify();
      await store.close();
      expect(verdict, what).toMatchObject({ ok: false, seq });
      expect(verdict.ok ? '' : verdict.finding, what).not.toBe('');
    }
  });

  it('finds a head that was edited while the store is open', async () => {
    const store = await newStore();
    await climb(store, 0, 5);
    // Read once: the rows are then in the log's table.
    await rows(store);
    edit(store.path, 'UPDATE head SET tx = 3, alh = (SELECT alh FROM audit WHERE tx = 3)');
    expect(await store.audit.verify()).toMatchObject({ ok: false, seq: 5n });
  });
});

describe('a store that cannot be used', () => {
  it('is a folder', async () => {
    const path = join(await folder(), 'folder');
    await mkdir(path);
    expect(await openRefused(path)).toMatchObject({ code: 'STORE_FAILED' });
  });

  it('is under a file', async () => {
    const file = join(await folder(), 'file');
    await writeFile(file, '');
    expect(await openRefused(join(file, 'roots.db'))).toMatchObject({ code: 'STORE_FAILED' });
  });

  it.skipIf(process.platform === 'win32')('is in a folder that may not be written', async (context) => {
    const path = await closedStore();
    await chmod(path, 0o444);
    await chmod(`${path}.id`, 0o444);
    await chmod(dirname(path), 0o555);
    for (const target of [path, join(dirname(path), 'new.db'), join(dirname(path), 'new', 'roots.db')]) {
      const process = child('unprivileged.mjs', target);
      await process.gone;
      const failed = JSON.parse(process.lines[0] ?? '{}') as Record<string, string>;
      context.skip('unreadable' in failed, 'this checkout cannot be read by another user');
      expect(failed).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
      expect(failed['message']).toContain(dirname(path));
    }
    await chmod(dirname(path), 0o755);
    expect(await readdir(dirname(path))).toHaveLength(2);
  });

  it('is kept locked by another process', async () => {
    const store = closing(
      await SqliteRootStore.open(join(await folder(), 'roots.db'), { busyTimeoutMs: 20 }),
    );
    const other = openSqlite(store.path);
    other.exec('BEGIN IMMEDIATE');
    const results = await Promise.all([
      refusal(store.record(event(1n))),
      refusal(store.advance(null, entry(1n))),
    ]);
    for (const error of results) {
      expect(error).toMatchObject({ name: 'StoreError', code: 'STORE_FAILED' });
      expect(error.message).toContain('SQLITE_BUSY');
    }
    // Readers do not wait for writers.
    expect(await store.head(KEY)).toBeNull();
    other.exec('ROLLBACK');
    other.close();
    expect(await store.advance(null, entry(1n))).toEqual({ moved: true });
  });
});
