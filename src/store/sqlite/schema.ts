// The tables of the root store. A change is a new migration; what is here stays as it was released.

/** `PRAGMA application_id`: "immu". */
export const APPLICATION_ID = 0x696d_6d75;

/** Migration n takes a store from `user_version` n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (
    id BLOB NOT NULL                      -- random, also in the marker file
  ) STRICT;

  -- Texts that recur in every row are kept once.
  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    server TEXT NOT NULL,
    database TEXT NOT NULL,
    UNIQUE (server, database)
  ) STRICT;
  CREATE TABLE word (
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
    seq INTEGER PRIMARY KEY,
    ledger INTEGER NOT NULL REFERENCES ledger,
    tx INTEGER NOT NULL,
    alh BLOB NOT NULL,
    outcome INTEGER NOT NULL REFERENCES word,
    previous_tx INTEGER,
    operation INTEGER NOT NULL REFERENCES word,
    calls INTEGER NOT NULL,
    header_time INTEGER NOT NULL,         -- unix seconds
    signature BLOB,
    key_fingerprint BLOB,
    verified_at INTEGER NOT NULL,         -- unix milliseconds
    duration_ms REAL NOT NULL,
    client INTEGER NOT NULL REFERENCES word,
    detail TEXT,
    hash BLOB NOT NULL                    -- see audit-row.ts
  ) STRICT;
  CREATE INDEX audit_by_tx ON audit (ledger, tx);
  CREATE INDEX audit_by_time ON audit (verified_at);

  CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY REFERENCES audit,
    failed_check TEXT NOT NULL,
    expected TEXT,
    computed TEXT,
    job BLOB NOT NULL
  ) STRICT;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;
