// Whether a store's file is still what it was, looked at before every commit: a file that was deleted, replaced, overwritten or
// cut off while it is open still takes writes, which nobody would ever find again.
//
// No file of the store is opened here but by SQLite: closing one drops the locks that this process has on it.
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { equalBytes } from '../../proof/bytes.js';
import { StoreError } from '../../errors.js';
import type { LogReader } from './log-reader.js';
import { readMarker } from './marker.js';
import { checkedLog, storeIdOf } from './open.js';

/** Of the write-ahead log: before its first page, and before each. */
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
/** Another process that is moving pages into the file says so when it is done: so long it may take. */
const MOVING_MS = 1000;
const LOOK_AGAIN_MS = 10;

export interface Tail {
  readonly seq: bigint;
  readonly hash: Uint8Array;
}

interface File {
  readonly id: string;
  readonly size: bigint;
  readonly changedAt: bigint;
}

/** The write-ahead log: pages in it, and how many of them were moved into the file. */
interface Pages {
  readonly log: bigint;
  readonly checkpointed: bigint;
}

interface Look {
  readonly pages: Pages;
  readonly file: File | undefined;
  readonly wal: File | undefined;
}

export class FileWatch {
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #opened: string | undefined;
  #storeId: Uint8Array | undefined;
  #last: Look | undefined;

  constructor(db: Database.Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#opened = statOf(path)?.id;
  }

  /** The file that was opened is the one at its path. */
  get isInPlace(): boolean {
    const file = statOf(this.#path);
    return file !== undefined && file.id === this.#opened;
  }

  /** After a commit, which is durable whatever is found here: what is found later is not its doing. */
  note(): void {
    try {
      this.#last = this.#look();
    } catch {
      this.#last = undefined;
    }
  }

  /**
   * Before a commit. Two looks at the file system; only a file that has changed since the last one is opened once more, as
   * whoever opens it next will find it.
   *
   * @param tail the newest row that was committed here, if any
   * @throws StoreError STORE_MISSING or STORE_DAMAGED
   */
  assertWhole(tail: Tail | undefined): void {
    this.#storeId ??= storeIdOf(this.#db, this.#path);
    this.#last ??= this.#look();
    const [last, now] = [this.#last, this.#look()];
    if (!now.file || now.file.id !== this.#opened) {
      throw new StoreError(
        'STORE_MISSING',
        `the root store ${this.#path} was deleted or replaced while in use`,
      );
    }
    if (sameFile(now.file, last.file) && sameFile(now.wal, last.wal)) return;
    try {
      // Twice: another process may have emptied it in between.
      if (this.#missingInWal(now) && this.#missingInWal(this.#look()))
        throw new Changed('its write-ahead log is cut off');
      if (sameFile(now.file, last.file)) return;
      this.#assertMoved(last, now);
      this.#assertLength(last, now);
      this.#assertLog(tail);
    } catch (cause) {
      if (!isDamage(cause)) throw cause;
      const message = `the root store ${this.#path} was changed by somebody else while in use: ${cause.message}`;
      throw new StoreError('STORE_DAMAGED', message, { cause });
    }
  }

  #look(): Look {
    // NOOP moves nothing. Before the files: what is moved in between is then seen the next time.
    const pages = this.#checkpoint('NOOP');
    return { pages, file: statOf(this.#path), wal: statOf(`${this.#path}-wal`) };
  }

  /** Not all pages that are in use are there. What is written behind a hole nobody finds. */
  #missingInWal({ pages, wal }: Look): boolean {
    if (pages.log <= 0n) return false;
    const frame = BigInt(FRAME_HEADER) + this.#number('page_size');
    return (wal?.size ?? 0n) < BigInt(WAL_HEADER) + pages.log * frame;
  }

  /** SQLite writes nothing into the file but what was in the log before. */
  #assertMoved(last: Look, now: Look): void {
    // Another process has written, and may have moved pages over and over.
    if (!sameFile(now.wal, last.wal)) return;
    const until = performance.now() + MOVING_MS;
    for (let { pages } = now; pages.checkpointed === last.pages.checkpointed; { pages } = this.#look()) {
      if (performance.now() > until) throw new Changed('it was written to');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    }
  }

  /** A file gets shorter when room is given back: then it has all pages when all of the log has been moved into it. */
  #assertLength(last: Look, { file }: Look): void {
    if (!file || !last.file || file.size >= last.file.size) return;
    if (file.size === 0n) throw new Changed('it is empty');
    const { log, checkpointed } = this.#checkpoint('PASSIVE');
    const bytes = this.#number('page_count') * this.#number('page_size');
    const found = statOf(this.#path)?.size ?? 0n;
    if (log === checkpointed && found < bytes)
      throw new Changed(`it is cut off after ${found.toString()} of ${bytes.toString()} bytes`);
  }

  #checkpoint(how: 'NOOP' | 'PASSIVE'): Pages {
    const [{ log, checkpointed }] = this.#db.pragma(`wal_checkpoint(${how})`) as [
      Record<keyof Pages, number>,
    ];
    return { log: BigInt(log), checkpointed: BigInt(checkpointed) };
  }

  #number(pragma: string): bigint {
    return BigInt(this.#db.pragma(pragma, { simple: true }) as number | bigint);
  }

  #assertLog(tail: Tail | undefined): void {
    const db = new Database(this.#path, { readonly: true, fileMustExist: true });
    try {
      db.defaultSafeIntegers(true);
      const reader = checkedLog(db, this.#path, readMarker(this.#path));
      if (!this.#storeId || !equalBytes(reader.storeId, this.#storeId))
        throw new Changed('it is another store by now');
      if (tail && !reader.settled(() => holds(reader, tail))) {
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
  if (error instanceof Database.SqliteError)
    return /^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ|ERROR)/.test(error.code);
  return error instanceof Changed || error instanceof StoreError;
}

/** Requires `settled`. */
function holds(reader: LogReader, { seq, hash }: Tail): boolean {
  const base = reader.base();
  if (seq < base.seq) return true;
  const found = seq === base.seq ? base.hash : reader.hashOf(seq);
  return found !== null && equalBytes(found, hash);
}

function sameFile(one: File | undefined, other: File | undefined): boolean {
  return one?.id === other?.id && one?.size === other?.size && one?.changedAt === other?.changedAt;
}

function statOf(path: string): File | undefined {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  return file && { id: `${file.dev}:${file.ino}`, size: file.size, changedAt: file.mtimeNs };
}
