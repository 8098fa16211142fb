// How much evidence a store keeps. What a server is refused for is as long as the server likes, and as often: its rows are all
// written, its bytes only up to a bound, beyond which a row has their SHA-256 and says that they are not there.
import { sha256 } from '../../proof/hash.js';
import { hourOf } from './audit-stats.js';
import type { AuditEntry, Evidence } from '../audit-types.js';

/** Bytes of evidence kept of one database in one hour. What was kept before, for another row, counts once. */
export const EVIDENCE_BYTES_PER_HOUR = 64 * 1024 * 1024;

/** The hour of a row, of whose budget its evidence takes. */
export function budgetHour({ verifiedAt }: Pick<AuditEntry, 'verifiedAt'>): number {
  return hourOf(verifiedAt);
}

/** Whether so many more bytes may be kept. */
export function isWithinBudget(used: number, bytes: number): boolean {
  return used + bytes <= EVIDENCE_BYTES_PER_HOUR;
}

/** The evidence as it is kept when there is no room for its bytes. `jobHash`: SHA-256 of its job. */
export function withoutBytes(evidence: Evidence, jobHash: Uint8Array = sha256(evidence.job)): Evidence {
  const { job, omitted } = evidence;
  const nothing = new Uint8Array(0);
  // What was left out before is what somebody may still have: the answer.
  const left = omitted
    ? { ...omitted, reason: 'budget' as const }
    : { part: 'job' as const, reason: 'budget' as const, sha256: jobHash, length: job.length };
  return { ...evidence, job: nothing, omitted: left };
}
