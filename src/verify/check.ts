// One job, one verdict: the same code whether it runs on the main thread or on another.
import { ProofFailure } from '../proof/failure.js';
import { kindOf } from './kinds.js';
import { refutedBy } from './refuted.js';
import type { Job, Verdict } from './verifier.js';

/**
 * Checks an answer. Requires a job that passed `assertJob`. Throws only for defects of ours: whatever a server
 * answers, the outcome is a verdict.
 */
export function check({ question, context, answer }: Job): Verdict {
  try {
    return { ok: true, proven: kindOf(question).check(question, context, answer) };
  } catch (error) {
    if (error instanceof ProofFailure) return { ok: false, refuted: refutedBy(error) };
    throw error;
  }
}

/** What a defect is called in the error that reports it. */
export function describeDefect(error: unknown): string {
  return `checking an answer broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
