// What the far side of a store does: owns the connection, and answers what comes through a port.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { ClosedError, StoreError } from '../../../errors.js';
import { sqliteDriver } from '../../../sqlite/open.js';
import type { HeaderBlock } from '../../header-store.js';
import { MOVED, NOTHING_FOUND } from '../../log/decide.js';
import type { WalkRequest } from '../../log/requests.js';
import { archiveRows, freeRows } from '../file/archive-job.js';
import { ChainWalk } from '../log/audit-chain.js';
import { AutoCheckpoint } from '../log/auto-checkpoint.js';
import { GapWalk } from '../log/gap-walk.js';
import { GroupCommit } from './group-commit.js';
import { LogWriter } from '../log/log-writer.js';
import { buffersOf, toSent } from './messages.js';
import type {
  ControlRequest,
  OpenedAs,
  StoreAnswer,
  StoreDiagnostics,
  StoreMessage,
  StoreReply,
  ThreadData,
} from './messages.js';
import { openArchiveFile, openStore } from '../file/open.js';
import type { OpenedStore } from '../file/open.js';
import { openStoreForReading } from '../file/open-for-reading.js';
import { readFrom, readsRows } from './read.js';
import type { ShortRequest } from './read.js';
import { RowUnpacker } from './row-packet.js';
import { Turn } from './turn.js';

const UNUSED: StoreDiagnostics = { commits: 0, writes: 0 };

/** Opens what `data` names and serves it; the first answer, with the number 0, says whether that went well. */
export function serveStore(port: MessagePort, data: ThreadData): void {
  const { path } = data;
  try {
    const opened = openedAs(data);
    // Before anybody knows that it is open, and may move it away.
    serve(port, data, opened);
    const as: OpenedAs = { isCopy: opened.isCopy === true, driver: sqliteDriver() };
    post(port, [{ id: 0, ok: true, value: as }], UNUSED);
  } catch (error) {
    post(port, [{ id: 0, ok: false, error: toSent(error, path) }], UNUSED);
  }
}

function openedAs({ path, options: how }: ThreadData): OpenedStore {
  if (how === 'archive') return openArchiveFile(path);
  return how === 'reading' ? openStoreForReading(path) : openStore(path, how);
}

function serve(port: MessagePort, data: ThreadData, { db, log, closed }: OpenedStore): void {
  const { path, options, sent } = data;
  const isArchive = options === 'archive';
  const isReadOnly = isArchive || options === 'reading';
  const writer = new LogWriter(log);
  const schedule = typeof options === 'string' ? undefined : options.checkpoints;
  const group = new GroupCommit(db, writer, path, schedule && new AutoCheckpoint(schedule));
  const unpacker = new RowUnpacker();
  const read = (request: ShortRequest) => {
    const run = () => readFrom(log, request);
    return readsRows(request) ? log.settled(run) : db.transaction(run)();
  };
  let archiving = false;
  /** Walks under way, and those of them that whoever asked for them waits for no longer. */
  const walking = new Set<number>();
  const left = new Set<number>();

  port.on('message', (first: StoreMessage) => {
    const turn = new Turn(first, port, sent, unpacker);
    const answers = group.commitAll(() => turn.nextWrites());
    // None of these runs within the commit, and all of them find what was written.
    for (const { id, request } of turn.walks) void walk(id, request);
    const buffers: ArrayBuffer[] = [];
    for (const { id, request } of turn.reads) {
      const done = answer(path, id, () => read(request));
      answers.push(done);
      if (request.kind === 'headers' && done.ok && done.value)
        for (const buffer of buffersOf(done.value as HeaderBlock)) buffers.push(buffer);
    }
    for (const { id, request } of turn.controls) answers.push(answer(path, id, () => control(request)));
    post(port, answers, group.diagnostics, buffers);
    if (db.open) group.afterwards();
  });
  // What a process that was killed while archiving has left to do. It is tried again whenever the store is opened.
  if (!isReadOnly) void freeRows(archiveJob(() => pause())).catch(() => undefined);

  function control(request: ControlRequest): unknown {
    switch (request.kind) {
      case 'reopen':
        if (!group.isInPlace) return false;
        openStore(path, request.options).db.close();
        return true;
      case 'leave':
        for (const id of request.walks) if (walking.has(id)) left.add(id);
        return undefined;
      case 'close':
        // Every row where others look for it; what cannot be moved now is moved by whoever opens the store next.
        log.settle();
        db.close();
        closed?.();
        return undefined;
    }
  }

  async function walk(id: number, request: WalkRequest): Promise<void> {
    let done: StoreAnswer;
    walking.add(id);
    try {
      done = { id, ok: true, value: await run(request, () => pause(id)) };
    } catch (error) {
      done = { id, ok: false, error: toSent(error, path) };
    }
    walking.delete(id);
    left.delete(id);
    post(port, [done], group.diagnostics);
  }

  async function run(request: WalkRequest, pause: () => Promise<void>): Promise<unknown> {
    switch (request.kind) {
      case 'verify':
        return inSteps(new ChainWalk(log, { ...request.options, rows: request.rows, isArchive }), pause);
      case 'gaps':
        return inSteps(new GapWalk(log, request.query), pause);
      case 'archive': {
        if (isReadOnly)
          throw new StoreError('STORE_FAILED', `${path} is only read: its rows are not archived`);
        if (archiving) throw new StoreError('STORE_FAILED', `rows of ${path} are being archived already`);
        archiving = true;
        try {
          return await archiveRows(archiveJob(pause), request.options);
        } finally {
          archiving = false;
        }
      }
    }
  }

  /** A long walk in short steps: writes go on in between. */
  async function inSteps<T>(steps: { step(): T | undefined }, pause: () => Promise<void>): Promise<T> {
    for (;;) {
      await pause();
      const result = log.settled(() => steps.step());
      if (result !== undefined) return result;
    }
  }

  async function pause(id?: number): Promise<void> {
    await nextTurn();
    if (!db.open || (id !== undefined && left.has(id))) throw new ClosedError('the root store');
  }

  function archiveJob(pause: () => Promise<void>) {
    return { db, log, writer, path, key: schedule?.key, pause };
  }
}

function answer(path: string, id: number, run: () => unknown): StoreAnswer {
  try {
    return { id, ok: true, value: run() };
  } catch (error) {
    return { id, ok: false, error: toSent(error, path) };
  }
}

/** @param buffers handed over instead of copied */
function post(
  port: MessagePort,
  answers: readonly StoreAnswer[],
  diagnostics: StoreDiagnostics,
  buffers: readonly ArrayBuffer[] = [],
): void {
  const plain = { done: [] as number[], moved: [] as number[], recorded: [] as number[] };
  const others = answers.filter((answer) => {
    const list = answer.ok ? plainAs(answer.value) : undefined;
    if (!list) return true;
    plain[list].push(answer.id);
    return false;
  });
  port.postMessage({ ...plain, answers: others, diagnostics } satisfies StoreReply, buffers);
}

/** The list of a reply that an outcome goes to which is the same for most. */
function plainAs(value: unknown): 'done' | 'moved' | 'recorded' | undefined {
  if (value === MOVED) return 'moved';
  if (value === NOTHING_FOUND) return 'recorded';
  return value === undefined ? 'done' : undefined;
}
