// Names of collections, fields and documents, checked before anything is sent.
import { ArgumentError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import { text, wrongType } from '../../input/option-checks.js';

/** Servers take longer ones still: a bound, so that nothing endless is looked through. */
export const MAX_NAME_LENGTH = 1024;
/** Columns of ids have as many bytes. */
export const MAX_ID_BYTES = 32;

/** The names that a server takes. */
const COLLECTION = /^[a-zA-Z_][a-zA-Z0-9_-]*$/;
const FIELD = /^[a-zA-Z_][a-zA-Z0-9_.-]*$/;
/** The column of whole documents. */
const RESERVED = '_doc';

export function collectionName(name: unknown, argument = 'collection'): string {
  const given = bounded(argument, name);
  if (!COLLECTION.test(given)) {
    const what = `${argument} must be of letters, digits, "_" and "-", and begin with none of the digits and "-"`;
    throw new ArgumentError(argument, what);
  }
  return given;
}

export function fieldName(argument: string, name: unknown): string {
  const given = bounded(argument, name);
  if (!FIELD.test(given)) {
    const what = `${argument} must be of letters, digits, "_" and "-", with dots where it leads into objects`;
    throw new ArgumentError(argument, what);
  }
  if (given === RESERVED)
    throw new ArgumentError(argument, `${argument} must not be ${RESERVED}, which is reserved`);
  return given;
}

/** The id of a document: 1 to 32 bytes in hex, in lower case. */
export function documentId(argument: string, id: unknown): string {
  if (typeof id !== 'string') wrongType(argument, 'the id of a document, in hex', id);
  if (id.length === 0 || id.length > 2 * MAX_ID_BYTES)
    throw new ArgumentError(argument, `${argument} must be 1 to ${MAX_ID_BYTES} bytes in hex`);
  try {
    return toHex(fromHex(id));
  } catch (cause) {
    throw new ArgumentError(argument, `${argument} must be in hex`, 'INVALID_ARGUMENT', { cause });
  }
}

function bounded(argument: string, name: unknown): string {
  const given = text(argument, name);
  if (given.length > MAX_NAME_LENGTH)
    throw new ArgumentError(argument, `${argument} must not be longer than ${MAX_NAME_LENGTH} characters`);
  return given;
}

/** A list of 1 to `max` items. Throws ArgumentError for what is none, before its items are looked at. */
export function listOf(argument: string, list: unknown, max: number, min = 1): readonly unknown[] {
  if (!Array.isArray(list)) return wrongType(argument, 'an array', list);
  if (list.length < min) throw new ArgumentError(argument, `${argument} must not be empty`);
  if (list.length > max)
    throw new ArgumentError(argument, `${argument} must have at most ${max} items`, 'LIMIT_EXCEEDED');
  // Holes are items too, and undefined.
  return Array.from(list as ArrayLike<unknown>);
}
