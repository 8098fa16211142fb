// The operations of an execAll, as callers give them.
import { ArgumentError } from '../../errors.js';
import { keyName } from '../../verify/key-name.js';
import type { SentMember, SentOp, SentReference, SentVersion } from '../../verify/wire/requests.js';
import { MAX_TX_ENTRIES, toKey, toValue } from './bytes-input.js';
import type { BytesInput } from './bytes-input.js';
import { knownNames, kindOf, optionsObject, wrongType } from './option-checks.js';
import { txId } from './tx-id.js';
import { checkMetadata } from './write-options.js';
import type { EntryMetadata } from './write-options.js';

/** Which version of its key a reference or a member of a sorted set leads to, for good: `thisTx` is the one that is set with it. */
export type OpVersion = bigint | 'thisTx';

/** One of the writes that `execAll` puts into one transaction. */
export type Op =
  | {
      readonly set: {
        readonly key: BytesInput;
        readonly value: BytesInput;
        readonly metadata?: EntryMetadata;
      };
    }
  | { readonly reference: { readonly key: BytesInput; readonly to: BytesInput; readonly atTx?: OpVersion } }
  | {
      readonly zAdd: {
        readonly set: BytesInput;
        readonly score: number;
        readonly key: BytesInput;
        readonly atTx?: OpVersion;
      };
    };

const KINDS = ['set', 'reference', 'zAdd'] as const;

/** Fields of an operation: nothing of them is known yet. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Checked operations in their order. Throws ArgumentError naming the one that is wrong, that writes what another one does, or
 * that is bound to a version of this transaction which none before it sets.
 */
export function toOps(given: Iterable<Op>): SentOp[] {
  if (typeof given !== 'object' || (given as object | null) === null || !(Symbol.iterator in given))
    throw new ArgumentError(
      'ops',
      `ops must be an array, or another iterable of operations, not ${kindOf(given)}`,
    );
  const ops: SentOp[] = [];
  const names = new Set<string>();
  // Read only as far as needed: the source may be endless.
  for (const one of given) {
    const i = ops.length;
    if (i === MAX_TX_ENTRIES)
      throw new ArgumentError('ops', `too many operations: one transaction takes at most ${MAX_TX_ENTRIES}`);
    const op = toOp(one, `ops[${i}]`);
    const name = nameOf(op);
    if (names.has(name)) throw new ArgumentError('ops', `ops[${i}] writes what another one writes`);
    names.add(name);
    ops.push(op);
  }
  if (ops.length === 0) throw new ArgumentError('ops', 'ops must not be empty');
  assertSetBefore(ops);
  return ops;
}

/** Throws ArgumentError for the first operation that leads anywhere but to a key of this transaction. */
export function assertSelfContained(ops: readonly SentOp[]): void {
  const i = ops.findIndex((op) => targetOf(op) !== undefined && targetOf(op)?.atTx !== 'thisTx');
  if (i >= 0)
    throw new ArgumentError(
      'noWait',
      `with noWait, ops[${i}] must be bound to a key of the same call: atTx 'thisTx'`,
    );
}

/** A score: any number, −0 and infinities too, which are kept bit by bit. Throws ArgumentError naming it. */
export function toScore(name: string, score: unknown): number {
  if (typeof score !== 'number') wrongType(name, 'a number', score);
  if (Number.isNaN(score)) throw new ArgumentError(name, `${name} must not be NaN`);
  return score;
}

function toOp(given: Op, name: string): SentOp {
  optionsObject(name, given);
  knownNames(name, given, KINDS);
  const kinds = KINDS.filter((kind) => kind in given);
  const [kind] = kinds;
  if (kinds.length !== 1 || kind === undefined)
    throw new ArgumentError(name, `${name} must have one of: ${KINDS.join(', ')}`);
  const path = `${name}.${kind}`;
  const fields: unknown = (given as Fields)[kind];
  optionsObject(path, fields);
  if (kind === 'set') return { set: toSet(fields as Fields, path) };
  return kind === 'reference'
    ? { reference: toReference(fields as Fields, path) }
    : { zAdd: toMember(fields as Fields, path) };
}

function toSet(fields: Fields, path: string) {
  knownNames(path, fields, ['key', 'value', 'metadata']);
  const metadata = checkMetadata(`${path}.metadata`, fields['metadata'] as EntryMetadata | undefined);
  return {
    key: toKey(fields['key'] as BytesInput, `${path}.key`),
    value: toValue(fields['value'] as BytesInput, `${path}.value`),
    ...(metadata && { metadata }),
  };
}

function toReference(fields: Fields, path: string): SentReference {
  knownNames(path, fields, ['key', 'to', 'atTx']);
  return {
    key: toKey(fields['key'] as BytesInput, `${path}.key`),
    to: toKey(fields['to'] as BytesInput, `${path}.to`),
    atTx: toVersion(fields['atTx'], `${path}.atTx`),
  };
}

function toMember(fields: Fields, path: string): SentMember {
  knownNames(path, fields, ['set', 'score', 'key', 'atTx']);
  return {
    set: toKey(fields['set'] as BytesInput, `${path}.set`),
    score: toScore(`${path}.score`, fields['score']),
    key: toKey(fields['key'] as BytesInput, `${path}.key`),
    atTx: toVersion(fields['atTx'], `${path}.atTx`),
  };
}

function toVersion(atTx: unknown, path: string): SentVersion {
  if (atTx === undefined) return 0n;
  if (atTx === 'thisTx') return atTx;
  if (typeof atTx !== 'bigint') wrongType(path, "a bigint, or 'thisTx'", atTx);
  return txId(path, atTx);
}

/** What the operation writes: no two of a transaction may write the same. A member is the same whatever its score. */
function nameOf(op: SentOp): string {
  if ('set' in op) return `key ${keyName(op.set.key)}`;
  if ('reference' in op) return `key ${keyName(op.reference.key)}`;
  const { set, key, atTx } = op.zAdd;
  return `member ${set.length} ${keyName(set)}${keyName(key)} ${String(atTx)}`;
}

function targetOf(op: SentOp): { readonly key: Uint8Array; readonly atTx: SentVersion } | undefined {
  if ('set' in op) return undefined;
  return 'zAdd' in op ? op.zAdd : { key: op.reference.to, atTx: op.reference.atTx };
}

/** A server takes what is bound to its own tx without looking for its key there: it would lead nowhere, for good. */
function assertSetBefore(ops: readonly SentOp[]): void {
  const set = new Set<string>();
  ops.forEach((op, i) => {
    if ('set' in op) set.add(keyName(op.set.key));
    const target = targetOf(op);
    if (target?.atTx === 'thisTx' && !set.has(keyName(target.key)))
      throw new ArgumentError(
        'ops',
        `ops[${i}] is bound to this transaction, but none before it sets its key`,
      );
  });
}
