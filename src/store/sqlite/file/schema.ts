// The tables of the root store and of an archive. A change is a new migration; what is here stays as it was released.
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';

/** `PRAGMA application_id` of a store: "immu". */
export const APPLICATION_ID = 0x696d_6d75;
/** `PRAGMA application_id` of an archive: "imma". */
export const ARCHIVE_ID = 0x696d_6d61;

/** Migration n takes a store from `user_version` n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (
    id BLOB NOT NULL,                     -- random, also in the marker file
    rows INTEGER NOT NULL,                -- seq of the newest row: tells when the newest are gone
    base_seq INTEGER NOT NULL,            -- rows up to this one are in archives, and are not looked at here
    base_hash BLOB NOT NULL,              -- hash that row base_seq + 1 follows
    base_checkpoint BLOB                  -- canonical bytes of the checkpoint at base_seq, when that is above 0
  ) STRICT;

  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    database TEXT NOT NULL,
    UNIQUE (server, database)
  ) STRICT;
  -- What is the same in very many rows is kept once. Queries are answered kind by kind.
  CREATE TABLE kind (
    id INTEGER PRIMARY KEY,
    ledger INTEGER NOT NULL REFERENCES ledger,
    operation TEXT NOT NULL,
    outcome INTEGER NOT NULL,             -- OUTCOME_CODES
    UNIQUE (ledger, operation, outcome)
  ) STRICT;
  CREATE TABLE client (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE head (
    ledger INTEGER PRIMARY KEY REFERENCES ledger,
    tx INTEGER NOT NULL,
    alh BLOB NOT NULL
  ) STRICT;

  CREATE TABLE identity (
    address TEXT PRIMARY KEY,
    server TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,              -- base_seq + 1, base_seq + 2, ... without a gap
    kind INTEGER NOT NULL REFERENCES kind,
    tx INTEGER NOT NULL,
    alh BLOB NOT NULL,
    previous_tx INTEGER,
    calls INTEGER NOT NULL,
    header_time INTEGER NOT NULL,         -- unix seconds
    signature BLOB,
    key_fingerprint BLOB,
    verified_at INTEGER NOT NULL,         -- unix milliseconds
    duration_ms REAL NOT NULL,
    client ANY NOT NULL,                  -- id in client, or the text itself when there are too many
    detail TEXT,
    evidence_hash BLOB,                   -- covers the row of the same seq in evidence
    hash BLOB NOT NULL                    -- see audit-row.ts
  ) STRICT;
  CREATE INDEX audit_by_kind ON audit (kind);
  CREATE INDEX audit_by_tx ON audit (kind, tx);

  CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY REFERENCES audit,
    failed_check TEXT NOT NULL,
    expected TEXT,
    computed TEXT,
    job BLOB NOT NULL
  ) STRICT;

  -- Bounds of the rows of a kind in each full block of the log: a range of times or txs is found in a log whose clocks
  -- need not be in order (zones.ts).
  CREATE TABLE zone (
    kind INTEGER NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    time_min INTEGER NOT NULL,
    time_max INTEGER NOT NULL,
    tx_min INTEGER NOT NULL,
    tx_max INTEGER NOT NULL,
    PRIMARY KEY (kind, level, number)
  ) STRICT, WITHOUT ROWID;

  -- Sums over the rows of a kind in each hour (hours.ts).
  CREATE TABLE hour (
    kind INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    micros INTEGER NOT NULL,
    max_micros INTEGER NOT NULL,
    tx_min INTEGER NOT NULL,
    tx_max INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    PRIMARY KEY (kind, hour)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    bytes BLOB NOT NULL,                  -- see checkpoint.ts
    signature BLOB,
    key_fingerprint BLOB
  ) STRICT;
  CREATE INDEX checkpoint_by_seq ON checkpoint (seq);

  CREATE TABLE archive (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    start_hash BLOB NOT NULL,
    last_hash BLOB NOT NULL,
    archived_at INTEGER NOT NULL,
    path TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- Blocks of headers as the server sent them, with their proof: never trusted for being here (header-store.ts).
  CREATE TABLE header_block (
    id INTEGER PRIMARY KEY,
    ledger INTEGER NOT NULL REFERENCES ledger,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    head_tx INTEGER NOT NULL,
    head_alh BLOB NOT NULL,
    used INTEGER NOT NULL,                -- the higher, the later it was used
    bytes INTEGER NOT NULL,
    UNIQUE (ledger, first)
  ) STRICT;
  -- Apart, for a row is written as a whole: to note that a block was used must not cost all of it.
  CREATE TABLE header_content (
    block INTEGER PRIMARY KEY REFERENCES header_block ON DELETE CASCADE,
    proof BLOB NOT NULL,
    headers BLOB NOT NULL,
    columns BLOB NOT NULL
  ) STRICT;
  CREATE INDEX header_block_by_use ON header_block (used, bytes);
  `,
  `
  -- The newest rows of the log, on their way into audit, its indexes, zones and hours (recent.ts).
  CREATE TABLE recent (
    seq INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    tx INTEGER NOT NULL,
    alh BLOB NOT NULL,
    previous_tx INTEGER,
    calls INTEGER NOT NULL,
    header_time INTEGER NOT NULL,
    signature BLOB,
    key_fingerprint BLOB,
    verified_at INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    client ANY NOT NULL,
    detail TEXT,
    evidence_hash BLOB,
    hash BLOB NOT NULL
  ) STRICT;
  `,
  `
  -- What was refused, once, however many rows are about it (evidence-table.ts).
  CREATE TABLE evidence_blob (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    bytes BLOB NOT NULL                   -- the packed job
  ) STRICT;
  -- NULL: the bytes are in job, where earlier releases put them, or there are none.
  ALTER TABLE evidence ADD COLUMN blob INTEGER REFERENCES evidence_blob;
  ALTER TABLE evidence ADD COLUMN omitted_part TEXT;
  ALTER TABLE evidence ADD COLUMN omitted_reason TEXT;
  ALTER TABLE evidence ADD COLUMN omitted_sha256 BLOB;
  ALTER TABLE evidence ADD COLUMN omitted_length INTEGER;
  CREATE INDEX evidence_by_blob ON evidence (blob);
  -- Bytes of evidence kept of a database in an hour (evidence-budget.ts).
  CREATE TABLE evidence_use (
    ledger INTEGER NOT NULL REFERENCES ledger,
    hour INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (ledger, hour)
  ) STRICT, WITHOUT ROWID;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * The first thing in a database's schema that is not as its migrations make it; undefined when all is. `version` is the
 * schema's: an archive keeps that of the release that made it. A trigger, a view
 * or a changed index in a store's file could hide rows or undo writes without touching a row.
 */
