// The tables of the root store. A change is a new migration; what is here stays as it was released.
import type { AuditOutcome } from '../root-store.js';

/** `PRAGMA application_id`: "immu". */
export const APPLICATION_ID = 0x696d_6d75;

/** How outcomes stand in the table. A number is never given twice. */
export const OUTCOME_CODES: Readonly<Record<AuditOutcome, number>> = {
  root: 1,
  'first-use': 2,
  pinned: 3,
  forget: 4,
  calls: 5,
  failure: 6,
  fork: 7,
  rollback: 8,
  'identity-change': 9,
};

/** Migration n takes a store from `user_version` n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE store (
    id BLOB NOT NULL,                     -- random, also in the marker file
    rows INTEGER NOT NULL                 -- how many rows the log has: tells when the newest are gone
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
    seq INTEGER PRIMARY KEY,              -- 1, 2, 3, ... without a gap
    ledger INTEGER NOT NULL REFERENCES ledger,
    tx INTEGER NOT NULL,
    alh BLOB NOT NULL,
    outcome INTEGER NOT NULL,             -- OUTCOME_CODES
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
    evidence_hash BLOB,                   -- covers the row of the same seq in evidence
    hash BLOB NOT NULL                    -- see audit-row.ts
  ) STRICT;
  CREATE INDEX audit_by_tx ON audit (ledger, tx);
  CREATE INDEX audit_by_time ON audit (verified_at);
  -- Newest row of a kind in a database: last in its stretch of this index.
  CREATE INDEX audit_by_outcome ON audit (outcome, ledger);

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
