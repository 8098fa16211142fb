// Reads fields of a proof document: exactly those that there may be, each in the one way it is written.
import { MAX_ID, fromHex } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { HASH_SIZE } from '../../proof/hash.js';

export type Fields = Readonly<Record<string, unknown>>;

const DECIMAL = /^(0|-?[1-9][0-9]{0,18})$/;
const DIGEST = /^[0-9a-f]{64}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** Names and what they hold are shown up to so many characters. */
const SHOWN = 100;

export function wrong(name: string, what: string): never {
  throw new ProofFailure('proof.form', `${name} ${what}`);
}

/** An object that has all of `needed`, some of `optional`, and nothing else. */
export function fields(
  name: string,
  value: unknown,
  needed: readonly string[],
  optional: readonly string[] = [],
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(name, 'must be an object');
  const names = Object.keys(value);
  for (const each of needed) if (!names.includes(each)) wrong(name, `has no ${each}`);
  for (const each of names) {
    if (!needed.includes(each) && !optional.includes(each))
      wrong(name, `has ${JSON.stringify(each.slice(0, SHOWN))}, which is not part of it`);
  }
  return value as Fields;
}

/** One that is there, where it is there at all. */
export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

export function list<T>(
  name: string,
  value: unknown,
  max: number,
  read: (name: string, value: unknown) => T,
): T[] {
  if (!Array.isArray(value)) wrong(name, 'must be an array');
  if (value.length > max) wrong(name, `has more than ${max} elements`);
  return Array.from(value as unknown[], (each, i) => read(`${name}[${i}]`, each));
}

export function text(name: string, value: unknown): string {
  if (typeof value !== 'string' || !value.isWellFormed()) wrong(name, 'must be text');
  return value;
}

export function digest(name: string, value: unknown): Uint8Array {
  if (typeof value !== 'string' || !DIGEST.test(value))
    wrong(name, `must be ${HASH_SIZE} bytes in hex, in lower case`);
  return fromHex(value);
}

export function digests(name: string, value: unknown, max: number): Uint8Array[] {
  return list(name, value, max, digest);
}

/** The same bytes can be written in several ways: all but one are refused. */
export function base64(name: string, value: unknown): Uint8Array {
  if (typeof value !== 'string' || !BASE64.test(value)) wrong(name, 'must be base64');
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64') !== value) wrong(name, 'must be base64 as it is usually written');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function int64(name: string, value: unknown): bigint {
  const number = typeof value === 'string' && DECIMAL.test(value) ? BigInt(value) : undefined;
  if (number === undefined || BigInt.asIntN(64, number) !== number)
    wrong(name, 'must be decimal text of 64 bits');
  return number;
}

export function id(name: string, value: unknown): bigint {
  const number = int64(name, value);
  if (number < 0n || number > MAX_ID) wrong(name, 'must be decimal text from 0 to 2^63-1');
  return number;
}

export function count(name: string, value: unknown, max: number): number {
  if (
    typeof value !== 'number' ||
    !Number.isInteger(value) ||
    value < 0 ||
    value > max ||
    Object.is(value, -0)
  )
    wrong(name, `must be a whole number from 0 to ${max}`);
  return value;
}

export function yes(name: string, value: unknown): true {
  if (value !== true) wrong(name, 'must be true where it is there');
  return value;
}
