// What is checked of a server's word about its newest transaction (CurrentState, docs/protocol.md §18). No proof comes with
// it: it can contradict what is trusted, and never add to it.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import type { Context, Proven } from '../verifier.js';
import { readState } from '../wire/answers.js';
import { checkStateSignature } from './signature.js';

/**
 * Requires a state of the database that was asked, not behind the head, and without another hash for it. The empty
 * database has its one hash, and is signed when a key is configured: nothing else will ever prove it.
 */
export function checkState(context: Context, answer: Uint8Array): Extract<Proven, { kind: 'state' }> {
  const { database, tx, alh, signature } = readState(answer);
  const { head } = context;
  if (database !== context.database) {
    const detail = 'the state is that of another database';
    throw new ProofFailure('state.database', detail, context.database, database);
  }
  if (head && tx < head.tx) {
    const detail = `the server is at tx ${tx.toString()}, behind the trusted tx ${head.tx.toString()}`;
    throw new ProofFailure('trust.rollback', detail, head.tx, tx);
  }
  if (head && tx === head.tx && !equalBytes(alh, head.alh)) {
    const detail = `the server's state has another hash for the trusted tx ${head.tx.toString()}`;
    throw new ProofFailure('trust.fork', detail, head.alh, alh);
  }
  if (tx === 0n) {
    assertSame(alh, EMPTY_HASH, 'state.empty', 'an empty database with a hash');
    checkStateSignature(context, { tx, alh }, signature);
  }
  return { kind: 'state', claimed: { tx, alh } };
}
