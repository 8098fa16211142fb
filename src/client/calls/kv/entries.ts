// From decoded KV answers to entries as callers see them.
import type { KVMetadata } from '../../../proof/types.js';
import type * as wire from '../../../wire/messages.js';

/** An entry by the server's word. */
export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Transaction that wrote this version. */
  readonly tx: bigint;
  /** 1 = first version; 0 when the server does not say (reads at a tx). */
  readonly revision: bigint;
  readonly metadata?: KVMetadata;
  /** Present when the requested key is a reference: the key, and the transaction that wrote the reference. */
  readonly reference?: { readonly key: Uint8Array; readonly tx: bigint; readonly atTx: bigint };
}

const NO_BYTES = new Uint8Array(0);

/** Keys and values are copied: an entry kept by the caller does not keep the whole answer in memory. */
export function toEntry(entry: wire.Entry): Entry {
  const { metadata, referencedBy } = entry;
  const attributes = metadata ? toKVMetadata(metadata) : undefined;
  return {
    key: new Uint8Array(entry.key ?? NO_BYTES),
    value: new Uint8Array(entry.value ?? NO_BYTES),
    tx: BigInt(entry.tx ?? 0),
    revision: BigInt(entry.revision ?? 0),
    ...(attributes && { metadata: attributes }),
    ...(referencedBy && {
      reference: {
        key: new Uint8Array(referencedBy.key ?? NO_BYTES),
        tx: BigInt(referencedBy.tx ?? 0),
        atTx: BigInt(referencedBy.atTx ?? 0),
      },
    }),
  };
}

function toKVMetadata({ deleted, expiration, nonIndexable }: wire.KVMetadata): KVMetadata | undefined {
  if (!deleted && !expiration && !nonIndexable) return undefined;
  return {
    ...(deleted && { deleted }),
    ...(expiration && { expiresAt: BigInt(expiration.expiresAt ?? 0) }),
    ...(nonIndexable && { nonIndexable }),
  };
}