export function strangeObject(db: Sqlite, version: number): string | undefined {
  const known = openSqlite(':memory:');
  try {
    for (const migration of MIGRATIONS.slice(0, version)) known.exec(migration);
    const wanted = new Map(objectsOf(known).map((object) => [`${object.type} ${object.name}`, object]));
    for (const { type, name, table, sql } of objectsOf(db)) {
      const label = `${type} ${name}`;
      if (STATISTICS.get(label) === sql) continue;
      const made = wanted.get(label);
      if (!made) return `the ${label} is none of a root store`;
      if (made.sql !== sql || made.table !== table) return `the ${label} is not as it was made`;
      wanted.delete(label);
    }
    for (const label of wanted.keys()) return `the ${label} is missing`;
    return undefined;
  } finally {
    known.close();
  }
}

/**
 * What ANALYZE adds, by hand or from another tool: it only guides how queries are answered. Any other name of SQLite's own is
 * looked at like the rest: who edits the schema's table can give it to a trigger.
 */
const STATISTICS: ReadonlyMap<string, string> = new Map([
  ['table sqlite_stat1', 'CREATE TABLE sqlite_stat1(tbl,idx,stat)'],
  ['table sqlite_stat4', 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)'],
]);

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  /** Null for the indexes that a constraint implies. */
  readonly sql: string | null;
}

function objectsOf(db: Sqlite): SchemaObject[] {
  return db
    .prepare('SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema ORDER BY type, name')
    .all() as SchemaObject[];
}
