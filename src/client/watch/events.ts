// What goes on inside clients, as it is told to whoever subscribes: one channel of `node:diagnostics_channel` per kind of event,
// and what each event says. No event holds a password, a token or a state key; keys and what was said of them only where the
// client was told `observe: { keys: true }`, values never.
import type { ImmuErrorCode } from '../../errors.js';

/** What every event says. */
export interface WatchEvent {
  /** The client's `clientId`, as its audit rows have it. */
  readonly client: string;
  /** Of the server. */
  readonly address: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What a client holds at a moment: calls that were let in, the bytes of their keys and values, and calls that wait to be let in. */
export interface ClientLoad {
  readonly calls: number;
  readonly bytes: number;
  readonly waiting: number;
}

/** A call begins (`immu-ts:call:start`), in the context of who called. */
export interface CallStartEvent extends WatchEvent {
  /**
   * Name of the call, such as `verifiedGet`. Plain calls that share no requests are known by their RPC (`rpcs`) when they end, and
   * are called `call` until then.
   */
  readonly operation: string;
  readonly verified: boolean;
  /** Absent for calls that are of no database. */
  readonly database?: string;
  readonly load: ClientLoad;
}

/** A call is over (`immu-ts:call`): the same object that `immu-ts:call:start` told, with the rest. */
export interface CallEvent extends CallStartEvent {
  readonly durationMs: number;
  /** How long it waited to be let in. */
  readonly waitedMs: number;
  /** `OK`, the code of its error, or `UNKNOWN` for what is no ImmuError. */
  readonly code: ImmuErrorCode | 'OK' | 'UNKNOWN';
  /** Names of the RPCs that were sent for it alone. A call that shares requests has none: see `immu-ts:rpc`. */
  readonly rpcs: readonly string[];
  /** How often one was sent, repetitions counted. */
  readonly sends: number;
  /** Of its result. */
  readonly tx?: bigint;
  /** Entries that a verified call handed out, or wrote, proven. */
  readonly entries?: number;
  /** With `observe: { keys: true }`: the key of its result, as UTF-8, and the message of its error. */
  readonly key?: string;
  readonly message?: string;
}

/** Calls of one kind that ended with one code, together (`ended` of `immu-ts:calls`). */
export interface CallsEnded {
  readonly code: CallEvent['code'];
  readonly calls: number;
  /** Entries that verified calls handed out, or wrote, proven. */
  readonly entries: number;
  /** Of the one that took longest. */
  readonly longestMs: number;
}

/**
 * Calls of one kind that began or ended together, as those do which share a request (`immu-ts:calls`): told before their callers go
 * on. A fraction of what `immu-ts:call` of each of them takes.
 */
export interface CallsEvent extends WatchEvent {
  /** As in {@link CallStartEvent}, and of what ended, in {@link CallEvent}. */
  readonly operation: string;
  readonly verified: boolean;
  /** Absent for calls that are of no database. */
  readonly database?: string;
  readonly began: number;
  readonly ended: readonly CallsEnded[];
  readonly load: ClientLoad;
}

/** One RPC was sent and is over (`immu-ts:rpc`). */
export interface RpcEvent extends WatchEvent {
  readonly method: string;
  readonly database: string;
  readonly durationMs: number;
  readonly code: ImmuErrorCode | 'OK' | 'UNKNOWN';
}

/** An answer was checked (`immu-ts:verify`). */
export interface VerifyEvent extends WatchEvent {
  readonly database: string;
  /** What it was the answer to, such as `get`, `claims` or `segment`. */
  readonly question: string;
  readonly ok: boolean;
  /** The check that it failed. */
  readonly check?: string;
  /** Of the answer. */
  readonly bytes: number;
  /** With what it waited for a thread. */
  readonly durationMs: number;
}

/** The trusted head of a database began, moved, or was forgotten (`immu-ts:head`): its row is durable. */
export interface HeadEvent extends WatchEvent {
  readonly server: string;
  readonly database: string;
  readonly outcome: 'first-use' | 'pinned' | 'root' | 'forget';
  /** The call that moved it. */
  readonly operation: string;
  /** Null where there was none. */
  readonly previousTx: bigint | null;
  readonly tx: bigint;
  /** Hash of the header of `tx`, in hex. */
  readonly alh: string;
}

/** An answer was refused, or a server (`immu-ts:refusal`). Not every call that ends by it: those have their own event. */
export interface RefusalEvent extends WatchEvent {
  readonly server: string;
  readonly database: string;
  readonly code: 'VERIFICATION_FAILED' | 'FORK_DETECTED' | 'SERVER_BEHIND_TRUST' | 'IDENTITY_CHANGED';
  /** The check that failed. */
  readonly check: string;
  readonly tx?: bigint;
  /** With `observe: { keys: true }`: what did not hold, in words, and in its terms. */
  readonly message?: string;
  readonly expected?: string;
  readonly computed?: string;
}

/** One tx with two hashes (`immu-ts:fork`): told beside its refusal, and also where no call fails with it. */
export type ForkEvent = RefusalEvent;

/** The connection to the server (`immu-ts:connection`). */
export interface ConnectionEvent extends WatchEvent {
  readonly state: 'connecting' | 'reconnecting' | 'connected' | 'lost' | 'failed' | 'closed';
  /** Connections that were lost so far. */
  readonly losses: number;
}

/** A session, or a login by token, on one database (`immu-ts:session`). */
export interface SessionEvent extends WatchEvent {
  readonly database: string;
  /** `lost`: the server knows it no more. `ended`: given back to the server. `refused`: it could not be opened. */
  readonly state: 'opened' | 'reopened' | 'lost' | 'refused' | 'ended';
  /** Why it was refused. */
  readonly code?: ImmuErrorCode | 'UNKNOWN';
}

/** Something that a person should look at (`immu-ts:warning`); nothing failed by it. */
export interface WarningEvent extends WatchEvent {
  readonly warning: 'STORE_MAY_NOT_LAST';
  readonly message: string;
}

/** Channels of `node:diagnostics_channel`, and what is published on them. */
export interface WatchEvents {
  'immu-ts:call:start': CallStartEvent;
  'immu-ts:call': CallEvent;
  'immu-ts:calls': CallsEvent;
  'immu-ts:rpc': RpcEvent;
  'immu-ts:verify': VerifyEvent;
  'immu-ts:head': HeadEvent;
  'immu-ts:refusal': RefusalEvent;
  'immu-ts:fork': ForkEvent;
  'immu-ts:connection': ConnectionEvent;
  'immu-ts:session': SessionEvent;
  'immu-ts:warning': WarningEvent;
}

export type WatchName = keyof WatchEvents;

export const WATCH_NAMES: readonly WatchName[] = [
  'immu-ts:call:start',
  'immu-ts:call',
  'immu-ts:calls',
  'immu-ts:rpc',
  'immu-ts:verify',
  'immu-ts:head',
  'immu-ts:refusal',
  'immu-ts:fork',
  'immu-ts:connection',
  'immu-ts:session',
  'immu-ts:warning',
];
