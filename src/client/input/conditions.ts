// What a write may depend on: which keys there must be, or must not be, for it to be done.
import { ArgumentError } from '../../errors.js';
import { MAX_TX_ENTRIES, toKey } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import { knownNames, kindOf, optionsObject } from './option-checks.js';
import { txId } from './tx-id.js';

/**
 * What must hold when the server writes, or nothing is written. A deleted or expired key is not there; `notModifiedAfter` looks at
 * the newest entry of a key, deleted or not, and holds for a key that was never written.
 */
export type Precondition =
  | { readonly mustExist: BytesInput }
  | { readonly mustNotExist: BytesInput }
  | { readonly notModifiedAfter: { readonly key: BytesInput; readonly tx: bigint } };

/** A checked {@link Precondition}. */
export interface Condition {
  readonly kind: (typeof KINDS)[number];
  readonly key: Uint8Array;
  /** Of `notModifiedAfter`. */
  readonly tx?: bigint;
}

const KINDS = ['mustExist', 'mustNotExist', 'notModifiedAfter'] as const;

/** As many as an immudb takes in a transaction. Throws ArgumentError naming the one that is wrong. */
export function toConditions(given: readonly Precondition[]): Condition[] {
  if (!Array.isArray(given))
    throw new ArgumentError('preconditions', `preconditions must be an array, not ${kindOf(given)}`);
  if (given.length > MAX_TX_ENTRIES)
    throw new ArgumentError(
      'preconditions',
      `too many preconditions: a write takes at most ${MAX_TX_ENTRIES}`,
    );
  return Array.from(given as readonly Precondition[], toCondition);
}

function toCondition(given: Precondition, i: number): Condition {
  const name = `preconditions[${i}]`;
  optionsObject(name, given);
  knownNames(name, given, KINDS);
  const kinds = KINDS.filter((kind) => kind in given);
  const [kind] = kinds;
  if (kinds.length !== 1 || kind === undefined)
    throw new ArgumentError(name, `${name} must have one of: ${KINDS.join(', ')}`);
  const value = (given as Readonly<Record<string, unknown>>)[kind];
  const path = `${name}.${kind}`;
  if (kind !== 'notModifiedAfter') return { kind, key: toKey(value as BytesInput, path) };
  optionsObject(path, value);
  knownNames(path, value, ['key', 'tx']);
  const { key, tx } = value as { readonly key: BytesInput; readonly tx: unknown };
  return { kind, key: toKey(key, `${path}.key`), tx: txId(`${path}.tx`, tx) };
}
