// A server that does not reach what is trusted: rolled back, replaced by an older copy, or another branch.
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { Root } from '../../worker/verifier.js';
import type { CallOptions } from '../options.js';
import type { Rpc } from '../rpc.js';
import { claimedState } from '../server-info.js';
import type { ClaimedState } from '../server-info.js';
import type { Journal } from './journal.js';

/**
 * Asks the server for its newest state, which it returns: its word, that never changes trust.
 *
 * @throws VerificationError, recorded, when that is behind the head or has another hash for it
 */
export async function assertNotBehind(
  rpc: Rpc,
  journal: Journal,
  operation: string,
  head: Root,
  options: CallOptions,
): Promise<ClaimedState> {
  const state = await claimedState(rpc, options);
  if (state.tx < head.tx) {
    throw await journal.refuse('rollback', operation, head, {
      check: 'trust.rollback',
      detail: `the server is at tx ${state.tx.toString()}, behind the trusted tx ${head.tx.toString()}; trust is kept`,
      expected: head.tx.toString(),
      computed: state.tx.toString(),
    });
  }
  if (state.tx === head.tx && !equalBytes(state.alh, head.alh)) {
    throw await journal.refuse('fork', operation, head, {
      check: 'trust.fork',
      detail: `the server's state has another hash for the trusted tx ${head.tx.toString()}`,
      expected: toHex(head.alh),
      computed: toHex(state.alh),
    });
  }
  return state;
}
