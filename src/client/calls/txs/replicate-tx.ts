// Hands an exported transaction to a replica.
import { types } from 'node:util';
import { ArgumentError, TransportError } from '../../../errors.js';
import { be64, concatBytes } from '../../../proof/bytes.js';
import { readTxHeader } from '../../../verify/wire/headers.js';
import { WireReader } from '../../../verify/wire/reader.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Session } from '../../net/session.js';
import { sent } from './chunks.js';
import { MAX_EXPORT_BYTES } from './export-tx.js';
import { headerFields } from './transaction.js';
import type { Transaction } from './transaction.js';
import { resultOf } from '../../results/result.js';

/** The bytes of an export as they are sent, with their length before them. Throws ArgumentError. */
export function toExport(exported: unknown): Uint8Array {
  const given: unknown =
    typeof exported === 'object' && exported !== null && 'bytes' in exported ? exported.bytes : exported;
  if (!types.isUint8Array(given))
    throw new ArgumentError('exported', 'exported must be an exported transaction, or the bytes of one');
  if (given.length === 0 || given.length > MAX_EXPORT_BYTES)
    throw new ArgumentError('exported', `exported must have 1 to ${MAX_EXPORT_BYTES} bytes`);
  return concatBytes(be64(BigInt(given.length)), given);
}

/** What the replica says it has committed. */
export async function replicateTx(
  session: Session,
  framed: Uint8Array,
  options: CallOptions,
): Promise<Omit<Transaction, 'entries'>> {
  const answer = await sent(session, 'replicateTx', framed, options);
  try {
    return resultOf(headerFields(readTxHeader(new WireReader(answer))));
  } catch (cause) {
    const what = 'the replica answered with something that is no header: read the transaction back';
    throw new TransportError('OUTCOME_UNKNOWN', what, { cause });
  }
}
