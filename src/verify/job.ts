// What a job must be before it is checked or packed. A bad one is our caller's mistake: an argument error, at once,
// so that it can neither look like a lie of the server nor hurt the jobs it would share a message with.
import { ArgumentError } from '../errors.js';
import { assertBytes, assertRoot } from './asserts.js';
import { stateKey } from './chain/signature.js';
import { kindOf } from './kinds.js';
import type { Job } from './verifier.js';

const MAX_NAME_CHARS = 0x3fff;
const MAX_INT64 = 0x7fff_ffff_ffff_ffffn;

/** @throws ArgumentError naming what is wrong */
export function assertJob({ question, context, answer }: Job): void {
  const { head, database, publicKey, now } = context;
  if (head !== null) assertRoot(head, 'context.head');
  if (typeof database !== 'string' || database.length > MAX_NAME_CHARS) {
    throw new ArgumentError('context.database', 'the database name must be a string of reasonable length');
  }
  if (publicKey !== undefined) stateKey(publicKey);
  if (typeof now !== 'bigint' || now < 0n || now > MAX_INT64) {
    throw new ArgumentError('context.now', 'the time must be unix seconds as a bigint');
  }
  assertBytes(answer, 'answer');
  kindOf(question).assert(question, context);
}
