// Moves the oldest rows of a log into an archive. In this order, so that a process may be killed at any moment:
//
//   1. rows are copied to `<path>.draft`, and the copy is checked       the log is as it was
//   2. the copy, durable, gets its name                                 the log is as it was; the next call goes on at 3
//   3. in one commit the log begins behind the copied rows              the rows are in the archive, and no longer in the log
//   4. what the rows took is freed                                      goes on when the store is opened next
import type { KeyObject } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { StoreError } from '../../../errors.js';
import { equalBytes } from '../../../proof/bytes.js';
import { sha256 } from '../../../proof/hash.js';
import type { ArchiveInfo, ArchiveOptions, Checkpoint } from '../../audit-log.js';
import { checkpointBytes, signCheckpoint } from '../../log/checkpoint.js';
import { archiveEntry } from '../../log/own-rows.js';
import { ArchiveDraft, checkedArchive, damaged } from './archive-file.js';
import type { CheckedArchive } from './archive-file.js';
import type { Base, OpenLog } from '../log/open-log.js';
import type { LogWriter } from '../log/log-writer.js';
import { pageKeys } from '../log/page-keys.js';
import { hashAt } from '../log/rows.js';

/** Rows freed in one commit, and pages given back then. */
const FREED_ROWS = 2048;
const FREED_PAGES = 1024;
/** Pages that stay: recent rows take them and give them back all the time. */
const SPARE_PAGES = 256;
/** Codes of a file system that is full, or that a user may not fill. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

export type ArchiveStage = 'copy' | 'publish' | 'switch' | 'free';

export interface ArchiveJobOptions {
  readonly db: Sqlite;
  readonly log: OpenLog;
  readonly writer: LogWriter;
  /** Path of the log. */
  readonly path: string;
  /** Signs the checkpoint at the cut. */
  readonly key: KeyObject | undefined;
  /** Awaited before each step; other work goes on in between. */
  readonly pause: (stage: ArchiveStage) => Promise<void>;
}

export async function archiveRows(
  job: ArchiveJobOptions,
  options: ArchiveOptions,
): Promise<ArchiveInfo | null> {
  const { db, log, pause } = job;
  const { base, cut, archives } = planned(job, options);
  let made: CheckedArchive;
  const isThere = existsSync(options.path);
  if (isThere) {
    made = await checkedArchive(options.path, log.storeId, () => pause('copy'));
    const known = archives.find(({ lastSeq }) => lastSeq === made.lastSeq);
    if (known && equalBytes(known.lastHash, made.lastHash)) {
      await freeRows(job).catch((error: unknown) => {
        throw notFreed(known, error);
      });
      return known;
    }
  } else {
    if (cut <= base.seq) return null;
    made = await makeArchive(job, options.path, base, cut);
  }
  await pause('switch');
  let info: ArchiveInfo;
  try {
    info = db.transaction(() => beginBehind(job, options.path, made)).immediate();
  } catch (error) {
    job.writer.undone();
    // Another process was faster, and its archive has these rows.
    const overtaken = !isThere && isOvertaken(db, log, made);
    if (overtaken) rmSync(options.path, { force: true });
    throw !overtaken && isNoRoom(error) ? notBegun(options.path, error) : error;
  }
  // From here on the archive is the only place that has its rows.
  await freeRows(job).catch((error: unknown) => {
    throw notFreed(info, error);
  });
  return info;
}

/** Frees what archived rows still take. */
export async function freeRows({ db, log, pause }: ArchiveJobOptions): Promise<void> {
  for (;;) {
    await pause('free');
    const freed = db
      .transaction(() => {
        const { low } = log.range();
        const last = log.statements
          .get('SELECT max(seq) FROM (SELECT seq FROM audit WHERE seq < ? ORDER BY seq LIMIT ?)')
          .pluck()
          .get(low, FREED_ROWS) as bigint | null;
        if (last === null) return false;
        log.evidenceTable.free(last);
        log.statements.get('DELETE FROM audit WHERE seq <= ?').run(last);
        return true;
      })
      .immediate();
    const pages = Number(db.pragma('freelist_count', { simple: true }));
    if (!freed && pages <= SPARE_PAGES) return;
    if (pages > 0) db.pragma(`incremental_vacuum(${FREED_PAGES})`);
    if (!freed && pages <= Number(db.pragma('freelist_count', { simple: true }))) return;
  }
}

