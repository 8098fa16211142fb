// One thread per store file in a process: whoever opens it too uses the same one, so that their writes share commits.
import { createPublicKey } from 'node:crypto';
import { ClosedError } from '../../../errors.js';
import type { SqliteDriver } from '../../../sqlite/open.js';
import type { AnswerTo, RowRequest } from '../../log/requests.js';
import type { OpenOptions, SentRequest, StoreDiagnostics, ThreadAnswer } from './messages.js';
import { StoreThread } from './store-thread.js';
import type { StoreAccess } from './store-thread.js';

/** A thread, and how many use it. */
interface Shared {
  users: number;
  readonly started: Promise<StoreThread>;
}

const inUse = new Map<string, Shared>();

/**
 * Opens the store at `path` as one of those who share its thread. Other settings than theirs (how long writes wait, which
 * checkpoints are taken) need a thread of their own. The store is looked at as if it was opened alone.
 */
export async function openShared(
  path: string,
  options: OpenOptions,
  closeTimeoutMs?: number,
): Promise<StoreAccess> {
  const key = JSON.stringify([path, options.busyTimeoutMs, scheduleOf(options)]);
  const known = inUse.get(key);
  if (known) {
    const joined = await join(known, key, options, closeTimeoutMs);
    if (joined) return joined;
  }
  const shared = { users: 1, started: StoreThread.start({ path, options }) };
  inUse.set(key, shared);
  try {
    return new SharedAccess(key, shared, await shared.started, closeTimeoutMs);
  } catch (error) {
    forget(key, shared);
    throw error;
  }
}

/** Undefined: the thread did not start, has ended, or writes to a file that is elsewhere by now. */
async function join(
  shared: Shared,
  key: string,
  options: OpenOptions,
  closeTimeoutMs: number | undefined,
): Promise<SharedAccess | undefined> {
  shared.users += 1;
  let thread: StoreThread | undefined;
  try {
    thread = await shared.started;
  } catch {
    // Whoever started it is told why; this one tries for itself.
  }
  if (!thread || thread.isOver) {
    shared.users -= 1;
    forget(key, shared);
    return undefined;
  }
  const access = new SharedAccess(key, shared, thread, closeTimeoutMs);
  try {
    if (await access.ask({ kind: 'reopen', options })) return access;
  } catch (error) {
    await access.close();
    throw error;
  }
  forget(key, shared);
  await access.close();
  return undefined;
}

/** Nobody joins it any more. */
function forget(key: string, shared: Shared): void {
  if (inUse.get(key) === shared) inUse.delete(key);
}

function scheduleOf({ checkpoints }: OpenOptions): unknown {
  if (!checkpoints) return null;
  const { everyRows = null, everyMs = null, key } = checkpoints;
  // Which key it is, told by its public half.
  return [
    everyRows,
    everyMs,
    key ? createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('hex') : null,
  ];
}

class SharedAccess implements StoreAccess {
  readonly #key: string;
  readonly #shared: Shared;
  readonly #thread: StoreThread;
  readonly #closeTimeoutMs: number | undefined;
  readonly #before: StoreDiagnostics;
  #closing: Promise<void> | undefined;

  constructor(key: string, shared: Shared, thread: StoreThread, closeTimeoutMs: number | undefined) {
    this.#key = key;
    this.#shared = shared;
    this.#thread = thread;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#before = thread.diagnostics;
  }

  get diagnostics(): StoreDiagnostics {
    const { commits, writes } = this.#thread.diagnostics;
    return { commits: commits - this.#before.commits, writes: writes - this.#before.writes };
  }

  get driver(): SqliteDriver {
    return this.#thread.driver;
  }

  ask<R extends SentRequest>(request: R): Promise<ThreadAnswer<R>> {
    return this.#closing ? refused() : this.#thread.ask(request, this);
  }

  write<R extends RowRequest>(request: R): Promise<AnswerTo<R>> {
    return this.#closing ? refused() : this.#thread.write(request, this);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#shared.users -= 1;
    if (this.#shared.users > 0) {
      await this.#thread.leave(this, this.#closeTimeoutMs);
      return;
    }
    forget(this.#key, this.#shared);
    await this.#thread.close(this.#closeTimeoutMs);
  }
}

function refused(): Promise<never> {
  return Promise.reject(new ClosedError('the root store'));
}
