// A mirror, as its users see it: a local SQLite file that holds the rows of tables as of a followed head, and goes along with it.
import { ImmuError, NotProvableError, StoreError } from '../../../errors.js';
import { decodeSqlKey } from '../../../proof/sql/raw-key.js';
import type { SqlKey } from '../../../proof/sql/raw-key.js';
import { PREFIX_BYTE } from '../../../proof/sql/types.js';
import { openSqlite } from '../../../sqlite/open.js';
import { isSqliteError } from '../../../sqlite/sqlite.js';
import type { Root } from '../../../verify/verifier.js';
import type { CallOptions } from '../../input/call-options.js';
import { text } from '../../input/option-checks.js';
import { resultOf } from '../../results/result.js';
import type { Latest } from '../../trust/latest/latest.js';
import type { ObservedRow } from '../../trust/latest/row-observers.js';
import { TxWaiters } from '../../trust/latest/tx-waiters.js';
import { isTransient } from '../../trust/latest/transient.js';
import type { MakeDeadline } from '../latest/follow.js';
import { briefVersion } from '../sql/followed/values.js';
import type { BriefVersion } from '../../trust/latest/ranges.js';
import type { Seals } from '../../trust/latest/seals.js';
import type { MirrorFile } from './mirror-file.js';
import type { ResolvedMirrorOptions } from './options.js';
import { inPages, pagesOf, writeSources } from './snapshot.js';
import type { Ask } from './snapshot.js';
import { rangeOfSource, sourceId } from './source.js';
import { Sources } from './sources.js';

/**
 * - `catching-up`: it is behind what was followed;
 * - `current`: it holds what was followed;
 * - `waiting`: the server was not reached, or did not answer, the last time: it is asked again;
 * - `refused`: what the server showed the last time is not proven: it is asked again;
 * - `ended`: nothing is written any more.
 */
export type MirrorStatus = 'catching-up' | 'current' | 'waiting' | 'refused' | 'ended';

export interface MirrorProgress {
  readonly status: MirrorStatus;
  /** The file holds everything up to this tx; 0: nothing yet. */
  readonly tx: bigint;
  /** Everything up to this one was followed. */
  readonly followedTx: bigint;
  /** What went wrong the last time. */
  readonly failure?: Error;
}

/** Rows that SQLite has found in the file. */
export interface MirrorRows<R extends object = Record<string, MirrorValue>> {
  readonly rows: readonly R[];
  /** The root that the file was complete as of, and its rows the latest. */
  readonly provenLatestAt: Root;
}

/** As SQLite has it: INTEGER, BOOLEAN (0, 1) and TIMESTAMP (microseconds) are bigint. */
export type MirrorValue = bigint | number | string | Uint8Array | null;

/**
 * How a mirror began. `new`: there was no file. `resumed`: with the file as a mirror before has left it, which its SHA-256 in the audit
 * log says, and whose root is on the trusted history: what has changed since `tx` is written. `anew`: the file was not gone on with, and
 * why; all of it is written anew.
 */
export type MirrorBeginning =
  | { readonly how: 'new' }
  | { readonly how: 'resumed'; readonly tx: bigint }
  | { readonly how: 'anew'; readonly why: string };

export interface MirrorParts {
  readonly options: ResolvedMirrorOptions;
  readonly file: MirrorFile;
  readonly latest: Latest;
  readonly ask: Ask;
  readonly deadline: MakeDeadline;
  readonly seals: Seals;
  /** What the file is as of already. */
  readonly at: Root | undefined;
  readonly beginning: MirrorBeginning;
}

/** After a failure it is tried again after so long, in milliseconds. */
const AGAIN_MS = 1000;
/** Keys that have changed are remembered up to so many; else they are looked for in the index. */
const MAX_CHANGED = 50_000;
const ROW_MARK = 'R'.charCodeAt(0);
const PREFIXES = Object.values(PREFIX_BYTE).map((prefix) => Uint8Array.of(prefix));

/**
 * The rows of tables, and documents, in a SQLite file, any SQL over it: complete, and the latest, as of a head that was followed and
 * proven. Made by `client.mirror()`. Tables have their own names and columns (BOOLEAN: 0 and 1; TIMESTAMP: microseconds since 1970; a
 * NaN: the text 'NaN'). A collection is the table `doc_` and its name: its id, its fields as searches know them, and `_doc`, each
 * document whole, as JSON. `_immu_tables` lists both, those that cannot be mirrored too; `_immu_mirror` has the root that all of it is as of, `_immu_rows` the transaction of each row. What reads the file while it is
 * written sees one root or the next, whole.
 */
