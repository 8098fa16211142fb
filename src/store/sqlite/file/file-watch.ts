// Whether a store's file is still what it was, looked at before every commit: a file that was deleted, replaced, overwritten or
// cut off while it is open still takes writes, which nobody would ever find again.
//
// No file of the store is opened here but by SQLite: closing one drops the locks that this process has on it.
import { statSync } from 'node:fs';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import { openSqlite } from '../../../sqlite/open.js';
import type { Sqlite, SqliteStatement } from '../../../sqlite/sqlite.js';
import { equalBytes } from '../../../proof/bytes.js';
import { StoreError } from '../../../errors.js';
import type { OpenLog } from '../log/open-log.js';
import { hashAt } from '../log/rows.js';
import { readMarker } from './marker.js';
import { checkedLog, storeIdOf } from './open.js';

/** Of the write-ahead log: before its first page, and before each. */
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
/** Another process that is moving pages into the file says so when it is done: so long it may take. */
const MOVING_MS = 1000;
const LOOK_AGAIN_MS = 10;
/**
 * The write-ahead log is not looked at more often: some file systems then note the time of the next write more exactly, which
 * cost a lone append a fifth of its time (measured, Linux 6.18).
 */
const LOG_EVERY_MS = 20;

export interface Tail {
  readonly seq: bigint;
  readonly hash: Uint8Array;
}

interface File {
  readonly id: string;
  readonly size: bigint;
  readonly changedAt: bigint;
}

/** What SQLite says of the write-ahead log: pages in it, and how many of them were moved into the file. */
interface Pages {
  readonly log: bigint;
  readonly checkpointed: bigint;
  /** Another number when another connection has written. */
  readonly version: bigint;
}

interface Noted {
  readonly pages: Pages;
  readonly file: File | undefined;
}

export class FileWatch {
  readonly #db: Sqlite;
  readonly #path: string;
  readonly #opened: string | undefined;
  readonly #noop: SqliteStatement;
  readonly #version: SqliteStatement;
  #storeId: Uint8Array | undefined;
  #frameBytes = 0n;
  #last: Noted | undefined;
  #walId: number | undefined;
  /** When the write-ahead log is looked at again. */
  #logAt = 0;

  constructor(db: Sqlite, path: string) {
    this.#db = db;
    this.#path = path;
    this.#opened = statOf(path)?.id;
    // It moves nothing.
    this.#noop = db.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#version = db.prepare('PRAGMA data_version').pluck();
  }

