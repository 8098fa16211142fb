// A witness has seen a larger tree than the trusted head commits to: does the server's history reach it, or is it kept back?
import { ServerError, TransportError } from '../../../errors.js';
import type { VerificationError } from '../../../errors.js';
import { isServerBehind } from '../../net/server-errors.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';

/**
 * Moves the head to where its header commits to `size` leaves or more, as far as the server's history goes.
 *
 * - `reached`: it does;
 * - `next`: the history has that many transactions, and none behind them whose header would commit to them all;
 * - a VerificationError, recorded: the server says that its history ends before;
 * - `unasked`: the server could not be asked.
 *
 * @throws VerificationError when the server is behind the trusted head, or its answer does not hold
 */
export async function catchUp(
  trust: DatabaseTrust,
  call: Call,
  size: bigint,
  who: string,
): Promise<'reached' | 'next' | 'unasked' | VerificationError> {
  const has = await reaches(trust, call, size);
  if (has === undefined) return 'unasked';
  if (!has) {
    const { tx } = await trust.head(call);
    return trust.refuse(call.operation, {
      check: 'witness.withheld',
      detail: `${who} has seen ${size.toString()} transactions, and the server says that it does not have them: they are kept back, or were rolled back`,
      expected: size.toString(),
      computed: tx.toString(),
      tx: size,
    });
  }
  const more = await reaches(trust, call, size + 1n);
  return more === undefined ? 'unasked' : more ? 'reached' : 'next';
}

/** False when the server says that it does not have this tx; undefined when it does not answer. */
async function reaches(trust: DatabaseTrust, call: Call, tx: bigint): Promise<boolean | undefined> {
  try {
    await trust.reach(call, tx);
    return true;
  } catch (error) {
    if (isServerBehind(error)) return false;
    if (error instanceof ServerError || error instanceof TransportError) return undefined;
    throw error;
  }
}
