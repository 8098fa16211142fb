// A logger of the user's, fed with what goes on in a client. What it throws, or rejects with, reaches nobody.
import type { WatchEvents, WatchName } from './events.js';
import type { Watch } from './watch.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Takes the fields of what happened, then a line for people: `console` and pino fit. 64-bit numbers are decimal text in the fields.
 * With `isLevelEnabled` (pino has it) nothing is put together that is not logged.
 */
export interface ImmuLogger extends Readonly<Record<LogLevel, (fields: object, line: string) => unknown>> {
  isLevelEnabled?(level: LogLevel): boolean;
}

/** Mistakes of the caller, and ends that the caller asked for: no business of who runs the service. */
const CALLERS = new Set<string>(['INVALID_ARGUMENT', 'WEAK_PASSWORD', 'ABORTED', 'NOT_FOUND', 'CLOSED']);
/** The server is not to be believed. */
const REFUSALS = new Set<string>([
  'VERIFICATION_FAILED',
  'FORK_DETECTED',
  'SERVER_BEHIND_TRUST',
  'IDENTITY_CHANGED',
]);

type Line = readonly [level: LogLevel, line: string];

/** What is said of each kind of event. */
const SAYS: { readonly [N in WatchName]?: (event: WatchEvents[N]) => Line } = {
  'immu-ts:call': ({ operation, database, code, durationMs }) => {
    const level = code === 'OK' || CALLERS.has(code) ? 'debug' : REFUSALS.has(code) ? 'error' : 'warn';
    const on = database === undefined ? '' : ` on ${database}`;
    return [level, `${operation}${on}: ${code} in ${durationMs.toFixed(1)} ms`];
  },
  'immu-ts:head': ({ outcome, database, tx }) => [
    outcome === 'root' ? 'debug' : outcome === 'forget' ? 'warn' : 'info',
    HEADS[outcome](database, tx.toString()),
  ],
  'immu-ts:refusal': ({ code, check, database }) => [
    'error',
    `refused${database === '' ? '' : ` on ${database}`}: ${code}, by the check ${check}`,
  ],
  'immu-ts:fork': ({ database, tx }) => [
    'error',
    `a fork of ${database}${tx === undefined ? '' : ` at tx ${tx.toString()}`}: two histories`,
  ],
  'immu-ts:connection': ({ state, address }) => [
    state === 'lost' || state === 'failed' ? 'warn' : state === 'connected' ? 'info' : 'debug',
    `connection to ${address}: ${state}`,
  ],
  'immu-ts:session': ({ state, database, code }) => [
    state === 'refused' ? 'error' : state === 'lost' ? 'warn' : state === 'ended' ? 'debug' : 'info',
    `session on ${database}: ${state}${code === undefined ? '' : ` (${code})`}`,
  ],
  'immu-ts:warning': ({ message }) => ['warn', message],
};

const HEADS = {
  'first-use': (database: string, tx: string) => `trust in ${database} begins with tx ${tx}: first use`,
  pinned: (database: string, tx: string) => `trust in ${database} begins with tx ${tx}: pinned`,
  root: (database: string, tx: string) => `the head of ${database} is now tx ${tx}`,
  forget: (database: string, tx: string) => `trust in ${database} was forgotten at tx ${tx}`,
};

/** Logs what goes on from now on. */
export function logTo(logger: ImmuLogger, watch: Watch): void {
  for (const name of Object.keys(SAYS) as (keyof typeof SAYS)[])
    watch.listen([name], (_, event) => {
      const [level, line] = (SAYS[name] as (event: unknown) => Line)(event);
      if (logger.isLevelEnabled?.(level) === false) return;
      const logged = logger[level]({ event: name, ...withoutBigints(event) }, line);
      if (logged instanceof Promise) logged.catch(() => undefined);
    });
}

function withoutBigints(event: object): object {
  return Object.fromEntries(
    Object.entries(event).map(([field, value]: [string, unknown]) => [
      field,
      typeof value === 'bigint' ? value.toString() : value,
    ]),
  );
}
