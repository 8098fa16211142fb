// Entry of the store's own thread: owns the connection, so that the main thread never waits for a flush to disk.
import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { ClosedError, StoreError } from '../../errors.js';
import { setSha256 } from '../../proof/hash.js';
import { archiveRows, freeRows } from './archive-job.js';
import { ChainWalk } from './audit-chain.js';
import { AutoCheckpoint } from './auto-checkpoint.js';
import { GapWalk } from './gap-walk.js';
import { GroupCommit } from './group-commit.js';
import { LogWriter, MOVED } from './log-writer.js';
import { toSent } from './messages.js';
import type {
  Numbered,
  ReadRequest,
  StoreAnswer,
  StoreDiagnostics,
  StoreMessage,
  StoreReply,
  StoreRequest,
  ThreadData,
  WalkRequest,
  WriteRequest,
} from './messages.js';
import { openArchiveFile, openStore } from './open.js';
import type { OpenedStore } from './open.js';
import { isRead, readFrom, readsRows } from './read.js';
import { RowUnpacker } from './row-packet.js';
import { Turn } from './turn.js';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');
// Rows are some 400 bytes: the platform takes a third of the time (measured).
setSha256((data) => hash('sha256', data, 'buffer'));
const { path, options, sent } = workerData as ThreadData;
const isArchive = options === 'archive';
const UNUSED: StoreDiagnostics = { commits: 0, writes: 0 };

let opened: OpenedStore | undefined;
try {
  opened = options === 'archive' ? openArchiveFile(path) : openStore(path, options);
  post([{ id: 0, ok: true, value: undefined }], UNUSED);
} catch (error) {
  post([{ id: 0, ok: false, error: toSent(error, path) }], UNUSED);
}
if (opened) serve(opened);

function serve({ db, reader }: OpenedStore): void {
  const writer = new LogWriter(reader);
  const schedule = options === 'archive' ? undefined : options.checkpoints;
  const group = new GroupCommit(db, writer, path, schedule && new AutoCheckpoint(schedule));
  // An archive has no recent rows, and cannot be written to.
  const settled = <T>(run: () => T): T => (isArchive ? db.transaction(run)() : reader.settled(run));
  const unpacker = new RowUnpacker();
  const read = (request: ReadRequest) => {
    const run = () => readFrom(reader, request);
    return readsRows(request) ? settled(run) : db.transaction(run)();
  };
  let archiving = false;

  port?.on('message', (first: StoreMessage) => {
    const turn = new Turn(first, port, sent, unpacker);
    const reads: Numbered<ReadRequest>[] = [];
    let closing: number | undefined;
    /** The next writes; what else was asked is set aside. */
    const more = (): Numbered<WriteRequest>[] | undefined => {
      const items = turn.next();
      return items?.flatMap(({ id, request }) => {
        if (isWalk(request)) void walk(id, request);
        else if (request.kind === 'close') closing = id;
        else if (isRead(request)) reads.push({ id, request });
        else return [{ id, request }];
        return [];
      });
    };
    const answers = group.commitAll(more);
    for (const { id, request } of reads) answers.push(answer(id, () => read(request)));
    if (closing === undefined) {
      post(answers, group.diagnostics);
    } else {
      leave();
      post([...answers, { id: closing, ok: true, value: undefined }], group.diagnostics);
    }
  });
  // What a process that was killed while archiving has left to do. It is tried again whenever the store is opened.
  if (!isArchive) void freeRows(archiveJob()).catch(() => undefined);

  /** Leaves every row where others look for it. */
  function leave(): void {
    try {
      db.pragma('busy_timeout = 0');
      settled(() => undefined);
    } catch {
      // They are durable where they are, and whoever opens the store next moves them.
    } finally {
      db.close();
    }
  }

  async function walk(id: number, request: WalkRequest): Promise<void> {
    let done: StoreAnswer;
    try {
      done = { id, ok: true, value: await run(request) };
    } catch (error) {
      done = { id, ok: false, error: toSent(error, path) };
    }
    post([done], group.diagnostics);
  }

  async function run(request: WalkRequest): Promise<unknown> {
    switch (request.kind) {
      case 'verify':
        return inSteps(new ChainWalk(reader, { ...request.options, isArchive }));
      case 'gaps':
        return inSteps(new GapWalk(reader, request.query));
      case 'archive': {
        if (isArchive) throw new StoreError('STORE_FAILED', `the archive ${path} is not archived again`);
        if (archiving) throw new StoreError('STORE_FAILED', `rows of ${path} are being archived already`);
        archiving = true;
        try {
          return await archiveRows(archiveJob(), request.options);
        } finally {
          archiving = false;
        }
      }
    }
  }

  /** A long walk in short steps: writes go on in between. */
  async function inSteps<T>(steps: { step(): T | undefined }): Promise<T> {
    for (;;) {
      await pause();
      const result = settled(() => steps.step());
      if (result !== undefined) return result;
    }
  }

  async function pause(): Promise<void> {
    await nextTurn();
    if (!db.open) throw new ClosedError('the root store');
  }

  function archiveJob() {
    return { db, reader, writer, path, key: schedule?.key, pause };
  }
}

function answer(id: number, run: () => unknown): StoreAnswer {
  try {
    return { id, ok: true, value: run() };
  } catch (error) {
    return { id, ok: false, error: toSent(error, path) };
  }
}

function post(answers: readonly StoreAnswer[], diagnostics: StoreDiagnostics): void {
  const done: number[] = [];
  const moved: number[] = [];
  const others = answers.filter((answer) => {
    if (!answer.ok || (answer.value !== undefined && answer.value !== MOVED)) return true;
    (answer.value === MOVED ? moved : done).push(answer.id);
    return false;
  });
  port?.postMessage({ done, moved, answers: others, diagnostics } satisfies StoreReply);
}

function isWalk(request: StoreRequest): request is WalkRequest {
  return request.kind === 'verify' || request.kind === 'gaps' || request.kind === 'archive';
}
