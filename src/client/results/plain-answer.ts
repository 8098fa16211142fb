// Answers that nothing proves: they are read, or said to be no answer.
import { TransportError } from '../../errors.js';
import { ProofFailure } from '../../proof/failure.js';

/** Throws TransportError for what cannot be read: it is no answer of an immudb. */
export function readPlain<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ProofFailure)) throw cause;
    const what = `the server answered with something that cannot be read (${cause.message})`;
    throw new TransportError('UNAVAILABLE', what, { cause });
  }
}
