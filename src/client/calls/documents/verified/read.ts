// What verified reads of documents have in common: they begin under trust, end under the same, and are counted once.
import { ProofFailure } from '../../../../proof/failure.js';
import type { Verified } from './verified.js';

/** `work` proves, and returns what makes the result once the server is known to stand where it is trusted. */
export async function asRead<T>(
  { session, trust, call }: Verified,
  work: (verified: Verified) => Promise<() => T>,
): Promise<T> {
  await trust.ready(call);
  const { known } = trust;
  const assured = trust.assure(call.operation);
  assured?.catch(() => undefined);
  const result = await work({ session, trust, call: { ...call, counted: true } });
  if (assured) await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
  await trust.ready(call);
  if (trust.knownNow !== known) throw trust.forgotten();
  trust.countCalls(call.operation, call.startedAt, 1);
  return result();
}

/** What an answer is read as. @throws VerificationError of this check for one that cannot be read */
export async function readOrRefuse<T>(
  { trust, call }: Verified,
  check: string,
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    throw await trust.refuse(call.operation, { check, detail: error.message });
  }
}
