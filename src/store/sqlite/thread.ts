// The store's own thread: owns the connection, and commits what has arrived together (group commit).
import { parentPort, workerData } from 'node:worker_threads';
import { ArgumentError, ImmuError, StoreError } from '../../errors.js';
import { verifyChain, verifyTail } from './audit-chain.js';
import type { Numbered, SentError, StoreAnswer, StoreRequest, ThreadData } from './messages.js';
import { openStore } from './open.js';
import { Queries } from './queries.js';

const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');
const { path, options } = workerData as ThreadData;

let commits = 0;

try {
  const { db, storeId } = openStore(path, options);
  const queries = new Queries(db, storeId);
  const tail = verifyTail(queries);
  if (!tail.ok) {
    throw new StoreError(
      'STORE_DAMAGED',
      `${path}: row ${tail.seq.toString()} of the audit log: ${tail.finding}`,
    );
  }
  port.on('message', (batch: readonly Numbered[]) => {
    const answers = serve(batch);
    port.postMessage(answers);
    if (batch.some(({ request }) => request.kind === 'close')) {
      db.close();
      port.close();
    }
  });
  port.postMessage([{ id: 0, ok: true, value: undefined }] satisfies StoreAnswer[]);

  /** Writes of a batch share one commit; each stands or falls by itself. */
  function serve(batch: readonly Numbered[]): StoreAnswer[] {
    const writes = batch.filter(({ request }) => isWrite(request));
    if (writes.length === 0) return batch.map((item) => answer(item));
    const writeAll = db.transaction(() => writes.map((item) => answer(item)));
    let written: StoreAnswer[];
    try {
      written = writeAll.immediate();
      commits += 1;
    } catch (error) {
      // Nothing was committed: none of them may look done.
      queries.forgetIds();
      written = writes.map(({ id }) => ({ id, ok: false, error: toSent(error) }));
    }
    return [...written, ...batch.filter(({ request }) => !isWrite(request)).map((item) => answer(item))];
  }

  function answer({ id, request }: Numbered): StoreAnswer {
    try {
      // A savepoint in a group: what one item began is undone without its neighbours.
      const value = isWrite(request) ? db.transaction(() => run(request))() : run(request);
      return { id, ok: true, value };
    } catch (error) {
      if (isWrite(request)) queries.forgetIds();
      return { id, ok: false, error: toSent(error) };
    }
  }

  function run(request: StoreRequest): unknown {
    switch (request.kind) {
      case 'head':
        return queries.head(request.key);
      case 'advance':
        return queries.advance(request.expected, request.entry);
      case 'record':
        queries.append(request.entry);
        return undefined;
      case 'forget':
        queries.forget(request.entry);
        return undefined;
      case 'identity':
        return queries.identity(request.address);
      case 'bind':
        return queries.bindIdentity(request.address, request.server);
      case 'rebind':
        queries.rebindIdentity(request.address, request.server);
        return undefined;
      case 'page':
        return queries.page(request.query, request.after);
      case 'latest':
        return queries.latest(request.filter);
      case 'verify':
        // One snapshot, so that rows written meanwhile by another process cannot confuse the walk.
        return db.transaction(() => verifyChain(queries))();
      case 'stats':
        return { commits };
      case 'close':
        return undefined;
    }
  }
} catch (error) {
  port.postMessage([{ id: 0, ok: false, error: toSent(error) }] satisfies StoreAnswer[]);
  port.close();
}

function isWrite({ kind }: StoreRequest): boolean {
  return kind === 'advance' || kind === 'record' || kind === 'forget' || kind === 'bind' || kind === 'rebind';
}

function toSent(error: unknown): SentError {
  if (error instanceof ArgumentError)
    return { code: error.code, message: error.message, argument: error.argument };
  if (error instanceof ImmuError) return { code: error.code, message: error.message };
  const sqlite = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  const damaged = sqlite.startsWith('SQLITE_NOTADB') || sqlite.startsWith('SQLITE_CORRUPT');
  return {
    code: damaged ? 'STORE_DAMAGED' : 'STORE_FAILED',
    message: `root store ${path}: ${message}${sqlite ? ` (${sqlite})` : ''}`,
  };
}
