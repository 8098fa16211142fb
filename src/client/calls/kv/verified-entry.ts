// An entry that is proven, as callers see it.
import type { KVMetadata } from '../../../proof/types.js';
import type { PortableProof } from '../../../verify/portable/format.js';
import type { Root } from '../../../verify/verifier.js';
import { EntryBase } from '../../results/entry-base.js';

/** An entry whose key, value, metadata and transaction are proven under `root`. */
export class VerifiedEntry extends EntryBase {
  /** Transaction that wrote this version. */
  declare readonly tx: bigint;
  declare readonly metadata?: KVMetadata;
  /** Header time of `tx` in unix seconds; 0 when the database leaves it out. */
  declare readonly timestamp: bigint;
  /** The reference that led here, itself proven: present when the requested key is a reference. */
  declare readonly reference?: VerifiedReference;
  /** Trusted head under which all of this was proven. */
  declare readonly root: Root;
  /** What no proof covers: the number of this version. Nor is it proven that no newer version exists. */
  declare readonly unproven: { readonly revision: bigint };
  /** With `includeProof`: what anyone can check it by. */
  declare readonly proof?: PortableProof;

  /** Bytes are its own from here on. */
  constructor(
    key: Uint8Array,
    value: Uint8Array,
    { tx, metadata }: { readonly tx: bigint; readonly metadata?: KVMetadata | undefined },
    timestamp: bigint,
    root: Root,
    revision: bigint,
    reference?: VerifiedReference,
  ) {
    super(key, value);
    this.tx = tx;
    if (metadata !== undefined) this.metadata = metadata;
    this.timestamp = timestamp;
    if (reference !== undefined) this.reference = reference;
    this.root = root;
    this.unproven = { revision };
  }
}

export interface VerifiedReference {
  readonly key: Uint8Array;
  readonly tx: bigint;
  /** Version it is bound to; 0 = whatever is latest, which is the server's word. */
  readonly atTx: bigint;
  readonly metadata?: KVMetadata;
  /** With `includeProof`. */
  readonly proof?: PortableProof;
}
