// A claim: an entry that an answer says is in a transaction. Its leaf in the entries tree says all of it, so that holding that leaf
// against the proven header of the transaction proves the claim.
import { equalBytes } from '../../proof/bytes.js';
import { entryLeaf, plainKey, plainLeaf, referenceValue } from '../../proof/entry.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertId } from '../../proof/guard.js';
import type { KVMetadata } from '../../proof/types.js';
import type { Refuted } from '../terms.js';
import type { ShownEntry } from '../wire/answers.js';
import type { Entry, Reference } from '../wire/entries.js';

/** Leaves are those of this header version; whoever finds another in the proven header hashes again. */
export const CLAIM_VERSION = 1;

/** An entry that an answer claims to be in `tx`: its digest's leaf in the entries tree (header version 1) says all of it. */
export interface Claim {
  readonly tx: bigint;
  readonly leaf: Uint8Array;
  readonly key: Uint8Array;
  /** The value (a view of the answer), or for a reference the raw value that makes it one. */
  readonly value: Uint8Array;
  readonly isReference: boolean;
  /** `key` and `value` are those that are stored and hashed: of a row, a document, a part of a catalog. */
  readonly isRaw?: true;
  readonly metadata?: KVMetadata;
  /** Server's word; no proof covers it. */
  readonly unprovenRevision: bigint;
}

/** What an entry that is shown claims. `shown`: the raw Entry, a view of the answer. */
export type ShownClaim =
  | { readonly kind: 'value'; readonly claim: Claim; readonly shown: Uint8Array }
  /** The key is a reference (`claim`) to the entry `target`; both are to be proven. */
  | {
      readonly kind: 'reference';
      readonly claim: Claim;
      /** 0 = unbound. */
      readonly atTx: bigint;
      readonly target: Claim;
      readonly shown: Uint8Array;
    };

export interface RefutedClaim {
  readonly kind: 'refuted';
  readonly refuted: Refuted;
  readonly shown: Uint8Array;
}

/** What an answer claims about one key. Missing: it has no entry of this key. */
export type CheckedClaim = { readonly kind: 'missing' } | RefutedClaim | ShownClaim;

/** What an entry that is shown for `key` claims; throws where it cannot hold. */
export function claimsOf(key: Uint8Array, { entry, raw }: ShownEntry, now: bigint): ShownClaim {
  const reference = entry.referencedBy;
  const claimedKey = reference ? reference.key : entry.key;
  if (!equalBytes(claimedKey, key)) {
    throw new ProofFailure('claim.key', 'the entry is that of another key', key, claimedKey);
  }
  const { tx, value, metadata, revision } = entry;
  if (entry.expired) throw new ProofFailure('claim.expired', 'the entry has expired');
  const target = claim(tx, entry.key, value, false, metadata, revision, now);
  if (!reference) return { kind: 'value', claim: target, shown: raw };
  return {
    kind: 'reference',
    claim: referenceClaim(reference, entry, now),
    atTx: reference.atTx,
    target,
    shown: raw,
  };
}

function referenceClaim(reference: Reference, entry: Entry, now: bigint): Claim {
  const { atTx, tx, key, metadata, revision } = reference;
  if (atTx !== 0n && entry.tx !== atTx) {
    throw new ProofFailure('claim.reference-tx', 'not the version the reference is bound to', atTx, entry.tx);
  }
  const value = referenceValue(atTx, entry.key);
  return claim(tx, key, value, true, metadata, revision, now);
}

/** Written out: this is made for every entry that is read. */
function claim(
  tx: bigint,
  key: Uint8Array,
  value: Uint8Array,
  isReference: boolean,
  metadata: KVMetadata | undefined,
  unprovenRevision: bigint,
  now: bigint,
): Claim {
  assertId(tx, 'claim.tx');
  if (metadata === undefined) {
    const leaf = isReference
      ? entryLeaf(CLAIM_VERSION, plainKey(key), undefined, value)
      : plainLeaf(CLAIM_VERSION, key, undefined, value);
    return { tx, leaf, key, value, isReference, unprovenRevision };
  }
  const { deleted, expiresAt } = metadata;
  if (deleted === true) throw new ProofFailure('claim.deleted', 'the entry is a deletion');
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new ProofFailure('claim.expired', 'the entry has expired', `later than ${String(now)}`, expiresAt);
  }
  const leaf = isReference
    ? entryLeaf(CLAIM_VERSION, plainKey(key), metadata, value)
    : plainLeaf(CLAIM_VERSION, key, metadata, value);
  return { tx, leaf, key, value, isReference, metadata, unprovenRevision };
}

/** Leaf of a claim in the entries tree of a tx with this header version. */
export function leafOf(claimed: Claim, version: number): Uint8Array {
  const { leaf, key, value, isReference, isRaw, metadata } = claimed;
  if (version === CLAIM_VERSION) return leaf;
  if (isRaw) return entryLeaf(version, key, metadata, value);
  return isReference
    ? entryLeaf(version, plainKey(key), metadata, value)
    : plainLeaf(version, key, metadata, value);
}
