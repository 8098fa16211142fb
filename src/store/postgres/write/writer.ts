// Writes, in the order in which they were asked for: what arrives while a batch is under way goes out as the next. A promise resolves
// when its batch is committed and flushed. A batch whose connection was lost is looked for by its number: it was committed, or it
// is given up in the log itself, so that it cannot be committed late, and is sent again.
import { randomBytes } from 'node:crypto';
import { ClosedError, StoreError } from '../../../errors.js';
import { copyEntry, copyRoot } from '../../log/audit-entry.js';
import type { RowRequest } from '../../log/requests.js';
import { IN_DOUBT, LinkLost, RowRefused, isOutrun, unavailable } from '../link/errors.js';
import type { Link } from '../link/link.js';
import { STATE, flush, flushedBy } from '../link/server-check.js';
import type { StoreSession } from '../link/store-session.js';
import type { PostgresDiagnostics } from '../public-types.js';
import { bigint } from '../read/rows.js';
import { APPEND_SQL, answerTo, batchValues, parseAnswer } from './batch.js';
import type { BatchHead } from './batch.js';
import { handed } from './handed-row.js';
import { writeCarefully } from './careful.js';
import type { Careful, OwnWrite } from './careful.js';
import { Names } from './names.js';

/** Rows of one batch: what a process of many callers writes while the disk is flushed. */
const MAX_ROWS = 512;
/** Writes that are decided here, in one transaction. */
const MAX_CAREFUL = 64;
const MAX_BYTES = 8 * 1024 * 1024;

