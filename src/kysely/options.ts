// Options of the dialect, checked when it is made.
import { ArgumentError } from '../errors.js';
import { knownNames } from '../known-names.js';

const MAX_MS = 0x7fff_ffff;

const DIALECT = ['timeoutMs', 'transactionTimeoutMs', 'verified'];
const KYSELY = ['timeoutMs', 'transactionTimeoutMs', 'plugins', 'log'];

/** Throws ArgumentError naming the option that is wrong. */
export function checkOptions(options: unknown, of: 'dialect' | 'kysely'): void {
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError('options', 'options must be an object');
  knownNames('options', options, of === 'dialect' ? DIALECT : KYSELY);
  const { timeoutMs, transactionTimeoutMs, verified } = options as Record<string, unknown>;
  for (const [name, value] of Object.entries({ timeoutMs, transactionTimeoutMs }))
    if (value !== undefined && !isTime(value))
      throw new ArgumentError(name, `${name} must be a whole number of milliseconds from 1 to ${MAX_MS}`);
  if (verified !== undefined && typeof verified !== 'boolean')
    throw new ArgumentError('verified', 'verified must be true or false');
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_MS;
}
