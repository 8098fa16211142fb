// One job, one verdict: the same code whether it runs on the main thread or on another.
import { ProofFailure } from '../proof/failure.js';
import { checkBlock } from './chain/block.js';
import { checkClaim } from './claims/claim.js';
import { checkClaims } from './readings/claims.js';
import { checkGet } from './readings/get.js';
import { checkGone } from './readings/gone.js';
import { checkLeaves } from './chain/leaves.js';
import { checkSegment } from './chain/segment.js';
import { checkSet } from './writings/set.js';
import { checkState } from './chain/state.js';
import { checkStretch } from './chain/stretch.js';
import { checkTx } from './chain/tx.js';
import { checkWritten } from './writings/written.js';
import { refutedBy } from './refuted.js';
import type { Job, Proven, Verdict } from './verifier.js';

/**
 * Checks an answer. Requires a job that passed `assertJob`. Throws only for defects of ours: whatever a server
 * answers, the outcome is a verdict.
 */
export function check(job: Job): Verdict {
  try {
    return { ok: true, proven: prove(job) };
  } catch (error) {
    if (error instanceof ProofFailure) return { ok: false, refuted: refutedBy(error) };
    throw error;
  }
}

function prove({ question, context, answer }: Job): Proven {
  switch (question.kind) {
    case 'get':
      return checkGet(question, context, answer);
    case 'set':
      return checkSet(question, context, answer);
    case 'tx':
      return checkTx(question, context, answer);
    case 'segment':
      return checkSegment(question, answer);
    case 'claims':
      return checkClaims(question, context, answer);
    case 'claim':
      return checkClaim(question, context, answer);
    case 'gone':
      return checkGone(question, context, answer);
    case 'written':
      return checkWritten(question, context, answer);
    case 'block':
      return checkBlock(question, context, answer);
    case 'leaves':
      return checkLeaves(question, answer);
    case 'stretch':
      return checkStretch(question, context, answer);
    case 'state':
      return checkState(context, answer);
  }
}

/** What a defect is called in the error that reports it. */
export function describeDefect(error: unknown): string {
  return `checking an answer broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
