// The default root store: one SQLite file, written by a thread of its own, durable before a promise resolves.
import { ArgumentError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import type { SqliteDriver } from '../../sqlite/open.js';
import type { SigningKey } from '../audit-log.js';
import { isObject } from '../log/audit-entry.js';
import { checkedPath } from '../log/checked-audit.js';
import { CheckedStore } from '../log/checked-store.js';
import { checkedSigningKey } from '../log/checkpoint.js';
import type { CheckpointSchedule, StoreDiagnostics } from './thread/messages.js';
import { openShared } from './thread/shared-thread.js';
import type { StoreAccess } from './thread/store-thread.js';

export interface SqliteRootStoreOptions {
  /**
   * `if-new`: the file is created when neither it nor its marker (`<path>.id`) exists. `never`: it must exist.
   *
   * @default 'if-new'
   */
  readonly create?: 'if-new' | 'never';
  /** How long a write waits for another process's. @default 10 000 */
  readonly busyTimeoutMs?: number;
  /**
   * How long `close` waits for what was asked before: then it is rejected, and may have been done or not.
   *
   * @default busyTimeoutMs + 10 000
   */
  readonly closeTimeoutMs?: number;
  /** Checkpoints that the store takes by itself, with the rows that make them due. @default none */
  readonly checkpoints?: CheckpointsOptions;
}

/** At least one of `everyRows` and `everyMs`. */
export interface CheckpointsOptions {
  readonly everyRows?: number;
  /** Taken with the next row that is written after so long: 86 400 000 for daily. */
  readonly everyMs?: number;
  /** Signs them. */
  readonly key?: SigningKey;
}

/**
 * Root store in a SQLite file (WAL, synchronous=FULL). Several processes may use one file. Writes that arrive together
 * share one commit. An idle store does not keep the process alive. Stores of a process with the same path share a thread,
 * unless their `busyTimeoutMs` or `checkpoints` differ; each is closed by itself.
 *
 * @example
 * await using store = await SqliteRootStore.open('./roots.db');
 * for await (const row of store.audit.roots({ order: 'desc', limit: 10 })) console.log(row.tx, row.operation);
 */
export class SqliteRootStore extends CheckedStore {
  readonly path: string;
  readonly #thread: StoreAccess;

  private constructor(path: string, thread: StoreAccess) {
    super(thread);
    this.path = path;
    this.#thread = thread;
  }

  /**
   * Opens the store at `path`. A new one is made, with its folder, only where there is neither a store nor its marker
   * `<path>.id`. The newest rows of the log, every head and every identity are checked; `audit.verify()` checks all.
   *
   * @throws StoreError STORE_MISSING (there was a store, or `create` is `never`), STORE_FOREIGN (another store, or not a
   * store of ours), STORE_DAMAGED, or STORE_FAILED (cannot be read or written)
   */
  static async open(path: string, options: SqliteRootStoreOptions = {}): Promise<SqliteRootStore> {
    const full = checkedPath(path);
    if (!isObject(options)) throw new ArgumentError('options', 'options must be an object');
    knownNames('options', options, ['create', 'busyTimeoutMs', 'closeTimeoutMs', 'checkpoints']);
    const { create = 'if-new', busyTimeoutMs = 10_000 } = options;
    const { closeTimeoutMs = Math.min(busyTimeoutMs + 10_000, 0x7fff_ffff) } = options;
    if (!['if-new', 'never'].includes(create)) {
      throw new ArgumentError('create', "create must be 'if-new' or 'never'");
    }
    for (const [name, value] of Object.entries({ busyTimeoutMs, closeTimeoutMs })) {
      if (Number.isInteger(value) && value >= 0 && value <= 0x7fff_ffff) continue;
      throw new ArgumentError(name, `${name} must be an integer from 0 to 2^31 - 1`);
    }
    const checkpoints = checkedSchedule(options.checkpoints);
    const resolved = { create, busyTimeoutMs, ...(checkpoints && { checkpoints }) };
    return new SqliteRootStore(full, await openShared(full, resolved, closeTimeoutMs));
  }

  /**
   * Commits and writes since this store was opened, of all that share its thread: how well writes share flushes to disk.
   */
  get diagnostics(): StoreDiagnostics {
    return this.#thread.diagnostics;
  }

  /** What reads and writes the file: the package, where its native part is there, else what the runtime brings along. */
  get driver(): SqliteDriver {
    return this.#thread.driver;
  }

  /**
   * Waits for what was asked before; what is asked later is refused with ClosedError. Always resolves: whoever is not
   * answered within `closeTimeoutMs` is told so by what it waits for.
   */
  override close(): Promise<void> {
    return super.close();
  }
}

function checkedSchedule(options: CheckpointsOptions | undefined): CheckpointSchedule | undefined {
  if (options === undefined) return undefined;
  if (!isObject(options)) throw new ArgumentError('checkpoints', 'checkpoints must be an object');
  knownNames('checkpoints', options, ['everyRows', 'everyMs', 'key']);
  const { everyRows, everyMs, key } = options;
  for (const [name, value] of Object.entries({ everyRows, everyMs })) {
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) continue;
    throw new ArgumentError(`checkpoints.${name}`, `checkpoints.${name} must be an integer above 0`);
  }
  if (everyRows === undefined && everyMs === undefined) {
    throw new ArgumentError('checkpoints', 'checkpoints must have everyRows or everyMs');
  }
  return {
    ...(everyRows !== undefined && { everyRows }),
    ...(everyMs !== undefined && { everyMs }),
    ...(key !== undefined && { key: checkedSigningKey(key) }),
  };
}
