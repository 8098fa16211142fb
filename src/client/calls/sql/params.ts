// The values of a statement's parameters: by name, or by position.
import { ArgumentError } from '../../../errors.js';
import type { NamedParam } from '../../../wire/messages.js';
import { kindOf } from '../../input/option-checks.js';
import { toWireValue } from './values.js';
import type { SqlParam } from './values.js';

/** By position, for `?` and `$1`; or by name, for `@name` (upper and lower case are one). */
export type SqlParams = readonly SqlParam[] | Readonly<Record<string, SqlParam>>;

/** The parameters that a text names. */
export interface NamedParams {
  /** Of `@name`, lower case. */
  readonly names: ReadonlySet<string>;
  /** How many `?` there are, or the highest `$n`. */
  readonly positions: number;
}

/**
 * Exactly the parameters that are named, in their wire form.
 *
 * @throws ArgumentError that names the one that is missing
 */
export function toWireParams({ names, positions }: NamedParams, params: unknown): NamedParam[] {
  if (names.size > 0 && positions > 0)
    throw new ArgumentError('sql', 'parameters are by name (@name) or by position (? or $1), not both');
  if (positions > 0) return byPosition(positions, params);
  if (names.size > 0) return byName(names, params);
  if (params === undefined) return [];
  if (Array.isArray(params)) return byPosition(0, params);
  // An object may hold more than the statement names.
  if (typeof params !== 'object' || params === null) throw notParams(params);
  return [];
}

function byPosition(positions: number, params: unknown): NamedParam[] {
  if (!Array.isArray(params)) {
    if (params === undefined) throw missing('parameter 1 ($1)');
    throw new ArgumentError('params', `params must be an array, for ? and $1, not ${kindOf(params)}`);
  }
  const given = params as unknown[];
  if (given.length < positions) throw missing(`parameter ${given.length + 1} ($${given.length + 1})`);
  if (given.length > positions) {
    const names = `the statement names ${positions}`;
    throw new ArgumentError('params', `params holds ${given.length} values, and ${names}`);
  }
  return Array.from(given, (value, i) => ({
    name: `param${i + 1}`,
    value: toWireValue(value, `params[${i}]`),
  }));
}

function byName(names: ReadonlySet<string>, params: unknown): NamedParam[] {
  if (params === undefined) throw missing(`@${[...names][0] ?? ''}`);
  if (typeof params !== 'object' || params === null || Array.isArray(params)) {
    throw new ArgumentError('params', `params must be an object, for @name, not ${kindOf(params)}`);
  }
  const given = new Map<string, readonly [string, unknown]>();
  for (const [key, value] of Object.entries(params)) {
    const name = key.toLowerCase();
    if (!names.has(name)) continue;
    const other = given.get(name);
    if (other) throw new ArgumentError(`params.${key}`, `params names @${name} twice: ${other[0]}, ${key}`);
    given.set(name, [key, value]);
  }
  return Array.from(names, (name) => {
    const found = given.get(name);
    if (!found) throw missing(`@${name}`);
    return { name, value: toWireValue(found[1], `params.${found[0]}`) };
  });
}

function missing(which: string): ArgumentError {
  return new ArgumentError('params', `params has no value for ${which}`);
}

function notParams(params: unknown): ArgumentError {
  return new ArgumentError('params', `params must be an array or an object, not ${kindOf(params)}`);
}