export class Mirror {
  readonly path: string;
  /** How it began. */
  readonly beginning: MirrorBeginning;
  readonly #parts: MirrorParts;
  readonly #sources: Sources;
  readonly #waiters = new TxWaiters();
  /** What has changed since it was written last, by raw keys in hex. */
  #changed = new Map<string, BriefVersion & { readonly id: bigint }>();
  readonly #stops: readonly (() => void)[];
  /** Not all that has changed is in there. */
  #isLost = true;
  #at: Root | undefined;
  /** The first thing that is written writes all of it. */
  #isAnew: boolean;
  /** The file has what this one is to hold, and not only what one before has left. */
  #isOurs = false;
  #failure: Error | undefined;
  #ended: Error | undefined;
  #closed: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #step: Promise<void> | undefined;

  /** @internal Users call `client.mirror()`. */
  constructor(parts: MirrorParts) {
    const { latest, file, at, beginning } = parts;
    this.#parts = parts;
    this.path = file.path;
    this.beginning = beginning;
    this.#at = at;
    this.#isAnew = at === undefined;
    this.#sources = new Sources(latest, parts.options);
    this.#stops = [
      ...PREFIXES.map((prefix) =>
        latest.observe(prefix, {
          row: (row) => this.#noted(row),
          reached: () => this.#soon(),
          passesOver: () => this.#isLost,
        }),
      ),
      latest.endsWith((why, keeps) => this.#end(why, keeps)),
    ];
    this.#soon();
  }

  /** The root that the file is complete as of; undefined: it is not yet. */
  get head(): Root | undefined {
    return this.#at;
  }

