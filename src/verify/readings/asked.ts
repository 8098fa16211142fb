// What a verified read of one key requires of its answer, whether the value is in it or comes after it as a stream.
import { equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertId } from '../../proof/guard.js';
import type { InclusionProof, KVMetadata, TxEntry } from '../../proof/types.js';
import type { Context } from '../terms.js';
import type { Entry, Reference } from '../wire/entries.js';

interface Asked {
  readonly key: Uint8Array;
  readonly atTx?: bigint;
}

/** The answer is about this key, and this version. */
export function assertAsked(asked: Asked, shown: { readonly key: Uint8Array; readonly tx: bigint }): void {
  if (!equalBytes(shown.key, asked.key)) {
    throw new ProofFailure('get.key', 'the entry is that of another key', asked.key, shown.key);
  }
  if (asked.atTx !== undefined && shown.tx !== asked.atTx) {
    throw new ProofFailure(
      'get.at-tx',
      'the entry is of another transaction than asked',
      asked.atTx,
      shown.tx,
    );
  }
}

/** The entry is a value at all: neither a tombstone nor past its time. */
export function assertAlive(metadata: KVMetadata | undefined, expired: boolean, { now }: Context): void {
  if (metadata?.deleted === true) throw new ProofFailure('get.deleted', 'the entry is a deletion');
  const expiresAt = metadata?.expiresAt;
  if (expired || (expiresAt !== undefined && expiresAt <= now)) {
    throw new ProofFailure(
      'get.expired',
      'the entry has expired',
      `later than ${String(now)}`,
      expiresAt ?? 'expired',
    );
  }
}

/** The entry behind a reference is of the transaction that the reference is bound to, or of one at all. */
export function assertBinding(entry: Entry, reference: Reference): void {
  assertId(entry.tx, 'get.reference-tx');
  if (reference.atTx !== 0n && entry.tx !== reference.atTx) {
    throw new ProofFailure(
      'get.reference-tx',
      'not the version the reference is bound to',
      reference.atTx,
      entry.tx,
    );
  }
}

/** Where the entry with this raw key is among all entries of its transaction: the inclusion proof is for that one. */
export function indexIn(
  entries: readonly TxEntry[],
  rawKey: Uint8Array,
  inclusionProof: InclusionProof,
): number {
  const index = entries.findIndex((candidate) => equalBytes(candidate.key, rawKey));
  if (index < 0) throw new ProofFailure('get.entry', 'the transaction has no entry of this key');
  if (inclusionProof.leaf !== index) {
    throw new ProofFailure(
      'get.position',
      'the inclusion proof is for another entry',
      index,
      inclusionProof.leaf,
    );
  }
  return index;
}
