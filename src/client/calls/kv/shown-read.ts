// What a verified read is told by, lone or in a group: the entry that was shown for a key, what must not be so of it although it is
// proven, and what the caller gets.
import type { KVMetadata } from '../../../proof/types.js';
import type { Root } from '../../../verify/verifier.js';
import { keyName } from '../../../verify/key-name.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { ProvenHistory } from '../../trust/known/proven-history.js';
import { VerifiedEntry } from './verified-entry.js';

/** One entry of a tx, as far as it matters here. */
interface InTx {
  readonly tx: bigint;
  readonly metadata?: KVMetadata;
}

interface ValueInTx extends InTx {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly unprovenRevision: bigint;
}

interface ShownReference {
  readonly kind: 'reference';
  /** The key's own entry. */
  readonly claim: InTx;
  /** 0 = unbound. */
  readonly atTx: bigint;
  readonly target: ValueInTx;
}

export type ShownRead = { readonly kind: 'value'; readonly claim: ValueInTx } | ShownReference;

/** Readable only by its transaction: no read of a key's latest version, or through an unbound reference, leads to it. */
export function isOutsideIndex(shown: ShownRead): boolean {
  if (shown.claim.metadata?.nonIndexable === true) return true;
  return shown.kind === 'reference' && shown.atTx === 0n && shown.target.metadata?.nonIndexable === true;
}

/** The newer version of its target that is proven by now, where an unbound reference led to an older one. */
export function newerTarget(
  { seen }: ProvenHistory,
  shown: ShownRead,
): readonly [name: string, tx: bigint] | undefined {
  if (shown.kind === 'value' || shown.atTx !== 0n) return undefined;
  const name = keyName(shown.target.key);
  const newest = seen.floor(name);
  return shown.target.tx < newest ? [name, newest] : undefined;
}

/** A proven entry is a floor of its key. One that is not indexed is none: reads of the key do not lead to it. */
export function noteSeen({ seen }: ProvenHistory, name: string, { tx, metadata }: InTx): void {
  if (metadata === undefined) seen.note(name, tx);
  else if (metadata.nonIndexable !== true) seen.note(name, tx, metadata.expiresAt);
}

/**
 * What the caller of a read of `key`, which is its own, gets. `timestamp`: of the tx that wrote the value. Other bytes are
 * copied: an entry that is kept does not keep the whole answer.
 */
export function verifiedEntry(
  key: Uint8Array,
  shown: ShownRead,
  timestamp: bigint,
  root: Root,
): VerifiedEntry {
  return shown.kind === 'value'
    ? ownEntry(key, shown.claim, timestamp, root)
    : entryBehind(key, shown, timestamp, root);
}

function ownEntry(key: Uint8Array, claim: ValueInTx, timestamp: bigint, root: Root): VerifiedEntry {
  return new VerifiedEntry(key, copyBytes(claim.value), claim, timestamp, root, claim.unprovenRevision);
}

function entryBehind(
  key: Uint8Array,
  { claim: { tx, metadata }, atTx, target }: ShownReference,
  timestamp: bigint,
  root: Root,
): VerifiedEntry {
  const reference = { key, tx, atTx, ...(metadata && { metadata }) };
  const { unprovenRevision: revision } = target;
  return new VerifiedEntry(
    copyBytes(target.key),
    copyBytes(target.value),
    target,
    timestamp,
    root,
    revision,
    reference,
  );
}
