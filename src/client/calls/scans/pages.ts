// Many pages as one iterator: each page is a call of its own, asked for while the caller takes the one before it.
import { ClosedError, TransportError } from '../../../errors.js';
import { whenAborted } from '../../flow/abort-listeners.js';
import type { CallOptions } from '../../input/call-options.js';

/** Says where the next page begins, once that is known, and before this page ends; undefined: nowhere. */
export type TellNext<At> = (at: At | undefined) => void;

export interface PagesOptions<T, At> {
  /** Where the first page begins. */
  readonly first: At;
  /** `timeoutMs`: of each page; `signal`: of all of them. */
  readonly options: CallOptions;
  /** Has `tell` told once when the client is closed; returns what takes it back. */
  readonly whenClosed: (tell: () => void) => () => void;
  readonly ask: (at: At, call: CallOptions, next: TellNext<At>) => Promise<readonly T[]>;
}

/** At most one page is asked for beyond the one that the caller takes. What is under way ends with the iterator. */
export async function* pages<T, At>({
  first,
  options,
  whenClosed,
  ask,
}: PagesOptions<T, At>): AsyncGenerator<T, void, undefined> {
  const { signal, timeoutMs } = options;
  const over = new AbortController();
  const takeBack: (() => void)[] = [];
  const ended = { byClosing: false };
  const call = { signal: over.signal, ...(timeoutMs !== undefined && { timeoutMs }) };
  let newest: PageRun<T, At> | undefined;
  const begin = (at: At): PageRun<T, At> => (newest = new PageRun(begin, (next) => ask(at, call, next)));
  try {
    takeBack.push(
      whenClosed(() => {
        ended.byClosing = true;
        over.abort(new ClosedError('the client'));
      }),
    );
    if (signal?.aborted) over.abort(signal.reason);
    else if (signal) takeBack.push(whenAborted(signal, () => over.abort(signal.reason)));
    const assertGoing = () => {
      if (ended.byClosing) throw new ClosedError('the client');
      if (signal?.aborted) throw aborted(signal);
    };
    assertGoing();
    for (let page: PageRun<T, At> | undefined = begin(first); page; page = page.following) {
      for (const item of await page.take()) {
        assertGoing();
        yield item;
      }
      assertGoing();
    }
  } catch (error) {
    // What was under way when the client was closed may say that it was aborted.
    throw ended.byClosing ? new ClosedError('the client') : error;
  } finally {
    for (const back of takeBack) back();
    over.abort();
    await newest?.ended;
  }
}

function aborted(signal: AbortSignal): TransportError {
  return new TransportError('ABORTED', 'aborted by the caller between two entries', { cause: signal.reason });
}

/** A page under way, and the one behind it: begun when this one is taken, and known where it ends. */
class PageRun<T, At> {
  /** Begun already, if there is one: it is known by the end of {@link take}. */
  following: PageRun<T, At> | undefined;
  /** Never rejects. */
  readonly ended: Promise<unknown>;
  readonly #begin: (at: At) => PageRun<T, At>;
  readonly #items: Promise<readonly T[]>;
  #next: At | undefined;
  #taken = false;

  constructor(begin: (at: At) => PageRun<T, At>, ask: (next: TellNext<At>) => Promise<readonly T[]>) {
    this.#begin = begin;
    this.#items = ask((at) => {
      this.#next = at;
      this.#goOn();
    });
    // Its failure is told to whoever takes it; nobody may.
    this.ended = this.#items.catch(() => undefined);
  }

  take(): Promise<readonly T[]> {
    this.#taken = true;
    this.#goOn();
    return this.#items;
  }

  #goOn(): void {
    if (this.#taken && this.#next !== undefined) this.following ??= this.#begin(this.#next);
  }
}
