// What is checked of a server's word about its newest transaction (CurrentState, docs/protocol.md §18). No proof comes with
// it: it can contradict what is trusted, and never add to it.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertSame } from '../../proof/guard.js';
import { EMPTY_HASH } from '../../proof/hash.js';
import type { Kind } from '../kind.js';
import type { Context, Root } from '../terms.js';
import { readState } from '../wire/answers.js';
import { checkStateSignature } from './signature.js';

/** Answer: ImmutableState, the server's word about its newest tx: held against the head, which it never changes. */
export interface StateQuestion {
  readonly kind: 'state';
}

/** Contradicts nothing that is trusted; proves nothing. */
export interface StateProven {
  readonly kind: 'state';
  readonly claimed: Root;
}

/**
 * Requires a state of the database that was asked, not behind the head, and without another hash for it. The empty
 * database has its one hash, and is signed when a key is configured: nothing else will ever prove it.
 */
function checkState(_question: StateQuestion, context: Context, answer: Uint8Array): StateProven {
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

const TAG = 12;
const PROVEN_TAG = 14;

export const state: Kind<StateQuestion, StateProven> = {
  kind: 'state',
  tags: [TAG],
  provenTags: [PROVEN_TAG],

  assert: () => undefined,

  size: () => 1,
  write(writer) {
    writer.u8(TAG);
  },
  read: () => ({ kind: 'state' }),

  check: checkState,

  writeProven(writer, { claimed }) {
    writer.u8(PROVEN_TAG);
    writer.root(claimed);
  },
  readProven: (reader) => ({ kind: 'state', claimed: reader.root() }),

  words: () => 'its newest transaction',

  signed(_question, _context, answer) {
    const { database, tx, alh, signature } = readState(answer);
    return signature && { database, tx, alh, signature };
  },
};
