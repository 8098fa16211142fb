// What verified writes of documents have in common: they are sent once, over the connection over which the server was found to stand
// where it is trusted; what cannot be proven then may have been done.
import { ImmuError, TransportError, VerificationError } from '../../../../errors.js';
import type { Root } from '../../../../verify/verifier.js';
import { OtherConnection } from '../../../net/rpc.js';
import type { RpcOptions } from '../../../net/rpc.js';
import { isNotDone } from '../../../net/server-errors.js';
import type { Verified } from './verified.js';
import { overThisConnection } from '../../../trust/write.js';

/** What was sent under which head, and what came back. */
export interface SentDocuments {
  readonly head: Root;
  readonly answer: Uint8Array;
}

/**
 * Sends, once, and has `prove` prove what came back. `find`: what is needed for that, found out before anything is sent.
 *
 * @throws VerificationError when the server does not stand where it is trusted, or the write is not proven
 * @throws TransportError OUTCOME_UNKNOWN when it may have been done, but that could not be proven
 */
export async function writeDocuments<F, T>(
  { session, trust, call }: Verified,
  find: (verified: Verified) => Promise<F>,
  send: (options: RpcOptions, found: F) => Promise<Uint8Array>,
  prove: (verified: Verified, sent: SentDocuments, found: F) => Promise<T>,
): Promise<T> {
  await trust.ready(call, true);
  const { known } = trust;
  const verified = { session, trust, call: { ...call, counted: true } };
  const found = await find(verified);
  for (;;) {
    await trust.ready(call, true);
    const options = overThisConnection(session, call.deadline);
    const head = await trust.head(call);
    const end = trust.writes.reserve(head.tx, () => trust.headTx);
    let mayBeDone = true;
    try {
      const answer = await trust.ask(call, head, () => send(options(), found));
      const proven = await prove(verified, { head, answer }, found).catch(unproven);
      if (trust.knownNow !== known) throw trust.forgotten();
      trust.countCalls(call.operation, call.startedAt, 1);
      mayBeDone = false;
      return proven;
    } catch (error) {
      mayBeDone &&= !isNotDone(error);
      // Not sent: over the next connection another server may answer, which has to show first that it is none.
      if (!(error instanceof OtherConnection)) throw error;
    } finally {
      end(mayBeDone);
    }
  }
}

/** The server has answered, so it has most likely written: a failure on our side must not look like "not done". */
function unproven(error: unknown): never {
  if (error instanceof VerificationError) throw error;
  const why = error instanceof ImmuError ? `${error.code}: ${error.message}` : 'unexpected failure';
  throw new TransportError(
    'OUTCOME_UNKNOWN',
    `the server answered the write, but it could not be proven (${why}); read the documents back with verifiedGet`,
    { cause: error },
  );
}
