// Checks of what callers hand in: each says which input is wrong, what it should be, and what kind of thing it is.
import { types } from 'node:util';
import { ArgumentError } from '../../errors.js';

export { knownNames } from '../../known-names.js';

/** The kind of a value, never the value: `null`, `number`, `Date`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return typeof value;
  const name: unknown = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)
    ?.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'object';
}

/** `given` is left out where not even the kind of what was given should be shown. */
export function wrongType(name: string, wanted: string, ...given: [unknown?]): never {
  const aside = given.length > 0 ? `, not ${kindOf(given[0])}` : '';
  throw new ArgumentError(name, `${name} must be ${wanted}${aside}`);
}

export function text(name: string, value: unknown): string {
  if (typeof value !== 'string') wrongType(name, 'a string', value);
  if (value.length === 0) throw new ArgumentError(name, `${name} must not be empty`);
  if (!value.isWellFormed())
    throw new ArgumentError(name, `${name} holds a lone surrogate: it has no UTF-8 form`);
  return value;
}

export function whole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') wrongType(name, `a whole number from ${min} to ${max}`, value);
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new ArgumentError(name, `${name} must be a whole number from ${min} to ${max}, not ${value}`);
  }
  return value;
}

export function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') wrongType(name, 'a boolean', value);
  return value;
}

export function oneOf<T extends string>(name: string, value: unknown, names: readonly T[]): T {
  const found = names.find((known) => known === value);
  if (found === undefined) throw new ArgumentError(name, `${name} must be one of: ${names.join(', ')}`);
  return found;
}

export function optionsObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    wrongType(name, 'an object', value);
}

/** A copy, as bytes. */
export function bytesOrText(name: string, value: unknown): Uint8Array {
  if (typeof value === 'string') return new TextEncoder().encode(text(name, value));
  if (types.isUint8Array(value)) return new Uint8Array(value);
  return wrongType(name, 'a string or a Uint8Array');
}
