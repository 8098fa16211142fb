// Range and shape checks shared by all proofs: values come from servers, whatever their declared type says.
import { MAX_ID, equalBytes } from './bytes.js';
import { ProofFailure } from './failure.js';
import type { CheckName } from './failure.js';
import type { ProofTerm } from './failure.js';
import { HASH_SIZE } from './hash.js';

/** What of `value` can be shown in a failure. */
function shown(value: unknown): ProofTerm {
  return typeof value === 'bigint' || typeof value === 'number' ? value : typeof value;
}

/** Requires exactly 32 bytes. */
export function assertDigest(value: unknown, check: CheckName): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) throw new ProofFailure(check, 'not bytes', HASH_SIZE, shown(value));
  if (value.length !== HASH_SIZE) {
    throw new ProofFailure(check, 'a digest has 32 bytes', HASH_SIZE, value.length);
  }
}

/** Requires a tx id: 1..2^63-1 (or from `min`, for tree sizes where 0 means none). */
export function assertId(value: unknown, check: CheckName, min = 1n): asserts value is bigint {
  if (typeof value !== 'bigint' || value < min || value > MAX_ID) {
    throw new ProofFailure(check, 'id out of range', `${min.toString()}..2^63-1`, shown(value));
  }
}

/** Requires an integer in `min..max`. */
export function assertCount(
  value: unknown,
  min: number,
  max: number,
  check: CheckName,
): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new ProofFailure(check, 'not an integer in range', `${min}..${max}`, shown(value));
  }
}

/** Requires a list of exactly `length` digests: looked at before the first of them is hashed. */
export function assertTerms(
  terms: unknown,
  length: number,
  check: CheckName,
): asserts terms is readonly Uint8Array[] {
  if (!Array.isArray(terms)) throw new ProofFailure(check, 'not a list of digests', length, shown(terms));
  if (terms.length !== length) throw new ProofFailure(check, 'wrong number of terms', length, terms.length);
  for (const term of terms) assertDigest(term, check);
}

/** Requires equal digests; a mismatch shows both. */
export function assertSame(
  computed: Uint8Array,
  expected: Uint8Array,
  check: CheckName,
  detail: string,
): void {
  if (!equalBytes(computed, expected)) throw new ProofFailure(check, detail, expected, computed);
}