  get progress(): MirrorProgress {
    const failure = this.#ended ?? this.#failure;
    const [tx, followedTx] = [this.#at?.tx ?? 0n, this.#parts.latest.at.tx];
    return { status: this.#status, tx, followedTx, ...(failure && { failure }) };
  }

  get #status(): MirrorStatus {
    if (this.#ended) return 'ended';
    if (this.#failure) return isTransient(this.#failure) ? 'waiting' : 'refused';
    return this.#isBehind ? 'catching-up' : 'current';
  }

  /**
   * Resolves with its head when the file holds everything that the server has when it is asked now.
   *
   * @throws VerificationError when the server does not show it, or stands elsewhere than where it is trusted
   */
  async ready(options: CallOptions = {}): Promise<Root> {
    const deadline = this.#parts.deadline(options);
    if (this.#ended) throw this.#ended;
    await this.#parts.latest.reach(deadline);
    return this.#reached(this.#parts.latest.at.tx, deadline);
  }

  /** Resolves with its head when the file holds everything up to `tx`, which may be a transaction that is still to come. */
  async reach(tx: bigint, options: CallOptions = {}): Promise<Root> {
    const deadline = this.#parts.deadline(options);
    if (this.#ended) throw this.#ended;
    await this.#parts.latest.reach(deadline, tx);
    return this.#reached(tx, deadline);
  }

  async #reached(tx: bigint, deadline: ReturnType<MakeDeadline>): Promise<Root> {
    if (this.#ended) throw this.#ended;
    while (!this.#at || !this.#isOurs || this.#at.tx < tx) {
      const written = this.#waiters.wait(tx);
      this.#soon(0);
      await deadline.race(written, `the mirror to reach tx ${tx.toString()}`);
    }
    return this.#at;
  }

  /**
   * Rows that SQLite finds in the file, by any SQL that reads: joins, aggregates, windows. Asks the server nothing, and waits for
   * nothing: as of the root that the file has now ({@link ready} brings it up to date). Runs in this thread.
   *
   * @param params values for `?`, or one object for `@name`
   * @throws ImmuError NOT_PROVABLE when nothing was written yet; errors of SQLite as they are
   * @example
   * const { rows } = mirror.query('SELECT c.name, sum(o.total) AS total FROM orders o JOIN customers c ON c.id = o.customer GROUP BY 1');
   */
  query<R extends object = Record<string, MirrorValue>>(
    sql: string,
    ...params: readonly unknown[]
  ): MirrorRows<R> {
    text('sql', sql);
    if (!this.#at) throw new NotProvableError('the mirror has nothing yet: await ready()');
    const db = openSqlite(this.path, { readonly: true, fileMustExist: true });
    try {
      db.defaultSafeIntegers(true);
      db.exec('BEGIN');
      const { tx, alh } = db.prepare('SELECT tx, alh FROM _immu_mirror').get() as Root;
      // eslint-disable-next-line no-restricted-syntax -- they came as what this is called with
      const rows = db.prepare(sql).all(...params) as R[];
      return resultOf({ rows, provenLatestAt: { tx, alh: new Uint8Array(alh) } });
    } finally {
      db.close();
    }
  }

  /** Writes no more. The file stays, complete as of its root: the next mirror goes on with it. */
  async close(): Promise<void> {
    await this.#end(new NotProvableError('the mirror is written no more: close() was called'), true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(error: Error, keeps: boolean): Promise<void> {
    if (!this.#ended) {
      this.#ended = error;
      clearTimeout(this.#timer);
      for (const stop of this.#stops) stop();
      this.#waiters.reject(error);
    }
    return (this.#closed ??= this.#close(keeps));
  }

  /** Never rejects. */
  async #close(keeps: boolean): Promise<void> {
    await this.#step;
    const { file, seals } = this.#parts;
    try {
      if (!keeps || !this.#at || this.#isAnew) return;
      const seal = await file.seal();
      // What is not sealed is written anew.
      if (seal !== undefined) await seals.note(`mirror as of tx ${this.#at.tx.toString()}`, seal);
    } catch (error) {
      this.#failure = this.#told(error);
    } finally {
      file.close();
    }
  }

  /** Must not throw. */
  #noted({ key, tx, hValue, deleted }: ObservedRow): void {
    if (key[1] !== ROW_MARK) return;
    if (this.#changed.size >= MAX_CHANGED) {
      this.#changed.clear();
      this.#isLost = true;
      return;
    }
    let of: SqlKey;
    try {
      of = decodeSqlKey(key);
    } catch {
      // None of a row.
      return;
    }
    if (of.kind !== 'row') return;
    const version = briefVersion({ key, tx, hValue, deleted });
    this.#changed.set(version.key, { ...version, id: sourceId(of.prefix, of.table) });
  }

  #soon(ms = this.#parts.options.everyMs): void {
    if (this.#ended || this.#step) return;
    if (this.#timer && ms > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#step = this.#advance().finally(() => (this.#step = undefined));
      void this.#step.then(() => {
        if (this.#failure) this.#soon(AGAIN_MS);
        else if (this.#isBehind) this.#soon(this.#waiters.any ? 0 : undefined);
      });
    }, ms);
    if (!this.#waiters.any) this.#timer.unref();
  }

  #isOver(): boolean {
    return this.#ended !== undefined;
  }

  get #isBehind(): boolean {
    return !this.#at || !this.#isOurs || this.#at.tx < this.#parts.latest.at.tx;
  }

  /** Never rejects. */
  async #advance(): Promise<void> {
    if (this.#isOver()) return;
    try {
      await this.#write();
      this.#failure = undefined;
      if (this.#at && this.#isOurs) this.#waiters.reached(this.#at.tx);
    } catch (error) {
      if (this.#isOver()) return;
      this.#failure = this.#told(error);
      if (isTransient(error)) return;
      this.#waiters.reject(this.#failure);
      // What is not the server's doing does not pass.
      const isServers =
        error instanceof ImmuError && !(error instanceof StoreError) && !this.#parts.latest.isEnded;
      if (!isServers) void this.#endSoon(this.#failure);
    }
  }

  #told(error: unknown): Error {
    if (isSqliteError(error))
      return new StoreError(
        'STORE_FAILED',
        `the mirror at ${this.path} cannot be written (${error.message})`,
        {
          cause: error,
        },
      );
    return error instanceof Error ? error : new Error(String(error));
  }

  async #endSoon(error: Error): Promise<void> {
    await Promise.resolve();
    await this.#end(error, false);
  }

  async #write(): Promise<void> {
    const { latest, file, ask } = this.#parts;
    const view = latest.view();
    if (!view) throw new NotProvableError('keys are not kept in order: follow({ ordered: true }) keeps them');
    // The same turn: what is remembered has all up to the root of the view, and nothing beyond.
    const changed = this.#changed;
    const since = this.#isLost ? this.#at?.tx : undefined;
    try {
      const { at } = view;
      if (this.#at && (this.#isOurs ? at.tx <= this.#at.tx : at.tx < this.#at.tx)) return;
      this.#changed = new Map();
      // Far behind, what comes meanwhile is found in the index.
      this.#isLost = latest.status === 'catching-up';
      const sources = await ask((verified) => this.#sources.at(verified, at.tx));
      if (this.#isAnew) file.beginAnew();
      else file.begin();
      const byId = new Map<bigint, BriefVersion[]>();
      for (const version of changed.values()) {
        const versions = byId.get(version.id);
        if (versions) versions.push(version);
        else byId.set(version.id, [version]);
      }
      await writeSources({ ask, tables: file.tables, view }, sources, ({ id }) =>
        since === undefined ? inPages(byId.get(id) ?? []) : pagesOf(view, rangeOfSource(id), since),
      );
      if (this.#ended) throw this.#ended;
      file.commit(at);
      this.#at = at;
      this.#isAnew = false;
      this.#isOurs = true;
    } catch (error) {
      file.rollback();
      // It is looked for in the index.
      this.#changed.clear();
      this.#isLost = true;
      throw error;
    } finally {
      view.close();
    }
  }
}
