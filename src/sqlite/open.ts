// Opens SQLite files with the driver that is there: better-sqlite3, or where its native part is missing the platform's own.
import { StoreError } from '../errors.js';
import { requireFromHere } from '../package-files.js';
import { NodeConnection } from './node-sqlite.js';
import type { NodeSqlite } from './node-sqlite.js';
import type { Sqlite, SqliteOpenOptions } from './sqlite.js';

/** `better-sqlite3`: the package. `node:sqlite`: what Node (from 22.22 on), Deno and Bun bring along. */
export type SqliteDriver = 'better-sqlite3' | 'node:sqlite';

type Open = (path: string, options?: SqliteOpenOptions) => Sqlite;
type BetterSqlite = new (path: string, options?: SqliteOpenOptions) => Sqlite;

/** Names one driver, for those who want to have no other. */
const CHOICE = 'IMMU_TS_SQLITE';
/** The first SQLite that tells of its write-ahead log without working on it: `wal_checkpoint(NOOP)`. */
const MIN_SQLITE = [3, 51];

const LOADERS: Readonly<Record<SqliteDriver, () => Open>> = {
  'better-sqlite3': loadBetterSqlite,
  'node:sqlite': loadNodeSqlite,
};

let loaded: { readonly driver: SqliteDriver; readonly open: Open } | undefined;

/** @throws StoreError STORE_FAILED when there is no driver; errors of SQLite and of the file system as they are */
export function openSqlite(path: string, options?: SqliteOpenOptions): Sqlite {
  loaded ??= load();
  return loaded.open(path, options);
}

/** The driver of this thread. @throws StoreError STORE_FAILED when there is none */
export function sqliteDriver(): SqliteDriver {
  loaded ??= load();
  return loaded.driver;
}

/** How that driver opens a file; undefined where it is not to be had. */
export function openerOf(driver: SqliteDriver): Open | undefined {
  try {
    return LOADERS[driver]();
  } catch {
    return undefined;
  }
}

function load(): { driver: SqliteDriver; open: Open } {
  const choice = process.env[CHOICE];
  const all = Object.keys(LOADERS) as SqliteDriver[];
  const wanted = choice ? all.filter((driver) => driver === choice) : all;
  const reasons: string[] = [];
  for (const driver of wanted) {
    try {
      return { driver, open: LOADERS[driver]() };
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
      reasons.push(`${driver}: ${line ?? ''}`);
    }
  }
  if (reasons.length === 0) reasons.push(`${CHOICE} must be one of ${all.join(', ')}`);
  const advice =
    'allow the install script of better-sqlite3 (npm rebuild better-sqlite3, pnpm approve-builds), or run Node 22.22 or later';
  throw new StoreError('STORE_FAILED', `no SQLite to be had (${reasons.join('; ')}): ${advice}`);
}

function loadBetterSqlite(): Open {
  const { bun, deno } = process.versions;
  // It is made for Node's insides.
  if (bun !== undefined || deno !== undefined) throw new Error('not for this runtime');
  const Database = requireFromHere('better-sqlite3') as BetterSqlite;
  // Its native part is loaded with the first connection.
  new Database(':memory:').close();
  return (path, options) => new Database(path, options);
}

function loadNodeSqlite(): Open {
  const platform = quietly(() => process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined);
  if (!platform) throw new Error('not in this release of the runtime');
  const open: Open = (path, options) => new NodeConnection(platform, path, options);
  const db = open(':memory:');
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
  db.close();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [needed = 0, least = 0] = MIN_SQLITE;
  if (major < needed || (major === needed && minor < least))
    throw new Error(`this runtime has SQLite ${version}, ${MIN_SQLITE.join('.')} is needed`);
  return open;
}

/** Node says at every start that what it brings along may still change: that is held against our tests, not by our users. */
function quietly<T>(load: () => T): T {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
