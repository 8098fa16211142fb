// Has the log begin behind the rows of an archive: in the transaction that appends the row which says so.
import { StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { sha256 } from '../../../proof/hash.js';
import type { ArchiveInfo, Checkpoint } from '../../audit-log.js';
import type { AuditEntry } from '../../audit-types.js';
import { checkpointBytes } from '../../log/checkpoint.js';
import { HOUR_MS } from '../../log/audit-stats.js';
import { archiveEntry } from '../../log/own-rows.js';
import type { CheckedArchive } from '../../sqlite/file/archive-file.js';
import type { Link } from '../link/link.js';
import { asBytes, numberArray } from '../link/values.js';
import { keepCheckpoint } from '../read/held.js';
import { ZONED } from '../read/questions.js';
import { bigint, bytes } from '../read/rows.js';
import { BLOCK_ROWS, FAN_OUT, HOUR, SUMS } from '../sql/append.js';

export interface BeginBehindRequest {
  readonly kind: 'beginBehind';
  readonly path: string;
  readonly made: CheckedArchive;
}

export interface NewBeginning {
  readonly entry: AuditEntry;
  readonly info: ArchiveInfo;
  readonly checkpoint: Checkpoint;
}

/** Requires a transaction that holds the log. @throws StoreError STORE_FOREIGN when these are not its oldest rows */
export async function newBeginning(link: Link, { path, made }: BeginBehindRequest): Promise<NewBeginning> {
  const { lastSeq, lastHash } = made;
  const [found] = await link.query(
    'SELECT s.id, s.base_seq, s.base_hash, a.hash FROM store s LEFT JOIN audit a ON a.seq = $1',
    [lastSeq],
  );
  const [base, hash] = [bigint(found?.['base_seq']), found?.['hash']];
  const follows = base === made.base.seq && equalBytes(bytes(found?.['base_hash']), made.base.hash);
  if (!follows || lastSeq <= base || !(hash instanceof Uint8Array) || !equalBytes(hash, lastHash))
    throw new StoreError('STORE_FOREIGN', `the archive ${path} does not hold the oldest rows of this log`);
  const now = Date.now();
  const checkpoint: Checkpoint = {
    ...{ storeId: bytes(found?.['id']), seq: lastSeq, hash: lastHash, time: now },
    ...made.state,
  };
  return {
    entry: archiveEntry({ seq: lastSeq, before: base, hash: sha256(checkpointBytes(checkpoint)) }, now),
    info: { path, firstSeq: base + 1n, lastSeq, startHash: made.base.hash, lastHash, archivedAt: now },
    checkpoint,
  };
}

/** The same transaction, once the row is there. */
export async function beginBehind(link: Link, { info, checkpoint }: NewBeginning): Promise<ArchiveInfo> {
  const { path, firstSeq, lastSeq, startHash, lastHash, archivedAt } = info;
  await link.query('UPDATE store SET base_seq = $1, base_hash = $2, base_checkpoint = $3', [
    ...[lastSeq, lastHash, checkpointBytes(checkpoint)],
  ]);
  await clearHours(link, lastSeq);
  for (const level of [0, 1, 2]) {
    const first = lastSeq / (BigInt(BLOCK_ROWS) * BigInt(FAN_OUT) ** BigInt(level));
    await link.query('DELETE FROM zone WHERE level = $1 AND number < $2', [level, first]);
  }
  await link.query('DELETE FROM checkpoint WHERE seq < $1', [lastSeq]);
  await link.query('INSERT INTO archive VALUES ($1, $2, $3, $4, $5, $6)', [
    ...[firstSeq, lastSeq, startHash, lastHash, archivedAt, asBytes(path)],
  ]);
  await keepCheckpoint(link, checkpoint);
  return info;
}

/** Takes the rows up to `base` out of the sums; the rows above it are still there. */
async function clearHours(link: Link, base: bigint): Promise<void> {
  const cut = await link.query('DELETE FROM hour WHERE first_seq <= $1 RETURNING kind, hour, last_seq', [
    base,
  ]);
  const left = cut.filter(({ last_seq: last }) => bigint(last) > base);
  await link.query(
    `INSERT INTO hour (kind, hour, rows, calls, micros, max_micros, tx_min, tx_max, first_seq, last_seq)
     SELECT a.kind, ${HOUR}, ${SUMS}, min(a.seq), max(a.seq)
     FROM store s, unnest($1::int4[], $2::int8[], $3::int8[]) h (kind, hour, last)
       JOIN audit a ON a.kind = h.kind AND a.seq BETWEEN $4::int8 + 1 AND h.last
         AND a.verified_at >= h.hour * ${HOUR_MS} AND a.verified_at < (h.hour + 1) * ${HOUR_MS}
     WHERE a.seq <= ${ZONED} GROUP BY 1, 2`,
    [
      numberArray(left.map(({ kind }) => kind as number)),
      numberArray(left.map(({ hour }) => bigint(hour))),
      numberArray(left.map(({ last_seq: last }) => bigint(last))),
      base,
    ],
  );
}
