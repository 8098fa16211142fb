// Moves the oldest rows of a log in PostgreSQL into an archive, which is a file as those of the SQLite store are. In this order, so
// that a process may be killed at any moment: the file is made and checked, it gets its name, the log begins behind it, and what
// its rows took is freed.
import { existsSync } from 'node:fs';
import { ImmuError, StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { ArchiveInfo, ArchiveOptions } from '../../audit-log.js';
import { ArchiveOfRows } from '../../sqlite/file/archive-of-rows.js';
import { checkedArchive } from '../../sqlite/file/archive-file.js';
import type { ArchivePart, CheckedArchive } from '../../sqlite/file/archive-file.js';
import { fromSent, toSent } from '../../sqlite/thread/messages.js';
import { LinkLost } from '../link/errors.js';
import { inTransaction } from '../link/in-transaction.js';
import type { Link } from '../link/link.js';
import { archivesOf, toCheckpoint } from '../read/held.js';
import { pageOf } from '../read/questions.js';
import { bigint, bytes } from '../read/rows.js';

const FREED_ROWS = 4096;

/** Has the log begin behind an archive: a write like others. */
export type BeginBehind = (path: string, made: CheckedArchive) => Promise<ArchiveInfo>;

/** @throws StoreError, also for what SQLite and the file system say */
export async function archiveRows(
  link: Link,
  options: ArchiveOptions,
  begin: BeginBehind,
): Promise<ArchiveInfo | null> {
  try {
    return await archived(link, options, begin);
  } catch (error) {
    if (error instanceof ImmuError || error instanceof LinkLost) throw error;
    throw fromSent(toSent(error, options.path));
  }
}

async function archived(
  link: Link,
  options: ArchiveOptions,
  beginBehind: BeginBehind,
): Promise<ArchiveInfo | null> {
  const { path } = options;
  const part = await planned(link, options);
  if (existsSync(path)) {
    const made = await checkedArchive(path, part.storeId, () => Promise.resolve());
    const known = (await archivesOf(link)).find(({ lastSeq }) => lastSeq === made.lastSeq);
    const info = known && equalBytes(known.lastHash, made.lastHash) ? known : await beginBehind(path, made);
    await freeRows(link);
    return info;
  }
  if (part.lastSeq <= part.base.seq) return null;
  const info = await beginBehind(path, await madeArchive(link, path, part));
  await freeRows(link);
  return info;
}

/** What there is to archive. */
async function planned(link: Link, options: ArchiveOptions): Promise<ArchivePart> {
  const [store = {}] = await link.query('SELECT * FROM store');
  const newest = bigint(store['rows']);
  const checkpoint = store['base_checkpoint'];
  const base = {
    seq: bigint(store['base_seq']),
    hash: bytes(store['base_hash']),
    checkpoint: checkpoint === null ? null : bytes(checkpoint),
  };
  return { base, storeId: bytes(store['id']), lastSeq: await cutOf(link, options, newest) };
}

/** The last row to be archived. */
async function cutOf(link: Link, options: ArchiveOptions, newest: bigint): Promise<bigint> {
  if ('through' in options) return options.through < newest ? options.through : newest;
  if ('keepRows' in options) return newest - BigInt(options.keepRows);
  const [first] = await pageOf(link, { timeRange: { from: options.before }, outcome: 'all', limit: 1 });
  return first ? first.seq - 1n : newest;
}

async function madeArchive(link: Link, path: string, part: ArchivePart): Promise<CheckedArchive> {
  const { base, lastSeq } = part;
  const draft = new ArchiveOfRows(path, part);
  try {
    for (let after = base.seq; after < lastSeq;) {
      const page = await pageOf(link, { outcome: 'all', after });
      const rows = page.filter(({ seq }) => seq <= lastSeq);
      const last = rows.at(-1);
      if (!last)
        throw new StoreError('STORE_DAMAGED', `row ${(after + 1n).toString()} of the audit log is missing`);
      draft.add(rows);
      after = last.seq;
    }
    const kept = await link.query('SELECT * FROM checkpoint WHERE seq BETWEEN $1 AND $2 ORDER BY id', [
      base.seq,
      lastSeq,
    ]);
    return draft.publish(await archivesOf(link), kept.map(toCheckpoint));
  } finally {
    draft.close();
  }
}

/** Frees what archived rows still take. */
async function freeRows(link: Link): Promise<void> {
  // Nobody takes up evidence of old meanwhile.
  await inTransaction(link, async () => {
    await link.query('SELECT 1 FROM store FOR UPDATE');
    await link.query('DELETE FROM evidence WHERE seq <= (SELECT base_seq FROM store)');
    await link.query(
      'DELETE FROM evidence_blob b WHERE NOT EXISTS (SELECT 1 FROM evidence e WHERE e.blob = b.id)',
    );
  });
  const free = `WITH gone AS (DELETE FROM audit WHERE seq IN (SELECT seq FROM audit
    WHERE seq <= (SELECT base_seq FROM store) ORDER BY seq LIMIT ${FREED_ROWS}) RETURNING 1) SELECT count(*) AS rows FROM gone`;
  while (bigint((await link.query(free))[0]?.['rows']) > 0n);
}
