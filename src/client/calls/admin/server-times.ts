// Times as servers say them: text of a 64-bit number, which may be any.
import { TransportError } from '../../../errors.js';

/** What a Date can hold. */
const MAX_MS = 8_640_000_000_000_000n;

/** Throws TransportError for one that no calendar has. */
export function timeOf(ms: bigint): Date {
  if (ms > MAX_MS || ms < -MAX_MS)
    throw new TransportError('UNAVAILABLE', `the server answered with a time that there is not: ${ms} ms`);
  return new Date(Number(ms));
}