interface Waiting {
  readonly request: OwnWrite;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class Writer {
  readonly #session: StoreSession;
  readonly #id = new Uint8Array(randomBytes(16));
  readonly #names = new Names();
  readonly #queue: Waiting[] = [];
  #batch = 0n;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Nobody else wrote while the newest batch was made. */
  #isAlone = false;
  #commits = 0;
  #writes = 0;
  #foundDone = 0;
  #sentAgain = 0;
  /** Called when a batch is durable. */
  onWritten: (() => void) | undefined;

  constructor(session: StoreSession) {
    this.#session = session;
  }

  get diagnostics(): PostgresDiagnostics {
    const settled = { done: this.#foundDone, sentAgain: this.#sentAgain };
    return { commits: this.#commits, writes: this.#writes, settled };
  }

  write(request: OwnWrite): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ClosedError('the root store'));
    const own = isRow(request) ? ownRequest(request) : request;
    return new Promise((resolve, reject) => {
      this.#queue.push({ request: own, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Waits for what was asked before. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  /** Tells all who wait that they are not waited for any more. */
  abandon(): void {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new ClosedError('the root store'));
  }

  async #run(): Promise<void> {
    // What is asked for in one turn goes out together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      await this.#commit(this.#next());
    }
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.#done(batch.map(({ request }) => request));
      this.#commits += 1;
      this.#writes += batch.length;
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]);
      this.onWritten?.();
    } catch (error) {
      // One row that does not fit must not fail its neighbours. What may have been committed is never sent again here.
      if (batch.length > 1 && error instanceof RowRefused) {
        const half = Math.ceil(batch.length / 2);
        await this.#commit(batch.slice(0, half));
        await this.#commit(batch.slice(half));
        return;
      }
      for (const { reject } of batch) reject(error);
      // Who came meanwhile has waited as long.
      if (isUnavailable(error)) for (const { reject } of this.#queue.splice(0)) reject(error);
    }
  }

  /** The next of the queue that go out together. */
  #next(): Waiting[] {
    const isQuick = isQuickly(this.#queue[0]?.request);
    const most = isQuick ? MAX_ROWS : MAX_CAREFUL;
    let bytes = 0;
    let count = 0;
    for (const { request } of this.#queue) {
      bytes += sizeOf(request);
      if (count > 0 && (count === most || bytes > MAX_BYTES || isQuickly(request) !== isQuick)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #done(requests: readonly OwnWrite[]): Promise<unknown[]> {
    const rows = requests.filter(isRow);
    if (rows.length !== requests.length || !isQuickly(requests[0]))
      return [...(await this.#careful(requests))];
    const answers = await this.#quick(rows);
    // From here on the log has something to say about them, or may have.
    const left = rows.slice(answers.length);
    if (left.length > 0) for (const answer of await this.#careful(left)) answers.push(answer);
    return answers;
  }

  async #quick(requests: readonly RowRequest[]): Promise<unknown[]> {
    const rows = requests.map(handed);
    const entries = requests.map(({ entry }) => entry);
    const { durability } = this.#session.options;
    // With nobody else to let in, the commit itself is flushed: one statement less.
    const flushes = this.#isAlone;
    const before = this.#session.same.known.seq;
    const outcome = await this.#settled(async (link, head) => {
      const named = await this.#names.ensure(link, entries);
      const values = batchValues({ ...head, flushes }, rows, named);
      if (flushes)
        return (await flushedBy(link, durability, APPEND_FLUSHED, values, 'immu_append_flushed'))['outcome'];
      const [[appended]] = await Promise.all([
        link.query(APPEND_SQL, values, 'immu_append'),
        flush(link, durability),
      ]);
      return appended?.['outcome'];
    });
    const { newest, lost } = parseAnswer(outcome, requests.length);
    this.#session.same.known = newest;
    const appended = lost.filter((each) => each === null).length;
    this.#isAlone = newest.seq - before === BigInt(appended);
    return lost.map((each, i) => answerTo(requests[i] as RowRequest, each));
  }

  async #careful(requests: readonly OwnWrite[]): Promise<readonly unknown[]> {
    let prepared: Careful | undefined;
    const keep = (done: Careful) => (prepared = done);
    await this.#settled(async (link, head) => {
      await writeCarefully(link, head, requests, this.#names, this.#session.options.durability, keep);
    });
    if (!prepared) throw new Error('a batch was committed that was not prepared');
    this.#session.same.known = prepared.newest;
    return prepared.answers;
  }

  /** Runs `attempt` until it is known to be done, once. Answers what it answered, or what the log has kept of its answer. */
  async #settled(attempt: (link: Link, head: BatchHead) => Promise<unknown>): Promise<unknown> {
    const session = this.#session;
    const { label } = session.options;
    let until: number | undefined;
    for (;;) {
      const batch = (this.#batch += 1n);
      try {
        const link = await session.link(until);
        return await attempt(link, { writer: this.#id, batch, known: session.same.known });
      } catch (error) {
        if (!(error instanceof LinkLost) && !isOutrun(error)) throw error;
        this.#names.forget();
        until ??= session.until();
        const kept = await this.#outcomeOf(batch, until);
        if (kept !== undefined) {
          this.#foundDone += 1;
          return kept;
        }
        if (Date.now() > until) throw unavailable(label, error);
        this.#sentAgain += 1;
      }
    }
  }

  /** What the log has kept of a batch, by then durable; undefined when it was not committed, and never will be. */
  async #outcomeOf(batch: bigint, until: number): Promise<string | undefined> {
    const session = this.#session;
    for (;;) {
      try {
        const link = await session.link(until);
        await link.query('BEGIN');
        // Whoever still works on it is waited for.
        await link.query('SELECT 1 FROM store FOR UPDATE');
        const [row] = await link.query('SELECT batch, outcome FROM writer WHERE id = $1', [this.#id]);
        // Given up, perhaps by an attempt of this kind before: it has no outcome.
        const isDone = row !== undefined && bigint(row['batch']) >= batch && row['outcome'] !== '';
        if (!isDone) await link.query(GIVE_UP, [this.#id, batch]);
        await link.query('COMMIT');
        await flush(link, session.options.durability);
        return isDone ? String(row['outcome']) : undefined;
      } catch (error) {
        if (!(error instanceof LinkLost)) throw asDoubtful(error, session.options.label);
        if (Date.now() > until) throw asDoubtful(error, session.options.label);
      }
    }
  }
}

const APPEND_FLUSHED = `${APPEND_SQL}, ${STATE}`;

const GIVE_UP = `INSERT INTO writer (id, batch, outcome, at) VALUES ($1, $2, '', now())
  ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, outcome = '', at = excluded.at`;

function asDoubtful(error: unknown, label: string): unknown {
  if (error instanceof LinkLost) return unavailable(label, error, IN_DOUBT);
  if (isUnavailable(error)) return unavailable(label, error.cause ?? error, IN_DOUBT);
  if (!(error instanceof StoreError)) return error;
  return new StoreError(error.code, `${error.message}${IN_DOUBT}`, { cause: error });
}

function isUnavailable(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE';
}

function isRow(request: OwnWrite): request is RowRequest {
  return request.kind === 'advance' || request.kind === 'record' || request.kind === 'forget';
}

/** Whether the server's function can take it. */
function isQuickly(request: OwnWrite | undefined): boolean {
  return request !== undefined && isRow(request) && request.entry.evidence === undefined;
}

function sizeOf(request: OwnWrite): number {
  if (request.kind === 'keepHeaders') return request.block.headers.length + request.block.columns.length;
  if (!isRow(request)) return 0;
  const { detail, evidence, signature } = request.entry;
  return (detail?.length ?? 0) + (evidence?.job.length ?? 0) + (signature?.length ?? 0);
}

/** With bytes of its own. */
function ownRequest(request: RowRequest): RowRequest {
  const entry = copyEntry(request.entry);
  if (request.kind !== 'advance') return { ...request, entry };
  return { ...request, entry, expected: request.expected && copyRoot(request.expected) };
}
