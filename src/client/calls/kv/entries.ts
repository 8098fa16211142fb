// Entries by the server's word: what they are, and from answers to them.
import type { KVMetadata } from '../../../proof/types.js';
import type * as wire from '../../../wire/messages.js';
import { EntryBase } from '../../results/entry-base.js';

export interface EntryReference {
  readonly key: Uint8Array;
  readonly tx: bigint;
  readonly atTx: bigint;
}

/** An entry by the server's word. */
export class Entry extends EntryBase {
  /** Transaction that wrote this version. */
  declare readonly tx: bigint;
  /** 1 = first version; 0 when the server does not say (reads at a tx). */
  declare readonly revision: bigint;
  declare readonly metadata?: KVMetadata;
  /** Present when the requested key is a reference: the key, and the transaction that wrote the reference. */
  declare readonly reference?: EntryReference;

  /** Bytes are its own from here on. */
  constructor(
    key: Uint8Array,
    value: Uint8Array,
    tx: bigint,
    revision: bigint,
    metadata?: KVMetadata,
    reference?: EntryReference,
  ) {
    super(key, value);
    this.tx = tx;
    this.revision = revision;
    if (metadata !== undefined) this.metadata = metadata;
    if (reference !== undefined) this.reference = reference;
  }
}

const NO_BYTES = new Uint8Array(0);

/** Keys and values are copied: an entry kept by the caller does not keep the whole answer in memory. */
export function toEntry({ key, value, tx, revision, metadata, referencedBy }: wire.Entry): Entry {
  return new Entry(
    new Uint8Array(key ?? NO_BYTES),
    new Uint8Array(value ?? NO_BYTES),
    BigInt(tx ?? 0),
    BigInt(revision ?? 0),
    metadata ? toKVMetadata(metadata) : undefined,
    referencedBy && {
      key: new Uint8Array(referencedBy.key ?? NO_BYTES),
      tx: BigInt(referencedBy.tx ?? 0),
      atTx: BigInt(referencedBy.atTx ?? 0),
    },
  );
}

function toKVMetadata({ deleted, expiration, nonIndexable }: wire.KVMetadata): KVMetadata | undefined {
  if (!deleted && !expiration && !nonIndexable) return undefined;
  return {
    ...(deleted && { deleted }),
    ...(expiration && { expiresAt: BigInt(expiration.expiresAt ?? 0) }),
    ...(nonIndexable && { nonIndexable }),
  };
}
