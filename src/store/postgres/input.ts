// Options that everything in PostgreSQL has.
import { ArgumentError } from '../../errors.js';
import type { Address } from './link/address.js';

/** @throws ArgumentError */
export function checkSchema(schema: unknown): asserts schema is string {
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_'))
    throw new ArgumentError('schema', 'schema must be 1 to 63 of a-z, 0-9 and _, and not begin with pg_');
}

/** @throws ArgumentError */
export function milliseconds(name: string, value = 10_000): number {
  if (Number.isInteger(value) && value > 0 && value <= 0x7fff_ffff) return value;
  throw new ArgumentError(name, `${name} must be an integer from 1 to 2^31 - 1`);
}

/** What it is called in messages, without user and password. */
export function labelOf(addresses: readonly Address[], schema: string): string {
  return `${addresses.map(({ label }) => label).join(' or ')} (schema ${schema})`;
}
