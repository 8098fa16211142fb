// The caller's own frames on the stack of an error that the network brought: it was made in a callback, far from any of them.
// V8 finds out who awaits a promise, so nothing need be kept while all is well: it is asked when a call has failed.
import { ImmuError } from '../../errors.js';

/** Errors that show a caller. */
const told = new WeakSet<object>();

/**
 * The error, its stack that of whoever awaits the function or handler that this is called in. Where several callers end with
 * the same error, each gets one of its own. A stack is put into words when it is read, which is most of its cost.
 */
export function withCallerStack(error: unknown): unknown {
  if (!(error instanceof ImmuError)) return error;
  const own = told.has(error) ? copyOf(error) : error;
  told.add(own);
  Error.captureStackTrace(own, withCallerStack);
  return own;
}

/** A promise that fails with the error, once it is known who awaits the promise that is resolved with it. */
export async function failing(error: unknown): Promise<never> {
  // In the first of these turns that promise comes to wait for this one.
  await Promise.resolve();
  await Promise.resolve();
  throw withCallerStack(error);
}

/** Of the same class, with the same fields, and an error by all that tell errors. */
function copyOf(error: ImmuError): ImmuError {
  const copy = Object.setPrototypeOf(
    new Error(error.message),
    Object.getPrototypeOf(error) as object,
  ) as ImmuError;
  for (const key of Reflect.ownKeys(error)) {
    if (key === 'stack') continue;
    Object.defineProperty(copy, key, Object.getOwnPropertyDescriptor(error, key) as PropertyDescriptor);
  }
  return copy;
}
