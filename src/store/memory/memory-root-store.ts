// A root store that lives as long as the process: for tests and short-lived tools. Same behaviour, same chain.
import { randomBytes } from 'node:crypto';
import { ClosedError, StoreError } from '../../errors.js';
import { knownNames } from '../../known-names.js';
import { copyEntry, copyRoot } from '../log/audit-entry.js';
import { CheckedStore } from '../log/checked-store.js';
import { STORE_ID_SIZE } from '../log/checkpoint.js';
import { decide } from '../log/decide.js';
import type { DecidedRequest } from '../log/decide.js';
import type { AnswerTo, AnsweringStore, AskedRequest, RowRequest } from '../log/requests.js';
import { MemoryHeaders } from './memory-headers.js';
import { MemoryLog } from './memory-log.js';
import { answerFrom } from './memory-reads.js';

/**
 * Root store in memory: nothing survives the process. Same rules and same hash chain as the SQLite store, no archives.
 *
 * @example
 * const store = new MemoryRootStore();
 * await store.head({ server: 'cq3vsf', database: 'defaultdb' }); // null: never trusted
 */
export class MemoryRootStore extends CheckedStore {
  /** Takes no options, and says so to whoever gives some. */
  constructor(options: Readonly<Record<string, never>> = {}) {
    knownNames('options', options, []);
    super(new AnsweringMemory());
  }
}

class AnsweringMemory implements AnsweringStore {
  readonly #log = new MemoryLog(new Uint8Array(randomBytes(STORE_ID_SIZE)));
  readonly #headers = new MemoryHeaders();
  #closed = false;

  async write<R extends RowRequest>(request: R): Promise<AnswerTo<R>> {
    const own = ownRequest(request);
    await this.#turn();
    return this.#decided(own);
  }

  async ask<R extends AskedRequest>(request: R): Promise<AnswerTo<R>> {
    await this.#turn();
    return this.#answer(request) as AnswerTo<R>;
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** Never in the turn of the caller, as with a store that has to wait. */
  async #turn(): Promise<void> {
    await Promise.resolve();
    if (this.#closed) throw new ClosedError('the root store');
  }

  #decided<R extends DecidedRequest>(request: R): AnswerTo<R> {
    const { rows, answer } = decide(request, this.#log.index);
    for (const row of rows) {
      this.#log.append(row);
      if (row.outcome === 'forget') this.#headers.forget(row);
    }
    return answer;
  }

  #answer(request: AskedRequest): unknown {
    const log = this.#log;
    switch (request.kind) {
      case 'bind':
      case 'rebind':
        return this.#decided(request);
      case 'head': {
        const head = log.index.head(request.key);
        return head && copyRoot(head);
      }
      case 'identity':
        return log.index.identity(request.address);
      case 'headers':
        return this.#headers.load(request.key, request.first);
      case 'keepHeaders': {
        const { key, block, maxBytes } = request;
        this.#headers.save(key, block, maxBytes, log.index.head(key));
        return undefined;
      }
      case 'dropHeaders':
        this.#headers.drop(request.key, request.first);
        return undefined;
      case 'headerList':
        return this.#headers.list(request.filter);
      case 'archive':
        throw new StoreError('STORE_FAILED', 'a root store in memory keeps no archives: use SqliteRootStore');
      case 'archives':
        return [];
      default:
        // Copies: what the caller does with an answer changes no row.
        return structuredClone(answerFrom(log, request));
    }
  }
}

/** With bytes of its own. */
function ownRequest<R extends RowRequest>(request: R): R {
  const entry = copyEntry(request.entry);
  if (request.kind !== 'advance') return { ...request, entry };
  return { ...request, entry, expected: request.expected && copyRoot(request.expected) };
}
