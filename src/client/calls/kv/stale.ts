// A read that shows less than was proven before.
import type { VerificationError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import type { Job } from '../../../verify/verifier.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';

/** Records, with the answer that proves the older one, that `key` was answered with an older version than one that this client has proven. */
export function refuseStale(
  trust: DatabaseTrust,
  operation: string,
  key: Uint8Array,
  tx: bigint,
  floor: bigint,
  job: Job,
): Promise<VerificationError> {
  const refuted = {
    check: 'get.stale',
    detail: `key ${toHex(key)} was answered with its version of tx ${tx.toString()}, but a newer one, of tx ${floor.toString()}, was proven before`,
    expected: floor.toString(),
    computed: tx.toString(),
    tx,
  };
  return trust.refuse(operation, refuted, job);
}
