// A read that shows less than was proven before.
import type { VerificationError } from '../../../errors.js';
import { toHex } from '../../../proof/bytes.js';
import type { Job } from '../../../verify/verifier.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';

/**
 * Records, with the answer that proves the older one, that `key` was answered with an older version than one that this client
 * has proven. Of a server that was put back that is told, and not this answer's fault.
 */
export async function refuseStale(
  trust: DatabaseTrust,
  operation: string,
  key: Uint8Array,
  tx: bigint,
  floor: bigint,
  job: Job,
): Promise<VerificationError> {
  await trust.assertStanding(operation);
  const refuted = {
    check: 'get.stale',
    detail: `key ${toHex(key)} was answered with its version of tx ${tx.toString()}, but a newer one, of tx ${floor.toString()}, was proven before`,
    expected: floor.toString(),
    computed: tx.toString(),
    tx,
  };
  return trust.refuse(operation, refuted, job);
}
