// ExecAll: sets, references and sorted-set entries in one transaction, which may refer to each other.
import { plainKey, referenceValue, sortedSetKey } from '../../proof/entry.js';
import { toHex } from '../../proof/bytes.js';
import type { TxHeader } from '../../proof/types.js';
import type { Database, EntrySpec } from '../engine/database.js';
import { refuse } from '../errors.js';
import { getAt } from './lookup.js';
import {
  assertPreconditionCount,
  checkPreconditions,
  readPrecondition,
  validatePrecondition,
} from './preconditions.js';
import { bytes, id } from '../wire/messages.js';
import type { ExecAllRequest, ReferenceRequest, ZAddRequest } from '../wire/messages.js';
import { assertPlainTarget, missingAsNothing, plainSpec } from './writes.js';

const NOTHING = new Uint8Array(0);

export function execAll(db: Database, request: ExecAllRequest): TxHeader {
  assertOperations(request);
  const specs = new Operations(db, request).specs();
  const preconditions = (request.preconditions ?? []).map(readPrecondition);
  if (specs.length > db.limits.maxTxEntries) throw refuse.tooManyEntries();
  const seen = new Set<string>();
  for (const spec of specs) {
    if (spec.key.length > db.limits.maxKeyBytes) throw refuse.keyTooLong();
    if (spec.value.length > db.limits.maxValueBytes) throw refuse.valueTooLong();
    const name = toHex(spec.key);
    if (seen.has(name)) throw refuse.duplicatedKey();
    seen.add(name);
  }
  assertPreconditionCount(db, preconditions);
  for (const precondition of preconditions) validatePrecondition(db, precondition);
  checkPreconditions(db, preconditions);
  return db.commit(db.prepare(specs));
}

/** Duplicates, found before anything is looked up: keys of sets and references share one space. */
function assertOperations(request: ExecAllRequest): void {
  const operations = request.Operations ?? [];
  if (operations.length === 0) throw refuse.emptySet();
  const seen = new Set<string>();
  const isNew = (...parts: readonly Uint8Array[]): boolean => {
    const name = parts.map(toHex).join('');
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  };
  for (const { kv, zAdd, ref } of operations) {
    if (kv) {
      if (!isNew(bytes(kv.key))) throw refuse.duplicateKeys(text(kv.key));
    } else if (zAdd) {
      if (!isNew(bytes(zAdd.set), bytes(zAdd.key), decimal(zAdd.atTx))) throw refuse.duplicateZAdd();
    } else if (ref) {
      if (!isNew(bytes(ref.key))) throw refuse.duplicateKeys(text(ref.key));
      if (!isNew(bytes(ref.key), bytes(ref.referencedKey), decimal(ref.atTx)))
        throw refuse.duplicateReferences();
    } else {
      throw refuse.operationNotSet();
    }
  }
}

function decimal(field: string | undefined): Uint8Array {
  return Buffer.from(id(field).toString());
}

function text(key: Uint8Array | undefined): string {
  return Buffer.from(bytes(key)).toString();
}

const OUTSIDE =
  'can only set references to keys added within same transaction, please use bound references with AtTx set to 0';

class Operations {
  readonly #db: Database;
  readonly #request: ExecAllRequest;
  readonly #keysSetHere = new Set<string>();
  readonly #thisTx: bigint;

  constructor(db: Database, request: ExecAllRequest) {
    this.#db = db;
    this.#request = request;
    this.#thisTx = BigInt(db.last + 1);
  }

  specs(): EntrySpec[] {
    return (this.#request.Operations ?? []).map(({ kv, zAdd, ref }) => {
      if (kv) {
        this.#keysSetHere.add(toHex(bytes(kv.key)));
        if (bytes(kv.key).length === 0) throw refuse.illegalArguments();
        return plainSpec(kv);
      }
      if (ref) return this.#reference(ref);
      return this.#sortedSetEntry(zAdd ?? {});
    });
  }

  #reference(ref: ReferenceRequest): EntrySpec {
    const key = bytes(ref.key);
    const target = bytes(ref.referencedKey);
    if (key.length === 0 || target.length === 0) throw refuse.illegalArguments();
    const { atTx, setHere } = this.#target(
      ref,
      target,
      'can not create a reference to a key that was not set in the same transaction',
    );
    if (this.#request.noWait !== true) {
      const replaced = missingAsNothing(() => getAt(this.#db, plainKey(key), 0n, { deletedFirst: true }));
      if (replaced && !replaced.referencedBy) throw refuse.finalKeyIsPlain();
      if (!setHere || atTx > 0n) assertPlainTarget(this.#db, target, atTx, true);
    }
    return { key: plainKey(key), value: referenceValue(this.#bound(ref, atTx), target) };
  }

  #sortedSetEntry(zAdd: ZAddRequest): EntrySpec {
    const set = bytes(zAdd.set);
    const key = bytes(zAdd.key);
    if (set.length === 0 || key.length === 0) throw refuse.illegalArguments();
    const { atTx, setHere } = this.#target(
      zAdd,
      key,
      'can not create a reference into a set for a key that was not set in the same transaction',
    );
    if (this.#request.noWait !== true && (!setHere || atTx > 0n))
      assertPlainTarget(this.#db, key, atTx, true);
    return { key: sortedSetKey(set, zAdd.score ?? 0, key, this.#bound(zAdd, atTx)), value: NOTHING };
  }

  #target(
    operation: ReferenceRequest | ZAddRequest,
    target: Uint8Array,
    notHere: string,
  ): { atTx: bigint; setHere: boolean } {
    const atTx = id(operation.atTx);
    const bound = operation.boundRef === true;
    if (atTx > 0n && !bound) throw refuse.illegalArguments();
    const setHere = this.#keysSetHere.has(toHex(target));
    if (this.#request.noWait === true) {
      if (atTx !== 0n || !bound) throw refuse.notSelfContained(OUTSIDE);
      if (!setHere) throw refuse.notSelfContained(notHere);
    }
    return { atTx, setHere };
  }

  /** Bound to no transaction in particular means to this one. */
  #bound(operation: ReferenceRequest | ZAddRequest, atTx: bigint): bigint {
    return operation.boundRef === true && atTx === 0n ? this.#thisTx : atTx;
  }
}
