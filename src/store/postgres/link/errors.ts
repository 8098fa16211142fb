// What the server and the way to it say, as errors of ours.
import { ImmuError, StoreError } from '../../../errors.js';
import { serverWords } from '../../../visible.js';
import { OUTRUN, ROLLED_BACK } from '../sql/append.js';

/** It cannot be reached, or not now: asked again later it may answer. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
}

/** A row that cannot be written, whatever becomes of others: nothing of its batch was committed. */
export class RowRefused extends StoreError {}

/** A commit of a writer that was given up came too late. */
export function isOutrun(error: unknown): boolean {
  return stateOf(error) === OUTRUN;
}

/** Connection exceptions, too many connections, shutdowns, sessions that were ended, a standby. */
const AWAY = /^(08|57P0|53300|25P03|25006|40|55P03|58)/;
/** Limits of the server. */
const TOO_LARGE = /^54/;
const DAMAGED = /^(XX00[12]|42|22|23|IM001)/;

export const ROOT_STORE = 'the root store';

/** @param label of the server @param what is there */
export function toLinkError(error: unknown, label: string, what = ROOT_STORE): Error {
  if (error instanceof ImmuError || error instanceof LinkLost) return error;
  const words = serverWords(error instanceof Error ? error.message || String(error) : String(error));
  const state = stateOf(error);
  if (state === OUTRUN) return error as Error;
  if (state === undefined || AWAY.test(state)) return new LinkLost(`${label}: ${words}`, { cause: error });
  if (TOO_LARGE.test(state))
    return new RowRefused('STORE_FAILED', `${what} ${label}: ${words} (SQLSTATE ${state})`, {
      cause: error,
    });
  const code = DAMAGED.test(state) ? 'STORE_DAMAGED' : 'STORE_FAILED';
  const rolledBack = state === ROLLED_BACK ? ': an older state was put in its place' : '';
  return new StoreError(code, `${what} ${label}: ${words}${rolledBack} (SQLSTATE ${state})`, {
    cause: error,
  });
}

/** SQLSTATE of an answer of the server; undefined for what is none. */
export function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}

/** What is said where a commit may have been done. */
export const IN_DOUBT = ', and what was under way may have been written';

export function unavailable(label: string, why: unknown, more = '', what = ROOT_STORE): StoreError {
  const words = why instanceof Error ? why.message : String(why);
  const out = `it can be asked again when the server is back${more}`;
  return new StoreError('STORE_UNAVAILABLE', `${what} ${label} cannot be reached: ${words}; ${out}`, {
    cause: why,
  });
}
