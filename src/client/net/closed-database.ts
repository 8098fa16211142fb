// "already closed": what a server says of a database that its admin has unloaded, and of all of them while it shuts down.
// It is asked which of the two it is, and whether a write may have been done.
import { ServerError, TransportError } from '../../errors.js';
import type { ImmuError } from '../../errors.js';
import { serverWords } from '../../visible.js';
import type { Methods } from '../../wire/messages.js';
import { asNotDone, isDatabaseClosed } from './server-errors.js';

type Asked = 'DatabaseListV2' | 'Health' | 'ServerInfo';

export interface ClosedCall {
  readonly method: string;
  readonly repeatable: boolean;
  /** Counts the connections: what was seen of one counts no more on the next. */
  readonly connects: number;
  /** Asks the same server something else. What it is told may be told to other calls of the session too. */
  readonly ask: <M extends Asked>(method: M) => Promise<Methods[M]['answer']>;
}

/** A server that shuts down closes its databases first, and lists them so, in milliseconds, until it is gone. */
const LOOK_AGAIN_MS = 300;
/** What was seen longer ago may have been something else in between. */
const STALE_MS = 2 * LOOK_AGAIN_MS;

/**
 * From this version on, a database that is unloaded lets the calls in it end first: the words then always come before a
 * call has begun. Older ones close it under a write that waits for its commit.
 */
const LETS_CALLS_END = [1, 11] as const;

/** Calls of which nothing has begun then. */
const BEGINS_LATER: ReadonlySet<string> = new Set([
  'Set',
  'VerifiableSet',
  'UnloadDatabase',
  'TruncateDatabase',
  'CompactIndex',
]);

type State = 'unloaded' | 'closing' | 'unknown';

/** What one session's calls find out together: a thousand writes that are refused in one moment look once. */
export class ClosedDatabase {
  readonly #database: string;
  readonly #nap: (ms: number) => Promise<void>;
  /** On the clock of `performance.now()`: since when it was listed as unloaded whenever it was looked at, and last was. */
  #unloaded: { readonly since: number; readonly last: number; readonly connects: number } | undefined;
  #looking: Promise<State> | undefined;
  #nextLook: Promise<State> | undefined;
  /** Of one connection, whose server stays what it is. */
  #closesBeforeCommit: { readonly connects: number; readonly is: boolean } | undefined;

  constructor(database: string, nap: (ms: number) => Promise<void>) {
    this.#database = database;
    this.#nap = nap;
  }

  /** A call has succeeded in it. */
  isOpen(): void {
    this.#unloaded = undefined;
  }

  /**
   * What such an `error` means: DATABASE_CLOSED, or UNAVAILABLE when it is the server that closes. A write for which it is not
   * certain that nothing was written keeps its OUTCOME_UNKNOWN, with the database named: while a server closes, too.
   */
  async whatIsClosed(error: unknown, call: ClosedCall): Promise<ImmuError> {
    const { method, repeatable } = call;
    const database = this.#database;
    const refused = error instanceof ServerError ? error : (error as TransportError).cause;
    if (!(refused instanceof ServerError)) return error as ImmuError;
    const [state, before] = await Promise.all([
      this.#settledState(call),
      repeatable || this.#beforeCommit(call),
    ]);
    // Only where the words fit what is seen: a database that is there, and said to be closed, may have taken the write.
    const certain = repeatable || (before && state === 'unloaded');
    const words = serverWords(refused.serverMessage);
    if (!certain) {
      const message =
        `the database ${database} was closed during ${method} (${words}); ` +
        'the write may have happened: read it back with verifiedGet when it is loaded again';
      return new TransportError('OUTCOME_UNKNOWN', message, { cause: refused });
    }
    const nothing = repeatable ? '' : '; nothing was written';
    if (state === 'closing') {
      const message = `the server is closing, or was, the database ${database} (${method}: ${words})${nothing}`;
      return asNotDone(new TransportError('UNAVAILABLE', message, { cause: refused }));
    }
    const grpc = { code: refused.grpcCode, message: refused.serverMessage };
    const message = `the database ${database} is not loaded (${method}: ${words})${nothing}; its admin can load it`;
    return asNotDone(new ServerError('DATABASE_CLOSED', message, grpc, { cause: refused }));
  }

  /** What is listed as unloaded, and was so for a while or still is when it is looked at again. */
  async #settledState(call: ClosedCall): Promise<State> {
    const state = await this.#look(call);
    if (state !== 'unloaded') return state;
    const seen = this.#unloaded;
    if (seen && seen.last - seen.since >= LOOK_AGAIN_MS) return state;
    await this.#nap(LOOK_AGAIN_MS);
    return this.#look(call);
  }

  /** A look that begins now, or when the one that is under way has ended, for all who wait for it. */
  #look(call: ClosedCall): Promise<State> {
    if (!this.#looking) return this.#begin(call);
    return (this.#nextLook ??= this.#looking.then(() => this.#begin(call)));
  }

  #begin({ ask, connects }: ClosedCall): Promise<State> {
    this.#nextLook = undefined;
    const last = performance.now();
    return (this.#looking = stateOf(this.#database, ask).then((state) => {
      this.#looking = undefined;
      const seen = this.#unloaded;
      const goesOn = seen && seen.connects === connects && last - seen.last < STALE_MS;
      this.#unloaded =
        state === 'unloaded' ? { since: goesOn ? seen.since : last, last, connects } : undefined;
      return state;
    }));
  }

  async #beforeCommit({ ask, method, connects }: ClosedCall): Promise<boolean> {
    if (!BEGINS_LATER.has(method)) return false;
    if (this.#closesBeforeCommit?.connects !== connects) {
      const is = await letsCallsEnd(ask);
      if (is === undefined) return false;
      this.#closesBeforeCommit = { connects, is };
    }
    return this.#closesBeforeCommit.is;
  }
}

async function stateOf(database: string, ask: ClosedCall['ask']): Promise<State> {
  try {
    const { databases = [] } = await ask('DatabaseListV2');
    const listed = databases.find(({ name }) => name === database);
    if (!listed) return 'unknown';
    return listed.loaded === true ? 'closing' : 'unloaded';
  } catch (error) {
    return error instanceof TransportError || isDatabaseClosed(error) ? 'closing' : 'unknown';
  }
}

/** By the version that the server says; undefined when it says none. */
async function letsCallsEnd(ask: ClosedCall['ask']): Promise<boolean | undefined> {
  // Not all say it in both; and ServerInfo fails itself while any database is unloaded.
  for (const other of ['Health', 'ServerInfo'] as const) {
    const { version } = await ask(other).catch((): { version?: string } => ({}));
    const [, major, minor] = /^v?(\d{1,5})\.(\d{1,5})\b/.exec(version ?? '') ?? [];
    if (major === undefined) continue;
    const [since, sinceMinor] = LETS_CALLS_END;
    return Number(major) > since || (Number(major) === since && Number(minor) >= sinceMinor);
  }
  return undefined;
}
