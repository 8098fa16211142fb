// What the exit code of a command says, the same for all of them.
import { ArgumentError, StoreError, VerificationError } from '../errors.js';
import { UsageError } from './command.js';

/** Looked at, and it holds; or done. */
export const HOLDS = 0;
/** It could not be done or found out, or it is not there. Says nothing against anybody. */
export const FAILED = 1;
/** The command line is wrong: nothing was done. */
export const WRONG_USE = 2;
/** What a server, a file or a log says is refuted, or was changed. */
export const REFUTED = 3;
/** By Ctrl-C; 143 by SIGTERM. */
export const INTERRUPTED = 130;
const TERMINATED = 143;

export type Interrupt = 'SIGINT' | 'SIGTERM';

/** Of what was thrown. `by`: what has interrupted it. */
export function codeOf(error: unknown, by: Interrupt | undefined): number {
  if (error instanceof VerificationError) return REFUTED;
  if (by !== undefined) return interruptedBy(by);
  // A log whose rows do not follow from one another is no failure of the machine alone.
  if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return REFUTED;
  return isUsage(error) ? WRONG_USE : FAILED;
}

export function isUsage(error: unknown): boolean {
  return error instanceof UsageError || error instanceof ArgumentError;
}

export function interruptedBy(signal: Interrupt): number {
  return signal === 'SIGTERM' ? TERMINATED : INTERRUPTED;
}

export const EXIT_CODES = `Exit codes: 0 done, or it holds; 1 it could not be done or found out, or is not there; 2 wrong command line;
3 refuted or tampered with; 130 interrupted (143 by SIGTERM).`;
