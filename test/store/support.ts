// What the store tests share: folders that go away, entries, and the two stores.
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach } from 'vitest';
import { ImmuError } from '#dist/errors.js';
import type { AuditEntry, AuditRow, RootsQuery, RootStore } from '#dist/store/root-store.js';
import { SqliteRootStore } from '#dist/store/sqlite/sqlite-root-store.js';
import { LogWriter } from '#dist/store/sqlite/log/log-writer.js';
import { openStore } from '#dist/store/sqlite/file/open.js';
import { openSqlite, sqliteDriver } from '#dist/sqlite/open.js';

export const KEY = { server: 'server-1', database: 'defaultdb' };
/** What every entry has. */
export const REQUIRED = [
  'server',
  'database',
  'tx',
  'alh',
  'outcome',
  'previousTx',
  'operation',
  'calls',
  'headerTime',
  'verifiedAt',
  'durationMs',
  'clientId',
] as const;

const folders: string[] = [];
const stores: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder that is removed after the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'immu-ts-store-'));
  folders.push(path);
  return path;
}

/** A store or archive that is closed after the test. */
export function closing<S extends { close(): Promise<void> }>(store: S): S {
  stores.push(store);
  return store;
}

export async function newStore(path?: string): Promise<SqliteRootStore> {
  return closing(await SqliteRootStore.open(path ?? join(await folder(), 'roots.db')));
}

export function alh(tx: bigint, salt = 0): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((tx * 31n + BigInt(i + salt)) % 251n));
}

export function entry(tx: bigint, fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    ...KEY,
    tx,
    alh: alh(tx),
    outcome: 'root',
    previousTx: tx > 1n ? tx - 1n : null,
    operation: 'verifiedSet',
    calls: 1,
    headerTime: 1_700_000_000n,
    verifiedAt: 1_700_000_000_000 + Number(tx),
    durationMs: 1.5,
    clientId: 'client-1',
    ...fields,
  };
}

export function event(tx: bigint, fields: Partial<AuditEntry> = {}): AuditEntry {
  return entry(tx, { outcome: 'calls', ...fields });
}

/** Moves the head from `from` (0: none) to `to`, one by one. */
export async function climb(store: RootStore, from: number, to: number): Promise<void> {
  for (let tx = BigInt(from) + 1n; tx <= BigInt(to); tx++) {
    const outcome = await store.advance(tx === 1n ? null : { tx: tx - 1n, alh: alh(tx - 1n) }, entry(tx));
    if (!outcome.moved) throw new Error(`the head did not move to ${tx.toString()}`);
  }
}

export async function rows(store: Pick<RootStore, 'audit'>, query?: RootsQuery): Promise<AuditRow[]> {
  const all: AuditRow[] = [];
  for await (const row of store.audit.roots(query)) all.push(row);
  return all;
}

/** The typed error a promise rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<ImmuError> {
  const outcome = await promise.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  );
  if (outcome instanceof ImmuError) return outcome;
  throw outcome;
}

/** Changes a closed store's file by hand. */
export function edit(path: string, sql: string, ...values: unknown[]): void {
  const db = openSqlite(path);
  try {
    db.pragma('foreign_keys = OFF');
    if (db.prepare(sql).run(...values).changes === 0) throw new Error(`nothing to change: ${sql}`);
  } finally {
    db.close();
  }
}

/** Runs a statement on a file, a database or not yet one. */
export function execute(path: string, sql: string): void {
  const db = openSqlite(path);
  try {
    db.exec(sql);
  } finally {
    db.close();
  }
}

/** Without what keeps the schema's table from being written. */
function undefended(path: string): { exec(sql: string): unknown; close(): unknown } {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as {
    DatabaseSync: new (path: string, options: object) => { exec(sql: string): void; close(): void };
  };
  return new DatabaseSync(path, { defensive: false });
}

/** Adds a trigger under a name that SQLite keeps for itself, as nothing but a change of the schema's own table can. */
export function addHiddenTrigger(path: string): void {
  const db = sqliteDriver() === 'node:sqlite' ? undefended(path) : new Database(path).unsafeMode(true);
  try {
    db.exec('PRAGMA writable_schema = ON');
    db.exec(`INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('trigger', 'sqlite_t', 'audit', 0,
      'CREATE TRIGGER sqlite_t AFTER INSERT ON audit BEGIN DELETE FROM head; END')`);
  } finally {
    db.close();
  }
}

/** Makes of a closed store or archive what the release with that schema would have left. */
export function toSchema(path: string, version: 1 | 2 | 3): void {
  const db = openSqlite(path);
  try {
    db.exec('DROP TABLE evidence_use; DROP INDEX evidence_by_blob');
    for (const column of ['blob', 'omitted_part', 'omitted_reason', 'omitted_sha256', 'omitted_length'])
      db.exec(`ALTER TABLE evidence DROP COLUMN ${column}`);
    db.exec('DROP TABLE evidence_blob');
    if (version < 3) db.exec('DROP TABLE recent');
    if (version === 1) db.exec('DROP TABLE header_content; DROP TABLE header_block');
    db.pragma(`user_version = ${version}`);
  } finally {
    db.close();
  }
}

/** A store whose process ended without closing it: its newest rows are where they were written. */
export async function abandoned(count: number): Promise<string> {
  const path = join(await folder(), 'roots.db');
  const { db, log } = openStore(path, { create: 'if-new', busyTimeoutMs: 0 });
  const writer = new LogWriter(log);
  db.transaction(() => {
    writer.begin();
    for (let tx = 1n; tx <= BigInt(count); tx++) {
      const expected = tx === 1n ? null : { tx: tx - 1n, alh: alh(tx - 1n) };
      writer.write({ kind: 'advance', expected, entry: entry(tx) });
    }
    writer.finish();
  })();
  db.close();
  return path;
}

/** Rows in a table of a store's file. */
export function inTable(path: string, table: string): number {
  const db = openSqlite(path, { readonly: true });
  try {
    return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  } finally {
    db.close();
  }
}

export interface Child {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** Whole lines that it has printed so far. */
  readonly lines: string[];
  /** Resolves when it has printed so many lines. */
  readonly printed: (count: number) => Promise<void>;
  /** Resolves when it is gone and all its lines are here. */
  readonly gone: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Runs a script of `fixtures/`; killed when it is still there after 20 s. */
export function child(script: string, ...args: string[]): Child {
  const file = fileURLToPath(new URL(`fixtures/${script}`, import.meta.url));
  const started = spawn(process.execPath, [file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  const lines: string[] = [];
  const waiting: (() => void)[] = [];
  const reader = createInterface(started.stdout);
  reader.on('line', (line) => {
    lines.push(line);
    for (const check of waiting) check();
  });
  const ended = once(reader, 'close');
  const gone = once(started, 'exit').then(async ([code, signal]) => {
    await ended;
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const printed = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (lines.length >= count) resolve();
      };
      waiting.push(check);
      check();
      void gone.then(() => reject(new Error(`${script} ended after ${lines.length} of ${count} lines`)));
    });
  return { process: started, lines, printed, gone };
}
