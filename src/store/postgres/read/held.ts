// What is held beside the rows: heads, identities, checkpoints, archives, blocks of headers.
import type { ArchiveInfo, Checkpoint } from '../../audit-log.js';
import type { StoredRoot, TrustKey } from '../../audit-types.js';
import type { HeaderBlock, HeaderBlockInfo } from '../../header-store.js';
import { checkpointBytes, parseCheckpoint } from '../../log/checkpoint.js';
import type { StateAt } from '../../log/log-state.js';
import type { Link, Row, Value } from '../link/link.js';
import { asBytes } from '../link/values.js';
import { bigint, bytes, hashOf, text } from './rows.js';

/** A ledger by the names in $1 and $2. */
export const LEDGER = `(SELECT l.id FROM ledger l WHERE sha256(l.server) = sha256($1::bytea)
  AND sha256(l.database) = sha256($2::bytea) AND l.server = $1 AND l.database = $2)`;

export function keyValues({ server, database }: TrustKey): Value[] {
  return [asBytes(server), asBytes(database)];
}

export async function headOf(link: Link, key: TrustKey): Promise<StoredRoot | null> {
  const sql = `SELECT tx, alh FROM head WHERE ledger = ${LEDGER}`;
  const [row] = await link.query(sql, keyValues(key), 'immu_head');
  return row ? { tx: bigint(row['tx']), alh: hashOf(row['alh']) } : null;
}

export async function identityOf(link: Link, address: string): Promise<string | null> {
  const sql = 'SELECT server FROM identity WHERE name = sha256($1::bytea) AND address = $1';
  const [row] = await link.query(sql, [asBytes(address)]);
  return row ? text(row['server']) : null;
}

/** All heads and identities, in the order of the bytes of their names. */
export async function heldState(link: Link): Promise<StateAt> {
  const heads = await link.query(
    `SELECT coalesce(l.server, '(unknown)') AS server, coalesce(l.database, '(unknown)') AS database, h.tx, h.alh
     FROM head h LEFT JOIN ledger l ON l.id = h.ledger ORDER BY 1, 2`,
  );
  const identities = await link.query('SELECT address, server FROM identity ORDER BY address');
  return {
    heads: heads.map(({ server, database, tx, alh }) => ({
      ...{ server: text(server), database: text(database) },
      ...{ tx: bigint(tx), alh: hashOf(alh) },
    })),
    identities: identities.map(({ address, server }) => ({ address: text(address), server: text(server) })),
  };
}

export async function checkpointsOf(link: Link, after: bigint | null, limit: number): Promise<Checkpoint[]> {
  const sql = `SELECT c.* FROM checkpoint c, store s WHERE c.seq > $1 AND c.seq >= s.base_seq ORDER BY c.seq, c.id LIMIT $2`;
  return (await link.query(sql, [after ?? -1n, limit])).map(toCheckpoint);
}

/** @throws ArgumentError when the bytes are not a checkpoint's */
export function toCheckpoint({ bytes: held, signature, key_fingerprint: fingerprint }: Row): Checkpoint {
  return parseCheckpoint(bytes(held), {
    ...(signature !== null && { signature: bytes(signature) }),
    ...(fingerprint !== null && { keyFingerprint: bytes(fingerprint) }),
  });
}

export async function keepCheckpoint(link: Link, checkpoint: Checkpoint): Promise<void> {
  const { seq, time, signature, keyFingerprint } = checkpoint;
  await link.query(
    `INSERT INTO checkpoint (id, seq, time, bytes, signature, key_fingerprint)
     SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM checkpoint`,
    [seq, time, checkpointBytes(checkpoint), signature ?? null, keyFingerprint ?? null],
  );
}

export async function archivesOf(link: Link): Promise<ArchiveInfo[]> {
  return (await link.query('SELECT * FROM archive ORDER BY first_seq')).map((row) => ({
    path: text(row['path']),
    firstSeq: bigint(row['first_seq']),
    lastSeq: bigint(row['last_seq']),
    startHash: hashOf(row['start_hash']),
    lastHash: hashOf(row['last_hash']),
    archivedAt: Number(bigint(row['archived_at'])),
  }));
}

export async function headersOf(link: Link, key: TrustKey, first: bigint): Promise<HeaderBlock | null> {
  const [row] = await link.query(
    `SELECT b.id, b.last, b.head_tx, b.head_alh, c.proof, c.headers, c.columns
     FROM header_block b JOIN header_content c ON c.block = b.id WHERE b.ledger = ${LEDGER} AND b.first = $3`,
    [...keyValues(key), first],
  );
  if (!row) return null;
  const used = 'UPDATE header_block SET used = (SELECT max(used) + 1 FROM header_block) WHERE id = $1';
  await link.query(used, [bigint(row['id'])]);
  return {
    first,
    last: bigint(row['last']),
    head: { tx: bigint(row['head_tx']), alh: hashOf(row['head_alh']) },
    proof: bytes(row['proof']),
    headers: bytes(row['headers']),
    columns: bytes(row['columns']),
  };
}

export async function headerList(link: Link, filter: Partial<TrustKey>): Promise<HeaderBlockInfo[]> {
  const { server, database } = filter;
  const rows = await link.query(
    `SELECT l.server, l.database, b.first, b.last, b.bytes FROM header_block b JOIN ledger l ON l.id = b.ledger
     WHERE ($1::bytea IS NULL OR l.server = $1) AND ($2::bytea IS NULL OR l.database = $2) ORDER BY b.used, b.id`,
    [server === undefined ? null : asBytes(server), database === undefined ? null : asBytes(database)],
  );
  return rows.map((row) => ({
    ...{ server: text(row['server']), database: text(row['database']) },
    ...{ first: bigint(row['first']), last: bigint(row['last']), bytes: Number(bigint(row['bytes'])) },
  }));
}
