// Both drivers act alike, as far as the store and the ledger rely on it.
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorName } from '#dist/sqlite/error-names.js';
import { openerOf } from '#dist/sqlite/open.js';
import type { SqliteDriver } from '#dist/sqlite/open.js';
import { isSqliteError } from '#dist/sqlite/sqlite.js';
import type { Sqlite } from '#dist/sqlite/sqlite.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'immu-ts-driver-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The name of what went wrong. */
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return isSqliteError(error) ? error.code : String(error);
  }
  return 'nothing';
}

describe.each<SqliteDriver>(['better-sqlite3', 'node:sqlite'])('%s', (driver) => {
  const open = openerOf(driver);
  const files: Sqlite[] = [];
  const at = (name = 'a.db') => join(folder, name);
  const opened = (...args: Parameters<NonNullable<typeof open>>) => {
    const db = open!(...args);
    files.push(db);
    return db;
  };
  afterEach(() => {
    for (const db of files.splice(0)) if (db.open) db.close();
  });
  const made = () => {
    const db = opened(at());
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, bytes BLOB) STRICT');
    return db;
  };

  // Node 20 has no SQLite of its own, and a native part is built for one release of Node: the quick suite on the newest LTS has both.
  test.skipIf(open !== undefined)('is not there', () =>
    expect([driver, process.env['IMMU_TS_SQLITE']]).toContain('node:sqlite'),
  );

  describe.skipIf(open === undefined)('', () => {
    test('gives what it was given: integers of 64 bit, text, bytes, null', () => {
      const db = made();
      db.defaultSafeIntegers(true);
      const id = 2n ** 63n - 1n;
      const insert = db.prepare('INSERT INTO t VALUES (?, ?, ?)');
      expect(insert.run(id, 'a\u0000ü', new Uint8Array([0, 255])).lastInsertRowid).toBe(id);
      expect(BigInt(insert.run(7, null, Buffer.from('ab')).changes)).toBe(1n);
      const [first, second] = db.prepare('SELECT * FROM t ORDER BY id').all() as Record<string, unknown>[];
      expect({ ...first, bytes: [...(first!['bytes'] as Uint8Array)] }).toEqual({
        id: 7n,
        text: null,
        bytes: [97, 98],
      });
      expect({ ...second, bytes: [...(second!['bytes'] as Uint8Array)] }).toEqual({
        id,
        text: 'a\u0000ü',
        bytes: [0, 255],
      });
    });

    test('copies what is committed into another file', async () => {
      const db = made();
      db.exec("INSERT INTO t VALUES (1, 'one', x'00')");
      await db.backup(at('copy.db'));
      const copy = opened(at('copy.db'), { readonly: true, fileMustExist: true });
      expect(copy.prepare('SELECT text FROM t').pluck().get()).toBe('one');
    });

    test('gives rows one by one, the first one, none, or their first column', () => {
      const db = made();
      for (const id of [1, 2, 3]) db.prepare('INSERT INTO t VALUES (?, ?, NULL)').run(id, `row ${id}`);
      const all = db.prepare('SELECT text, id FROM t WHERE id >= ? ORDER BY id').pluck();
      expect(all.get(2)).toBe('row 2');
      expect(all.get(9)).toBeUndefined();
      expect(all.all(2)).toEqual(['row 2', 'row 3']);
      const seen: unknown[] = [];
      for (const text of all.iterate(1)) if (seen.push(text) === 2) break;
      expect(seen).toEqual(['row 1', 'row 2']);
      // One that was left before its end is no longer in use.
      db.exec('DROP TABLE t');
    });

    test('does all of a transaction or nothing, inner ones by themselves', () => {
      const db = made();
      const insert = db.prepare('INSERT INTO t VALUES (?, NULL, NULL)');
      const count = () => db.prepare('SELECT count(*) FROM t').pluck().get();
      const failing = db.transaction((id: number) => {
        insert.run(id);
        throw new Error('left');
      });
      expect(() => failing(1)).toThrow('left');
      expect(() => failing.immediate(1)).toThrow('left');
      expect(count()).toBe(0);
      const outer = db.transaction((id: number) => {
        insert.run(id);
        expect(() => failing(id + 1)).toThrow('left');
        db.transaction(() => insert.run(id + 2))();
        return id;
      });
      expect(outer(10)).toBe(10);
      expect(db.prepare('SELECT id FROM t ORDER BY id').pluck().all()).toEqual([10, 12]);
      expect(outer.immediate(20)).toBe(20);
      expect(count()).toBe(4);
    });

    test('waits for a lock as long as it is told, then says whose fault it is', () => {
      const db = made();
      const other = opened(at(), { timeout: 60 });
      const start = performance.now();
      db.transaction(() => {
        expect(codeOf(() => other.transaction(() => undefined).immediate())).toBe('SQLITE_BUSY');
      }).immediate();
      expect(performance.now() - start).toBeGreaterThan(50);
      // It is free again, and nothing is left of the attempt.
      other.transaction(() => other.exec('DELETE FROM t')).immediate();
    });

    test('keeps the settings that make a commit durable', () => {
      const db = made();
      expect(db.pragma('journal_mode = WAL', { simple: true })).toBe('wal');
      db.pragma('synchronous = FULL');
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
      expect(db.pragma('wal_checkpoint(NOOP)')).toMatchObject([{ busy: 0, checkpointed: 0 }]);
    });

    test('makes no file that has to be there, and none at all to read', () => {
      for (const options of [{ fileMustExist: true }, { readonly: true, fileMustExist: true }])
        expect(codeOf(() => opened(at('none.db'), options))).toMatch(/^SQLITE_CANTOPEN/);
      expect(existsSync(at('none.db'))).toBe(false);
      made().close();
      const there = opened(at(), { fileMustExist: true });
      there.exec("INSERT INTO t VALUES (1, 'x', NULL)");
      there.close();
      const read = opened(at(), { readonly: true });
      expect([read.readonly, there.readonly]).toEqual([true, false]);
      expect(codeOf(() => read.exec('DELETE FROM t'))).toBe('SQLITE_READONLY');
    });

    test('opens a file whose name means something in an address', () => {
      const name = at('a b#c?d%41.db');
      opened(name).exec('CREATE TABLE here (x)');
      expect(opened(name, { fileMustExist: true }).prepare('SELECT * FROM here').all()).toEqual([]);
    });

    test('names what goes wrong', async () => {
      const db = made();
      const insert = db.prepare('INSERT INTO t VALUES (?, ?, NULL)');
      insert.run(1, null);
      expect(codeOf(() => insert.run(1, null))).toBe('SQLITE_CONSTRAINT_PRIMARYKEY');
      expect(codeOf(() => db.prepare('SELEC'))).toBe('SQLITE_ERROR');
      expect(codeOf(() => db.exec('SELECT * FROM nothing'))).toBe('SQLITE_ERROR');
      await writeFile(at('text'), 'no database, but long enough to be one '.repeat(200));
      expect(codeOf(() => opened(at('text')).prepare('SELECT * FROM sqlite_schema').all())).toBe(
        'SQLITE_NOTADB',
      );
      db.pragma('max_page_count = 3');
      expect(codeOf(() => db.prepare('UPDATE t SET text = ?').run('x'.repeat(100_000)))).toBe('SQLITE_FULL');
    });

    test.skipIf(process.getuid?.() === 0)('says that a file may not be opened', async () => {
      made().close();
      await chmod(at(), 0o000);
      expect(codeOf(() => opened(at()).prepare('SELECT 1').get())).toMatch(/^SQLITE_CANTOPEN/);
    });

    test('a transaction that SQLite itself has undone is told by its reason', () => {
      const db = made();
      db.pragma('max_page_count = 3');
      const grow = db.transaction(() =>
        db.prepare('INSERT OR ROLLBACK INTO t VALUES (1, ?, NULL)').run('x'.repeat(100_000)),
      );
      expect(codeOf(() => grow())).toBe('SQLITE_FULL');
      db.transaction(() => db.exec('DELETE FROM t'))();
    });

    test('is used no more when it is closed', () => {
      const db = made();
      const statement = db.prepare('SELECT 1');
      db.close();
      expect(db.open).toBe(false);
      expect(() => statement.get()).toThrow();
      expect(() => db.exec('SELECT 1')).toThrow();
    });
  });
});

test.each([
  [5, 'SQLITE_BUSY'],
  [517, 'SQLITE_BUSY_SNAPSHOT'],
  [522, 'SQLITE_IOERR_SHORT_READ'],
  [1034, 'SQLITE_IOERR_FSYNC'],
  [1555, 'SQLITE_CONSTRAINT_PRIMARYKEY'],
  [1544, 'SQLITE_READONLY_DIRECTORY'],
  [13, 'SQLITE_FULL'],
  [26, 'SQLITE_NOTADB'],
  [10 + 99 * 256, 'SQLITE_IOERR_99'],
  [200, 'SQLITE_UNKNOWN_200'],
])('result code %i is %s', (code, name) => expect(errorName(code)).toBe(name));
