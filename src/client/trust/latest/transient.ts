// What passes by itself: it says nothing of what the server shows, and the next attempt may be well.
import { ImmuError, TransportError, VerificationError } from '../../../errors.js';

const TRANSIENT: ReadonlySet<string> = new Set([
  'OVERLOADED',
  'POOL_FULL',
  'POOL_FAILED',
  'QUEUE_FULL',
  'SESSION_EXPIRED',
  'NOT_LOGGED_IN',
  'CONFLICT',
]);

export function isTransient(error: unknown): boolean {
  if (error instanceof VerificationError) return false;
  if (error instanceof TransportError) return true;
  return error instanceof ImmuError && TRANSIENT.has(error.code);
}
