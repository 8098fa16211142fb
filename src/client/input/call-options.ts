// What every call can be told: until when it waits, and when its caller gives up.
import { setMaxListeners } from 'node:events';
import { knownNames, optionsObject, whole, wrongType } from './option-checks.js';

/** What a timer can hold. */
const MAX_INT32 = 0x7fff_ffff;

/** Last argument of every call. */
export interface CallOptions {
  /** Ends the caller's wait; what is shared with other callers goes on. */
  readonly signal?: AbortSignal;
  /** Deadline of the whole call in milliseconds. @default the client's `timeoutMs` */
  readonly timeoutMs?: number;
}

/** What a call is given that is given no options. */
export const NO_OPTIONS: CallOptions = Object.freeze({});

/** What the options of any call have in common, alone: for a call within it. */
export function callOptionsOf({ signal, timeoutMs }: CallOptions): CallOptions {
  return { ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) };
}

const CALL_NAMES = ['signal', 'timeoutMs'];

/** Checks the options of one call, by type and by name. `own`: what it takes beside those of every call. Throws ArgumentError. */
export function checkOptions(options: CallOptions, own: readonly string[]): void {
  if (options === NO_OPTIONS) return;
  checkCallOptions(options);
  knownNames('options', options, [...CALL_NAMES, ...own]);
}

/** Checks what the options of every call have in common. Throws ArgumentError. */
export function checkCallOptions(options: CallOptions): void {
  optionsObject('options', options);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) whole('timeoutMs', timeoutMs, 1, MAX_INT32);
  if (signal !== undefined && !isAbortSignal(signal)) wrongType('signal', 'an AbortSignal', signal);
  // Any number of calls may share a signal, each with its own listener until it ends: no leak to be warned of.
  if (signal instanceof EventTarget) setMaxListeners(0, signal);
}

/** By what it can do: signals made in another realm, or by a polyfill, are as good. */
function isAbortSignal(signal: unknown): boolean {
  if (typeof signal !== 'object' || signal === null) return false;
  const { aborted, addEventListener } = signal as Partial<AbortSignal>;
  return typeof aborted === 'boolean' && typeof addEventListener === 'function';
}
