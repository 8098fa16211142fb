// Group commit: writes that arrive together share one transaction, and so one flush to disk.
import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StoreError } from '../../errors.js';
import { toSent } from './messages.js';
import type { Numbered, StoreAnswer, StoreDiagnostics, WriteRequest } from './messages.js';
import { takeCheckpoint } from './auto-checkpoint.js';
import type { AutoCheckpoint } from './auto-checkpoint.js';
import type { LogWriter } from './log-writer.js';
import { receiveEntry, receiveRoot } from './sent-entry.js';

type Write = Numbered<WriteRequest>;

export class GroupCommit {
  readonly #writer: LogWriter;
  readonly #checkpoints: AutoCheckpoint | undefined;
  readonly #path: string;
  readonly #file: string;
  readonly #inGroup: (writes: readonly Write[]) => StoreAnswer[];
  #commits = 0;
  #writes = 0;

  constructor(db: Database.Database, writer: LogWriter, path: string, checkpoints?: AutoCheckpoint) {
    this.#writer = writer;
    this.#checkpoints = checkpoints;
    this.#path = path;
    this.#file = fileAt(path);
    // IMMEDIATE: the lock is taken before anything is read, so a compare-and-set holds against other processes.
    const group = db.transaction((writes: readonly Write[]) => {
      writer.begin();
      const answers = writes.map(({ id, request }): StoreAnswer => ({
        id,
        ok: true,
        value: this.#run(request),
      }));
      this.#checkpoints?.takeIfDue(writer);
      writer.finish();
      return answers;
    });
    this.#inGroup = (writes) => group.immediate(writes);
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
      // One row that does not fit must not fail its neighbours. Halving costs few commits, and it is rare.
      if (writes.length > 1 && isAboutContent(error)) {
        const half = Math.ceil(writes.length / 2);
        return [...this.commit(writes.slice(0, half)), ...this.commit(writes.slice(half))];
      }
      return writes.map(({ id }) => ({ id, ok: false, error: toSent(error, this.#path) }));
    }
  }

  #run(request: WriteRequest): unknown {
    switch (request.kind) {
      case 'advance':
        return this.#writer.advance(
          request.expected && receiveRoot(request.expected),
          receiveEntry(request.entry),
        );
      case 'record':
        this.#writer.record(receiveEntry(request.entry));
        return undefined;
      case 'forget':
        this.#writer.forget(receiveEntry(request.entry));
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

/** Not when nothing at all can be written now. */
function isAboutContent(error: unknown): boolean {
  if (error instanceof Database.SqliteError) return !error.code.startsWith('SQLITE_BUSY');
  return !(error instanceof StoreError && error.code === 'STORE_MISSING');
}
