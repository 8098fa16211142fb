// Entry of the store's own thread: owns the connection, so that the main thread never waits for a flush to disk.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { ClosedError } from '../../errors.js';
import { ChainWalk } from './audit-chain.js';
import { GroupCommit } from './group-commit.js';
import { toSent } from './messages.js';
import type {
  Numbered,
  ReadRequest,
  StoreAnswer,
  StoreDiagnostics,
  StoreReply,
  StoreRequest,
  ThreadData,
  WriteRequest,
} from './messages.js';
import { openStore } from './open.js';
import type { OpenedStore } from './open.js';

/** Requests served in one go: bounds how long the first of them waits for the last. */
const MAX_GROUP = 1024;

const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');
const { path, options } = workerData as ThreadData;
const UNUSED: StoreDiagnostics = { commits: 0, writes: 0 };

let opened: OpenedStore | undefined;
try {
  opened = openStore(path, options);
  post([{ id: 0, ok: true, value: undefined }], UNUSED);
} catch (error) {
  post([{ id: 0, ok: false, error: toSent(error, path) }], UNUSED);
}
if (opened) serve(opened);

function serve({ db, queries }: OpenedStore): void {
  const group = new GroupCommit(db, queries, path);
  const read = db.transaction((request: ReadRequest) => {
    switch (request.kind) {
      case 'head':
        return queries.head(request.key);
      case 'identity':
        return queries.identity(request.address);
      case 'page':
        return queries.page(request.query, request.after);
      case 'latest':
        return queries.latest(request.filter);
    }
  });

  port?.on('message', (first: readonly Numbered[]) => {
    const batch = withWaiting(first);
    const writes: Numbered<WriteRequest>[] = [];
    const reads: Numbered<ReadRequest>[] = [];
    let closing: number | undefined;
    for (const { id, request } of batch) {
      if (request.kind === 'verify') void verify(id);
      else if (request.kind === 'close') closing = id;
      else if (isRead(request)) reads.push({ id, request });
      else writes.push({ id, request });
    }
    const answers = group.commit(writes);
    for (const item of reads) answers.push(answer(item.id, () => read(item.request)));
    if (closing === undefined) {
      post(answers, group.diagnostics);
    } else {
      db.close();
      post([...answers, { id: closing, ok: true, value: undefined }], group.diagnostics);
    }
  });

  /** A long walk in short steps: writes go on in between. */
  async function verify(id: number): Promise<void> {
    let done: StoreAnswer | undefined;
    let walk: ChainWalk | undefined;
    while (!done) {
      await nextTurn();
      const step = answer(id, () => {
        if (!db.open) throw new ClosedError('the root store');
        walk ??= new ChainWalk(queries);
        return db.transaction((of: ChainWalk) => of.step())(walk);
      });
      if (!step.ok || step.value !== undefined) done = step;
    }
    post([done], group.diagnostics);
  }
}

/** What has arrived while the last group was committed joins this one. */
function withWaiting(first: readonly Numbered[]): Numbered[] {
  const batch = [...first];
  while (port && batch.length < MAX_GROUP) {
    const next = receiveMessageOnPort(port) as { message: readonly Numbered[] } | undefined;
    if (!next) break;
    batch.push(...next.message);
  }
  return batch;
}

function answer(id: number, run: () => unknown): StoreAnswer {
  try {
    return { id, ok: true, value: run() };
  } catch (error) {
    return { id, ok: false, error: toSent(error, path) };
  }
}

function post(answers: readonly StoreAnswer[], diagnostics: StoreDiagnostics): void {
  port?.postMessage({ answers, diagnostics } satisfies StoreReply);
}

function isRead(request: StoreRequest): request is ReadRequest {
  return ['head', 'identity', 'page', 'latest'].includes(request.kind);
}
