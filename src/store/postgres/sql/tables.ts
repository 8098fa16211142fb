// The tables of a root store in PostgreSQL: those of the SQLite file, in one schema. Text of callers and servers is bytea, for
// PostgreSQL's own text takes no U+0000, and orders by the rules of some language. What is here stays as it was released.

/** Of the tables and functions of a store. */
export const SCHEMA_VERSION = 1;

/** Says that a schema is a store of ours: the comment on the table `store`. */
export const OURS = 'immu-ts root store';

export const TABLES = `
CREATE TABLE store (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  version int4 NOT NULL,
  id bytea NOT NULL,                       -- random: a schema that was dropped and made anew has another
  rows int8 NOT NULL,                      -- seq of the newest row, and its hash
  hash bytea NOT NULL,
  base_seq int8 NOT NULL,                  -- rows up to this one are in archives
  base_hash bytea NOT NULL,
  base_checkpoint bytea
) WITH (fillfactor = 50);
CREATE TABLE ledger (
  id int4 PRIMARY KEY,
  server bytea NOT NULL,
  database bytea NOT NULL,
  forgotten boolean NOT NULL DEFAULT false -- trust was forgotten once: a head that moves may meet roots of before
);
CREATE UNIQUE INDEX ledger_by_name ON ledger (sha256(server), sha256(database));
CREATE INDEX ledger_forgotten ON ledger (id) WHERE forgotten;
CREATE TABLE kind (
  id int4 PRIMARY KEY,
  ledger int4 NOT NULL,
  operation bytea NOT NULL,
  outcome int2 NOT NULL
);
CREATE UNIQUE INDEX kind_by_name ON kind (ledger, outcome, sha256(operation));
CREATE TABLE client (
  id int4 PRIMARY KEY,
  text bytea NOT NULL
);
CREATE UNIQUE INDEX client_by_text ON client (sha256(text));
CREATE TABLE head (
  ledger int4 PRIMARY KEY,
  tx int8 NOT NULL,
  alh bytea NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE identity (
  name bytea PRIMARY KEY,                  -- SHA-256 of the address
  address bytea NOT NULL,
  server bytea NOT NULL
);
CREATE TABLE audit (
  seq int8 NOT NULL,
  tx int8 NOT NULL,
  previous_tx int8,
  calls int8 NOT NULL,
  header_time int8 NOT NULL,
  verified_at int8 NOT NULL,
  duration_ms float8 NOT NULL,
  kind int4 NOT NULL,
  client int4,                             -- or the name itself, when there are too many
  alh bytea NOT NULL,
  hash bytea NOT NULL,
  signature bytea,
  key_fingerprint bytea,
  evidence_hash bytea,
  client_text bytea,
  detail bytea
);
CREATE UNIQUE INDEX audit_by_seq ON audit (seq);
CREATE INDEX audit_by_kind ON audit (kind, seq);
CREATE INDEX audit_by_tx ON audit (kind, tx);
CREATE TABLE evidence (
  seq int8 PRIMARY KEY,
  failed_check bytea NOT NULL,
  expected bytea,
  computed bytea,
  omitted_part text,
  omitted_reason text,
  omitted_sha256 bytea,
  omitted_length int8,
  blob int8
);
CREATE INDEX evidence_by_blob ON evidence (blob);
CREATE TABLE evidence_blob (
  id int8 PRIMARY KEY,
  sha256 bytea NOT NULL UNIQUE,
  bytes bytea NOT NULL
);
CREATE TABLE evidence_use (
  ledger int4 NOT NULL,
  hour int8 NOT NULL,
  bytes int8 NOT NULL,
  PRIMARY KEY (ledger, hour)
);
CREATE TABLE zone (
  kind int4 NOT NULL,
  level int2 NOT NULL,
  number int8 NOT NULL,
  time_min int8 NOT NULL,
  time_max int8 NOT NULL,
  tx_min int8 NOT NULL,
  tx_max int8 NOT NULL,
  PRIMARY KEY (kind, level, number)
);
-- Sums over the rows of each hour, but for the newest rows of the log, which are looked at.
CREATE TABLE hour (
  kind int4 NOT NULL,
  hour int8 NOT NULL,
  rows int8 NOT NULL,
  calls int8 NOT NULL,
  micros int8 NOT NULL,
  max_micros int8 NOT NULL,
  tx_min int8 NOT NULL,
  tx_max int8 NOT NULL,
  first_seq int8 NOT NULL,
  last_seq int8 NOT NULL,
  PRIMARY KEY (kind, hour)
) WITH (fillfactor = 70);
CREATE TABLE checkpoint (
  id int8 PRIMARY KEY,
  seq int8 NOT NULL,
  time int8 NOT NULL,
  bytes bytea NOT NULL,
  signature bytea,
  key_fingerprint bytea
);
CREATE INDEX checkpoint_by_seq ON checkpoint (seq);
CREATE TABLE archive (
  first_seq int8 PRIMARY KEY,
  last_seq int8 NOT NULL,
  start_hash bytea NOT NULL,
  last_hash bytea NOT NULL,
  archived_at int8 NOT NULL,
  path bytea NOT NULL
);
CREATE TABLE header_block (
  id int8 PRIMARY KEY,
  ledger int4 NOT NULL,
  first int8 NOT NULL,
  last int8 NOT NULL,
  head_tx int8 NOT NULL,
  head_alh bytea NOT NULL,
  used int8 NOT NULL,
  bytes int8 NOT NULL,
  UNIQUE (ledger, first)
);
CREATE TABLE header_content (
  block int8 PRIMARY KEY REFERENCES header_block ON DELETE CASCADE,
  proof bytea NOT NULL,
  headers bytea NOT NULL,
  columns bytea NOT NULL
);
-- The newest batch of each process that writes, and what it was answered: whether a commit that was not answered was done.
CREATE TABLE writer (
  id bytea PRIMARY KEY,
  batch int8 NOT NULL,
  outcome text NOT NULL,
  at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE store IS '${OURS}';
`;

/** Every table above. */
export const TABLE_NAMES = [...TABLES.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, name]) => name ?? '');
/** Every index above that has a name of ours. */
export const INDEX_NAMES = [...TABLES.matchAll(/^CREATE (?:UNIQUE )?INDEX (\w+)/gm)].map(
  ([, name]) => name ?? '',
);
