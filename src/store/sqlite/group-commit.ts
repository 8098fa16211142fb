// Group commit: writes that arrive together share one transaction, and so one flush to disk.
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StoreError } from '../../errors.js';
import { toSent } from './messages.js';
import type { Numbered, StoreAnswer, StoreDiagnostics, WriteRequest } from './messages.js';
import { takeCheckpoint } from './auto-checkpoint.js';
import type { AutoCheckpoint } from './auto-checkpoint.js';
import type { LogWriter } from './log-writer.js';

type Write = Numbered<WriteRequest>;

export class GroupCommit {
  readonly #writer: LogWriter;
  readonly #checkpoints: AutoCheckpoint | undefined;
  readonly #path: string;
  readonly #file: string;
  readonly #inGroup: (writes: readonly Write[]) => StoreAnswer[];
  readonly #inSavepoint: (write: WriteRequest) => unknown;
  readonly #db: Database.Database;
  #commits = 0;
  #writes = 0;

  constructor(db: Database.Database, writer: LogWriter, path: string, checkpoints?: AutoCheckpoint) {
    this.#db = db;
    this.#writer = writer;
    this.#checkpoints = checkpoints;
    this.#path = path;
    this.#file = fileAt(path);
    // IMMEDIATE: the lock is taken before anything is read, so a compare-and-set holds against other processes.
    const group = db.transaction((writes: readonly Write[]) => {
      writer.begin();
      const answers = writes.map((item) => this.#one(item));
      this.#checkpoints?.takeIfDue(writer);
      writer.finish();
      return answers;
    });
    this.#inGroup = (writes) => group.immediate(writes);
    this.#inSavepoint = db.transaction((write: WriteRequest) => this.#run(write));
  }

  get diagnostics(): StoreDiagnostics {
    return { commits: this.#commits, writes: this.#writes };
  }

  /** Answers only what is durable. Each write has its own outcome. */
  commit(writes: readonly Write[]): StoreAnswer[] {
    if (writes.length === 0) return [];
    try {
      this.#assertInPlace();
      const answers = this.#inGroup(writes);
      this.#commits += 1;
      this.#writes += writes.length;
      return answers;
    } catch (error) {
      // Nothing of the group was committed, so nothing of it may look done.
      this.#writer.undone();
      // A disk that is full for one large row may have room for its neighbours.
      if (writes.length > 1 && isAboutContent(error)) return writes.flatMap((item) => this.commit([item]));
      return writes.map(({ id }) => ({ id, ok: false, error: toSent(error, this.#path) }));
    }
  }

  #one({ id, request }: Write): StoreAnswer {
    try {
      return { id, ok: true, value: this.#inSavepoint(request) };
    } catch (error) {
      // SQLite ends the whole transaction on some errors: then the neighbours before this one are undone too.
      if (!this.#db.inTransaction) throw error;
      this.#writer.undone();
      return { id, ok: false, error: toSent(error, this.#path) };
    }
  }

  #run(request: WriteRequest): unknown {
    switch (request.kind) {
      case 'advance':
        return this.#writer.advance(request.expected, request.entry);
      case 'record':
        this.#writer.record(request.entry);
        return undefined;
      case 'forget':
        this.#writer.forget(request.entry);
        return undefined;
      case 'bind':
        return this.#writer.bindIdentity(request.address, request.server);
      case 'rebind':
        this.#writer.rebindIdentity(request.address, request.server);
        return undefined;
      case 'checkpoint':
        return takeCheckpoint(this.#writer, request.key);
    }
  }

  /** A file that was deleted or replaced while open still takes writes, which nobody would ever find again. */
  #assertInPlace(): void {
    if (fileAt(this.#path) === this.#file) return;
    throw new StoreError(
      'STORE_MISSING',
      `the root store ${this.#path} was deleted or replaced while in use`,
    );
  }
}

function fileAt(path: string): string {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  return file ? `${file.dev.toString()}:${file.ino.toString()}` : '';
}

function isAboutContent(error: unknown): boolean {
  return error instanceof Database.SqliteError && !error.code.startsWith('SQLITE_BUSY');
}
