// A version of a key as History shows it, and what it claims: a value, a deletion, or an entry whose time is over.
import { entryLeaf, plainKey, plainLeaf } from '../../proof/entry.js';
import { concatBytes, equalBytes } from '../../proof/bytes.js';
import { ProofFailure } from '../../proof/failure.js';
import { assertId } from '../../proof/guard.js';
import type { KVMetadata } from '../../proof/types.js';
import type { ShownEntry } from '../wire/answers.js';
import { CLAIM_VERSION } from './claim.js';
import type { Claim } from './claim.js';

/** `shown`: the raw Entry, a view of the answer. */
export type ShownVersion =
  { readonly kind: 'value' | 'deleted'; readonly claim: Claim; readonly shown: Uint8Array } | ExpiredVersion;

/** Its value is not shown any more, and so no leaf can be made: its transaction has to be asked for. */
export interface ExpiredVersion {
  readonly kind: 'expired';
  readonly tx: bigint;
  readonly metadata: KVMetadata & { readonly expiresAt: bigint };
  readonly unprovenRevision: bigint;
  readonly shown: Uint8Array;
}

export function txOfVersion(version: ShownVersion): bigint {
  return version.kind === 'expired' ? version.tx : version.claim.tx;
}

/** What a version that is shown of `key` claims; throws where it cannot hold. `now`: unix seconds by our clock. */
export function versionOf(key: Uint8Array, { entry, raw }: ShownEntry, now: bigint): ShownVersion {
  const { tx, value, metadata, expired, referencedBy, revision: unprovenRevision } = entry;
  if (!equalBytes(entry.key, key))
    throw new ProofFailure('history.key', 'a version of another key', key, entry.key);
  if (referencedBy)
    throw new ProofFailure('history.reference', 'a version is shown through a reference: no version is');
  if (metadata?.nonIndexable === true)
    throw new ProofFailure('history.non-indexable', 'an entry that is not indexed is no version of its key');
  assertId(tx, 'claim.tx');
  if (expired) {
    const expiresAt = metadata?.expiresAt;
    if (expiresAt === undefined || expiresAt > now)
      throw new ProofFailure('history.expired', 'said to have expired before its time', now, expiresAt);
    if (metadata?.deleted !== true) {
      if (value.length > 0)
        throw new ProofFailure('history.expired', 'what has expired is shown with a value');
      return { kind: 'expired', tx, metadata: { ...metadata, expiresAt }, unprovenRevision, shown: raw };
    }
  }
  if (metadata?.deleted !== true)
    return { kind: 'value', claim: plainClaim(tx, key, value, metadata, unprovenRevision), shown: raw };
  // Delete stores no byte. A value that is set with the mark of a deletion is one too, and is stored.
  const claim = value.length === 0 ? rawClaim : plainClaim;
  return { kind: 'deleted', claim: claim(tx, key, value, metadata, unprovenRevision), shown: raw };
}

function plainClaim(
  tx: bigint,
  key: Uint8Array,
  value: Uint8Array,
  metadata: KVMetadata | undefined,
  unprovenRevision: bigint,
): Claim {
  const leaf = plainLeaf(CLAIM_VERSION, key, metadata, value);
  return metadata
    ? { tx, leaf, key, value, isReference: false, metadata, unprovenRevision }
    : { tx, leaf, key, value, isReference: false, unprovenRevision };
}

/** Of an entry whose raw value is said: a reference, or a deletion, which stores no byte. */
function rawClaim(
  tx: bigint,
  key: Uint8Array,
  value: Uint8Array,
  metadata: KVMetadata | undefined,
  unprovenRevision: bigint,
): Claim {
  const leaf = entryLeaf(CLAIM_VERSION, plainKey(key), metadata, value);
  return { tx, leaf, key, value, isReference: true, ...(metadata && { metadata }), unprovenRevision };
}

/** What a version that is a reference refers to. */
export interface VersionReference {
  readonly key: Uint8Array;
  /** 0 = unbound. */
  readonly atTx: bigint;
}

/** What else a version may be that is shown so, by its transaction. */
export interface OtherReading {
  readonly claim: Claim;
  readonly reference?: VersionReference;
}

/** Undefined: it can be nothing else. */
export function otherReading({
  kind,
  claim,
}: Exclude<ShownVersion, ExpiredVersion>): OtherReading | undefined {
  if (kind === 'value') return referenceReading(claim);
  if (!claim.isReference) return undefined;
  const { tx, key, value, metadata, unprovenRevision } = claim;
  return { claim: plainClaim(tx, key, value, metadata, unprovenRevision) };
}

const REFERENCE = new Uint8Array([0x01]);
/** Bytes before the key that is referred to: the tx that it is bound to, and the raw key's prefix. */
const BEFORE_KEY = 9;

/**
 * The other thing that a version's value may be: of a reference History shows the raw value without its first byte, and does
 * not say so. Which of the two it is shows in the transaction. Undefined: it can be no reference.
 */
function referenceReading({
  tx,
  key,
  value,
  isReference,
  metadata,
  unprovenRevision,
}: Claim): OtherReading | undefined {
  if (isReference || value.length <= BEFORE_KEY || value[BEFORE_KEY - 1] !== 0) return undefined;
  const atTx = new DataView(value.buffer, value.byteOffset, 8).getBigInt64(0);
  if (atTx < 0n) return undefined;
  const claim = rawClaim(tx, key, concatBytes(REFERENCE, value), metadata, unprovenRevision);
  return { claim, reference: { key: value.subarray(BEFORE_KEY), atTx } };
}