/** Every row there is now is moved to where it is copied from. */
function planned({ db, log, writer }: ArchiveJobOptions, options: ArchiveOptions) {
  const plan = () => {
    log.begin();
    log.recent.move();
    return { base: log.base(), cut: cutOf(log, options), archives: log.archives.all() };
  };
  try {
    return db.transaction(plan).immediate();
  } catch (error) {
    writer.undone();
    throw isNoRoom(error) ? notMade(options.path, error) : error;
  }
}

/** The last row to be archived. */
function cutOf(log: OpenLog, options: ArchiveOptions): bigint {
  const range = log.range();
  if ('through' in options) return options.through < range.high ? options.through : range.high;
  if ('keepRows' in options) return range.high - BigInt(options.keepRows);
  const [first] = pageKeys(log, { timeRange: { from: options.before }, outcome: 'all' }, range, 1);
  return first === undefined ? range.high : first - 1n;
}

async function makeArchive(
  { log, path: store, pause }: ArchiveJobOptions,
  path: string,
  base: Base,
  lastSeq: bigint,
): Promise<CheckedArchive> {
  let draft: ArchiveDraft | undefined;
  try {
    draft = new ArchiveDraft(path, store, { base, lastSeq, storeId: log.storeId });
    for (;;) {
      await pause('copy');
      const verdict = draft.step();
      if (!verdict) continue;
      if (!verdict.ok) throw damaged(`the root store ${store}`, verdict);
      await pause('publish');
      draft.publish();
      return { base, lastSeq, lastHash: verdict.lastHash, state: draft.state };
    }
  } catch (error) {
    throw isNoRoom(error) ? notMade(path, error) : error;
  } finally {
    draft?.close();
  }
}

/** The disk of the archive is what is full then: that of the log may be another. */
function notMade(path: string, cause: Error): StoreError {
  const words = `the archive ${path} cannot be made, the log is as it was: ${cause.message}`;
  return new StoreError('STORE_FAILED', words, { cause });
}

/** The archive is complete and durable, and the log still has its rows too. */
function notBegun(path: string, cause: Error): StoreError {
  const words = `the archive ${path} is made, the log still has its rows, call again to go on: ${cause.message}`;
  return new StoreError('STORE_FAILED', words, { cause });
}

/** What was archived is archived, and the log begins behind it: only the room is not there yet. */
function notFreed({ path, firstSeq, lastSeq }: ArchiveInfo, cause: unknown): unknown {
  if (!isNoRoom(cause)) return cause;
  const rows = `rows ${firstSeq.toString()} to ${lastSeq.toString()}`;
  const words = `${rows} are in the archive ${path}, what they took in the log is not freed yet: ${cause.message}`;
  return new StoreError('STORE_FAILED', words, { cause });
}

function isNoRoom(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const code = String(error.code);
  return code.startsWith('SQLITE_FULL') || code.startsWith('SQLITE_IOERR') || NO_ROOM.includes(code);
}

/** Requires a write transaction. */
function beginBehind(job: ArchiveJobOptions, path: string, made: CheckedArchive): ArchiveInfo {
  const { log, writer } = job;
  writer.begin();
  const base = log.base();
  const { lastSeq, lastHash } = made;
  const here = hashAt(log, lastSeq);
  const follows = base.seq === made.base.seq && equalBytes(base.hash, made.base.hash);
  if (!follows || lastSeq < log.range().low || !here || !equalBytes(here, lastHash)) {
    throw new StoreError('STORE_FOREIGN', `the archive ${path} does not hold the oldest rows of this log`);
  }
  const plain: Checkpoint = {
    storeId: log.storeId,
    seq: lastSeq,
    hash: lastHash,
    time: Date.now(),
    ...made.state,
  };
  const bytes = checkpointBytes(plain);
  const { statements } = log;
  statements
    .get('UPDATE store SET base_seq = ?, base_hash = ?, base_checkpoint = ?')
    .run(lastSeq, lastHash, bytes);
  log.hours.clear(lastSeq);
  log.zones.clear(lastSeq);
  statements.get('DELETE FROM checkpoint WHERE seq < ?').run(lastSeq);
  const info: ArchiveInfo = {
    path,
    firstSeq: base.seq + 1n,
    lastSeq,
    startHash: new Uint8Array(base.hash),
    lastHash,
    archivedAt: Date.now(),
  };
  log.archives.add(info);
  writer.append(archiveEntry({ seq: lastSeq, before: base.seq, hash: sha256(bytes) }, Date.now()));
  writer.keepCheckpoint(job.key ? signCheckpoint(plain, job.key) : plain);
  writer.finish();
  return info;
}

function isOvertaken(db: Sqlite, log: OpenLog, made: CheckedArchive): boolean {
  return db.open && db.transaction(() => log.base().seq)() !== made.base.seq;
}