  /** The file that was opened is the one at its path. */
  get isInPlace(): boolean {
    const file = statOf(this.#path);
    return file !== undefined && file.id === this.#opened;
  }

  /** After a commit, which is durable whatever is found here: what is found later is not its doing. */
  note(): void {
    try {
      // The file anew each time: commits of one size, each moved into it as a whole, leave the same numbers of pages.
      this.#last = { pages: this.#pages(), file: statOf(this.#path) };
    } catch {
      this.#last = undefined;
    }
  }

  /**
   * Before a commit. A look or two at the file system (measured: some microseconds); only a file that has changed since the
   * last one is opened once more, as whoever opens it next will find it.
   *
   * @param tail the newest row that was committed here, if any
   * @throws StoreError STORE_MISSING or STORE_DAMAGED
   */
  assertWhole(tail: Tail | undefined): void {
    this.#storeId ??= storeIdOf(this.#db, this.#path);
    const file = statOf(this.#path);
    if (!file || file.id !== this.#opened) {
      throw new StoreError(
        'STORE_MISSING',
        `the root store ${this.#path} was deleted or replaced while in use`,
      );
    }
    this.#last ??= { pages: this.#pages(), file };
    const last = this.#last;
    try {
      // Twice: another process may have emptied it in between.
      if (performance.now() >= this.#logAt) {
        if (this.#isCut(last.pages) && this.#isCut(this.#pages()))
          throw new Changed('its write-ahead log is cut off');
        this.#logAt = performance.now() + LOG_EVERY_MS;
      }
      if (sameFile(file, last.file)) return;
      this.#assertMoved(last.pages);
      this.#assertLength(last, file);
      this.#assertLog(tail);
      this.#last = { pages: last.pages, file };
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      const message = `the root store ${this.#path} was changed by somebody else while in use: ${cause.message}`;
      throw new StoreError('STORE_DAMAGED', message, { cause });
    }
  }

  #pages(): Pages {
    const { log, checkpointed } = this.#noop.get() as Record<'log' | 'checkpointed', number | bigint>;
    const version = this.#version.get() as number | bigint;
    return { log: BigInt(log), checkpointed: BigInt(checkpointed), version: BigInt(version) };
  }

  /** Not all pages that are in use are there. What is written behind a hole nobody finds. */
  #isCut({ log }: Pages): boolean {
    if (log <= 0n) return false;
    this.#frameBytes ||= BigInt(FRAME_HEADER) + this.#number('page_size');
    const wal = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    if (!wal || BigInt(wal.size) < BigInt(WAL_HEADER) + log * this.#frameBytes) return true;
    this.#walId ??= wal.ino;
    return wal.ino !== this.#walId;
  }

  /** SQLite writes nothing into the file but what was in the log before. */
  #assertMoved(last: Pages): void {
    const until = performance.now() + MOVING_MS;
    for (;;) {
      const { checkpointed, version } = this.#pages();
      // Another connection that writes may move pages over and over.
      if (checkpointed !== last.checkpointed || version !== last.version) return;
      if (performance.now() > until) throw new Changed('it was written to');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    }
  }

  /** A file gets shorter when room is given back: then it has all pages when all of the log has been moved into it. */
  #assertLength(last: Noted, file: File): void {
    if (!last.file || file.size >= last.file.size) return;
    if (file.size === 0n) throw new Changed('it is empty');
    const [{ log, checkpointed }] = this.#db.pragma('wal_checkpoint(PASSIVE)') as [Pages];
    const bytes = this.#number('page_count') * this.#number('page_size');
    const found = statOf(this.#path)?.size ?? 0n;
    if (log === checkpointed && found < bytes)
      throw new Changed(`it is cut off after ${found.toString()} of ${bytes.toString()} bytes`);
  }

  #number(pragma: string): bigint {
    return BigInt(this.#db.pragma(pragma, { simple: true }) as number | bigint);
  }

  #assertLog(tail: Tail | undefined): void {
    const db = openSqlite(this.#path, { readonly: true, fileMustExist: true });
    try {
      db.defaultSafeIntegers(true);
      const log = checkedLog(db, this.#path, readMarker(this.#path));
      if (!this.#storeId || !equalBytes(log.storeId, this.#storeId))
        throw new Changed('it is another store by now');
      if (tail && !log.settled(() => holds(log, tail))) {
        throw new Changed(`row ${tail.seq.toString()}, which was written, is not in it`);
      }
    } finally {
      db.close();
    }
  }
}

class Changed extends Error {}

/** Not a lock, nor a process that may open no more files. */
function isDamage(error: unknown): error is Error {
  if (isSqliteError(error)) return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ|ERROR)/.test(error.code);
  return error instanceof Changed || error instanceof StoreError;
}

/** Requires `settled`. */
function holds(log: OpenLog, { seq, hash }: Tail): boolean {
  const base = log.base();
  if (seq < base.seq) return true;
  const found = seq === base.seq ? base.hash : hashAt(log, seq);
  return found !== null && equalBytes(found, hash);
}

function sameFile(one: File | undefined, other: File | undefined): boolean {
  return one?.id === other?.id && one?.size === other?.size && one?.changedAt === other?.changedAt;
}

function statOf(path: string): File | undefined {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  return file && { id: `${file.dev}:${file.ino}`, size: file.size, changedAt: file.mtimeNs };
}
