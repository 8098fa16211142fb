// Makes a store in a schema, whole or not at all.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { chainStart } from '../../log/audit-row.js';
import { STORE_ID_SIZE } from '../../log/checkpoint.js';
import { inTransaction } from '../link/in-transaction.js';
import type { Link } from '../link/link.js';
import { FUNCTIONS, createSql } from '../sql/functions.js';
import { SCHEMA_VERSION, TABLES } from '../sql/tables.js';
import { inspect } from './inspect.js';

/** Does nothing when another process was faster. */
export async function createStore(link: Link, label: string, schema: string): Promise<void> {
  await inTransaction(link, async () => {
    await link.query(`SELECT pg_advisory_xact_lock(hashtext('immu-ts ' || $1))::text`, [schema]);
    await link.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
    if ((await inspect(link, label, schema)) === null) await makeTables(link);
  });
}

async function makeTables(link: Link): Promise<void> {
  const statements = TABLES.replaceAll(/--.*$/gm, '').split(';');
  for (const statement of statements) if (statement.trim() !== '') await link.query(statement);
  for (const made of FUNCTIONS) await link.query(createSql(made));
  const id = new Uint8Array(randomBytes(STORE_ID_SIZE));
  const start = chainStart(id);
  await link.query(
    'INSERT INTO store (version, id, rows, hash, base_seq, base_hash) VALUES ($1, $2, 0, $3, 0, $3)',
    [SCHEMA_VERSION, id, start],
  );
}
