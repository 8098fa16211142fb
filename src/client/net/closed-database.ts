// "already closed": what a server says of a database that its admin has unloaded, and of all of them while it shuts down.
// It is asked which of the two it is, and whether a write may have been done.
import { ServerError, TransportError } from '../../errors.js';
import type { ImmuError } from '../../errors.js';
import { serverWords } from '../../visible.js';
import type { Methods } from '../../wire/messages.js';
import { asNotDone, isDatabaseClosed } from './server-errors.js';

type Asked = 'DatabaseListV2' | 'Health' | 'ServerInfo';

export interface ClosedCall {
  readonly database: string;
  readonly method: string;
  readonly repeatable: boolean;
  /** Asks the same server something else. */
  readonly ask: <M extends Asked>(method: M) => Promise<Methods[M]['answer']>;
  readonly nap: (ms: number) => Promise<void>;
}

/** A server that shuts down closes its databases first, and lists them so, in milliseconds, until it is gone. */
const LOOK_AGAIN_MS = 300;

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

/**
 * What such an `error` means: DATABASE_CLOSED, or UNAVAILABLE when it is the server that closes. A write for which it is not
 * certain that nothing was written keeps its OUTCOME_UNKNOWN, with the database named: while a server closes, too.
 */
export async function whatIsClosed(error: unknown, call: ClosedCall): Promise<ImmuError> {
  const { database, method, repeatable } = call;
  const refused = error instanceof ServerError ? error : (error as TransportError).cause;
  if (!(refused instanceof ServerError)) return error as ImmuError;
  const [state, before] = await Promise.all([settledState(call), repeatable || beforeCommit(call)]);
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

type State = 'unloaded' | 'closing' | 'unknown';

/** What is listed as unloaded, and still is when it is looked at again. */
async function settledState(call: ClosedCall): Promise<State> {
  const state = await stateOf(call);
  if (state !== 'unloaded') return state;
  await call.nap(LOOK_AGAIN_MS);
  return stateOf(call);
}

async function stateOf({ ask, database }: ClosedCall): Promise<State> {
  try {
    const { databases = [] } = await ask('DatabaseListV2');
    const listed = databases.find(({ name }) => name === database);
    if (!listed) return 'unknown';
    return listed.loaded === true ? 'closing' : 'unloaded';
  } catch (error) {
    return error instanceof TransportError || isDatabaseClosed(error) ? 'closing' : 'unknown';
  }
}

async function beforeCommit({ ask, method }: ClosedCall): Promise<boolean> {
  if (!BEGINS_LATER.has(method)) return false;
  // Not all say it in both; and ServerInfo fails itself while any database is unloaded.
  for (const other of ['Health', 'ServerInfo'] as const) {
    const { version } = await ask(other).catch((): { version?: string } => ({}));
    const [, major, minor] = /^v?(\d{1,5})\.(\d{1,5})\b/.exec(version ?? '') ?? [];
    if (major === undefined) continue;
    const [since, sinceMinor] = LETS_CALLS_END;
    return Number(major) > since || (Number(major) === since && Number(minor) >= sinceMinor);
  }
  return false;
}
