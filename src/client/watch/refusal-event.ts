// What is told of a refusal: never words that may hold a key, unless the user has asked for them.
import type { VerificationError } from '../../errors.js';
import type { RefusalEvent, WatchEvent } from './events.js';

export function refusalEvent(error: VerificationError, keys: boolean): Omit<RefusalEvent, keyof WatchEvent> {
  const { server, database, check, tx, expected, computed } = error.evidence;
  return {
    ...{ server, database, check, code: error.code as RefusalEvent['code'] },
    ...(tx !== undefined && { tx }),
    ...(keys && {
      message: error.message,
      ...(expected !== undefined && { expected }),
      ...(computed !== undefined && { computed }),
    }),
  };
}
