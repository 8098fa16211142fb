// Answers what a store is asked: rows and other writes go through the writer, questions over a connection of their own, walks over
// one each.
import { ClosedError, StoreError } from '../../errors.js';
import type {
  AnswerTo,
  AnsweringStore,
  AskedRequest,
  ReadRequest,
  RowRequest,
  WalkRequest,
} from '../log/requests.js';
import type { ArchiveInfo, ArchiveOptions, ChainPoint } from '../audit-log.js';
import { archiveRows } from './archive/archive-rows.js';
import { LinkLost, unavailable } from './link/errors.js';
import { Hints } from './link/hints.js';
import type { Link } from './link/link.js';
import { inOneState } from './link/one-state.js';
import { flush } from './link/server-check.js';
import { StoreSession } from './link/store-session.js';
import { statsOf } from './read/figures.js';
import { archivesOf, checkpointsOf, headOf, headerList, headersOf, identityOf } from './read/held.js';
import { conflictWith, databasesOf, latestRoot, pageOf, rootAt, rowAt } from './read/questions.js';
import { evidenceAt } from './read/rows.js';
import { verifyChain } from './walk/chain-walk.js';
import { findGaps } from './walk/gap-walk.js';
import { Writer } from './write/writer.js';
import type { PostgresDiagnostics } from './public-types.js';

export class AnsweringPostgres implements AnsweringStore {
  readonly storeId: Uint8Array;
  readonly #writing: StoreSession;
  readonly #reading: StoreSession;
  readonly #writer: Writer;
  readonly #hints: Hints;
  readonly #closeTimeoutMs: number;
  readonly #walks = new Set<StoreSession>();
  readonly #asked = new Set<Promise<unknown>>();
  #isArchiving = false;
  #closing: Promise<void> | undefined;

  constructor(writing: StoreSession, closeTimeoutMs: number, storeId: Uint8Array) {
    const { options, same } = writing;
    this.storeId = storeId;
    this.#writing = writing;
    this.#reading = new StoreSession(options, same, 'immu-ts questions');
    this.#writer = new Writer(writing);
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#hints = new Hints(() => new StoreSession(options, same, 'immu-ts hints'), this.#reading, storeId);
    this.#writer.onWritten = () => this.#hints.send();
  }

  get newest(): ChainPoint {
    return this.#writing.same.known;
  }

  get diagnostics(): PostgresDiagnostics {
    return this.#writer.diagnostics;
  }

  onRows(hint: () => void): Promise<() => void> {
    return this.#hints.listen(hint);
  }

  write<R extends RowRequest>(request: R): Promise<AnswerTo<R>> {
    return this.#writer.write(request) as Promise<AnswerTo<R>>;
  }

  ask<R extends AskedRequest>(request: R): Promise<AnswerTo<R>> {
    if (this.#closing) return Promise.reject(new ClosedError('the root store'));
    const answer = this.#answer(request);
    this.#asked.add(answer);
    const forget = () => this.#asked.delete(answer);
    answer.then(forget, forget);
    return answer as Promise<AnswerTo<R>>;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const asked = Promise.allSettled([this.#writer.close(), ...this.#asked]);
    const late = new Promise((resolve) => setTimeout(resolve, this.#closeTimeoutMs).unref());
    // A walk may take long: nobody waits for it.
    for (const walk of this.#walks) walk.close();
    await Promise.race([asked, late]);
    this.#writer.abandon();
    await Promise.all([this.#writing.end(), this.#reading.end(), this.#hints.close()]);
  }

  async #answer(request: AskedRequest): Promise<unknown> {
    switch (request.kind) {
      case 'bind':
      case 'rebind':
      case 'checkpoint':
      case 'keepHeaders':
      case 'dropHeaders':
        return this.#writer.write(request);
      case 'verify':
      case 'gaps':
      case 'archive':
        return this.#walk(request);
      default:
        return this.#reading.again(async (link) => {
          if (!isTrusted(request)) return read(link, request);
          // What may be taken up as trusted must not be gone after a crash: it was perhaps not flushed yet. In this order.
          const [answer] = await Promise.all([
            read(link, request),
            flush(link, this.#reading.options.durability),
          ]);
          return answer;
        });
    }
  }

  async #archive(session: StoreSession, options: ArchiveOptions): Promise<unknown> {
    if (this.#isArchiving)
      throw new StoreError('STORE_FAILED', 'rows of this store are being archived already');
    this.#isArchiving = true;
    try {
      // Not again by itself: what is half done is taken up by who asks for it again.
      const link = await session.link();
      return await archiveRows(
        link,
        options,
        (path, made) => this.#writer.write({ kind: 'beginBehind', path, made }) as Promise<ArchiveInfo>,
      );
    } catch (error) {
      throw error instanceof LinkLost ? unavailable(session.options.label, error) : error;
    } finally {
      this.#isArchiving = false;
    }
  }

  async #walk(request: WalkRequest): Promise<unknown> {
    const { options, same } = this.#writing;
    const session = new StoreSession({ ...options, tellsRollback: true }, same, 'immu-ts walk');
    this.#walks.add(session);
    // Rows that are written meanwhile are not in the state that is walked.
    const known = same.known;
    try {
      if (request.kind === 'archive') return await this.#archive(session, request.options);
      return await session.again((link) =>
        inOneState<unknown>(link, () =>
          request.kind === 'verify'
            ? verifyChain(link, request.options, known)
            : findGaps(link, request.query),
        ),
      );
    } catch (error) {
      throw this.#closing ? new ClosedError('the root store') : error;
    } finally {
      this.#walks.delete(session);
      await session.end();
    }
  }
}

function isTrusted({ kind }: ReadRequest): boolean {
  return ['head', 'identity', 'latest', 'rootAt', 'conflict'].includes(kind);
}

function read(link: Link, request: ReadRequest): Promise<unknown> {
  switch (request.kind) {
    case 'head':
      return headOf(link, request.key);
    case 'identity':
      return identityOf(link, request.address);
    case 'page':
      return pageOf(link, request.query);
    case 'row':
      return rowAt(link, request.seq);
    case 'evidence':
      return evidenceAt(link, request.seq);
    case 'latest':
      return latestRoot(link, request.filter);
    case 'rootAt':
      return rootAt(link, request.tx, request.filter);
    case 'conflict':
      return conflictWith(link, request.root);
    case 'stats':
      return statsOf(link, request.query);
    case 'checkpoints':
      return checkpointsOf(link, request.after, request.limit);
    case 'archives':
      return archivesOf(link);
    case 'databases':
      return databasesOf(link);
    case 'headers':
      return headersOf(link, request.key, request.first);
    case 'headerList':
      return headerList(link, request.filter);
  }
}
