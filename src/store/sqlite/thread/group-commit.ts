// Group commit: writes that arrive together share one transaction, and so one flush to disk.
import { isSqliteError } from '../../../sqlite/sqlite.js';
import type { Sqlite } from '../../../sqlite/sqlite.js';
import { StoreError } from '../../../errors.js';
import type { WriteRequest } from '../../log/requests.js';
import { toSent } from './messages.js';
import type { StoreAnswer, StoreDiagnostics } from './messages.js';
import type { Numbered } from './numbered.js';
import { takeCheckpoint } from '../log/auto-checkpoint.js';
import type { AutoCheckpoint } from '../log/auto-checkpoint.js';
import { FileWatch } from '../file/file-watch.js';
import type { Tail } from '../file/file-watch.js';
import type { LogWriter } from '../log/log-writer.js';

type Write = Numbered<WriteRequest>;

/** The next writes of a group; undefined ends it. */
type More = () => readonly Write[] | undefined;

export class GroupCommit {
  readonly #writer: LogWriter;
  readonly #checkpoints: AutoCheckpoint | undefined;
  readonly #path: string;
  readonly #file: FileWatch;
  /** The newest row that was committed here. */
  #tail: Tail | undefined;
  readonly #inGroup: (more: More) => StoreAnswer[];
  #written: Tail | undefined;
  #isNoted = true;
  #commits = 0;
  #writes = 0;

  constructor(db: Sqlite, writer: LogWriter, path: string, checkpoints?: AutoCheckpoint) {
    this.#writer = writer;
    this.#checkpoints = checkpoints;
    this.#path = path;
    this.#file = new FileWatch(db, path);
    // IMMEDIATE: the lock is taken before anything is read, so a compare-and-set holds against other processes.
    const group = db.transaction((more: More) => {
      writer.begin();
      const answers: StoreAnswer[] = [];
      for (let writes = more(); writes; writes = more()) {
        for (const { id, request } of writes) answers.push({ id, ok: true, value: this.#run(request) });
      }
      this.#checkpoints?.takeIfDue(writer);
      writer.finish();
      this.#written = writer.tail();
      return answers;
    });
    this.#inGroup = (more) => group.immediate(more);
  }

  /** The file that was opened is the one at its path. */
  get isInPlace(): boolean {
    return this.#file.isInPlace;
  }

  /** For when callers have been answered: what is left to do after a commit, and would keep them waiting. */
  afterwards(): void {
    if (!this.#isNoted) this.#file.note();
    this.#isNoted = true;
  }

  get diagnostics(): StoreDiagnostics {
    return { commits: this.#commits, writes: this.#writes };
  }

  /**
   * Commits what `more` gives until it gives nothing. Answers only what is durable. Each write has its own outcome.
   */
  commitAll(more: More): StoreAnswer[] {
    let first = more();
    // Reads alone need no transaction.
    while (first?.length === 0) first = more();
    if (!first) return [];
    const taken: Write[] = [];
    const waiting = [first];
    const take = () => {
      const writes = waiting.pop() ?? more();
      for (const write of writes ?? []) taken.push(write);
      return writes;
    };
    try {
      this.#file.assertWhole(this.#tail);
      const answers = this.#inGroup(take);
      this.#tail = this.#written;
      this.#isNoted = false;
      this.#commits += 1;
      this.#writes += answers.length;
      return answers;
    } catch (error) {
      // Nothing of the group was committed, so nothing of it may look done.
      this.#writer.undone();
      for (const write of waiting.flat()) taken.push(write);
      // One row that does not fit must not fail its neighbours. Halving costs few commits, and it is rare.
      if (taken.length > 1 && isAboutContent(error)) {
        const half = Math.ceil(taken.length / 2);
        return [...this.commit(taken.slice(0, half)), ...this.commit(taken.slice(half))];
      }
      return taken.map(({ id }) => ({ id, ok: false, error: toSent(error, this.#path) }));
    }
  }

  commit(writes: readonly Write[]): StoreAnswer[] {
    let left: readonly Write[] | undefined = writes.length > 0 ? writes : undefined;
    return this.commitAll(() => {
      const now = left;
      left = undefined;
      return now;
    });
  }

  #run(request: WriteRequest): unknown {
    switch (request.kind) {
      case 'checkpoint':
        return takeCheckpoint(this.#writer, request.key);
      case 'keepHeaders':
        this.#writer.keepHeaders(request.key, request.block, request.maxBytes);
        return undefined;
      case 'dropHeaders':
        this.#writer.dropHeaders(request.key, request.first);
        return undefined;
      default:
        return this.#writer.write(request);
    }
  }
}

/** Not when nothing at all can be written now. */
function isAboutContent(error: unknown): boolean {
  if (isSqliteError(error)) return !error.code.startsWith('SQLITE_BUSY');
  return !(error instanceof StoreError && ['STORE_MISSING', 'STORE_DAMAGED'].includes(error.code));
}
