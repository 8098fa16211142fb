// What a verified read of one key finds, and how it travels back from a thread.
import type { KVMetadata } from '../../proof/types.js';
import type { PacketReader, PacketWriter } from '../pack/packet-cursor.js';

export type Found =
  | { readonly kind: 'value'; readonly entry: ProvenEntry }
  /**
   * The requested key is a proven reference to `key`. `claimed` (the value behind it, at `claimed.tx`)
   * is not proven by this answer: ask for it with `atTx = claimed.tx`.
   */
  | {
      readonly kind: 'reference';
      readonly key: Uint8Array;
      /** 0 = unbound. */
      readonly atTx: bigint;
      readonly metadata?: KVMetadata;
      readonly claimed: ProvenEntry & { readonly tx: bigint };
    };

/** An entry as it was proven. `value` views the answer (inline) or the verdict's own buffer (pooled). */
export interface ProvenEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata?: KVMetadata;
  /** Server's word; no proof covers it. */
  readonly unprovenRevision: bigint;
}

export function writeFound(writer: PacketWriter, found: Found): void {
  if (found.kind === 'value') {
    writer.kvMetadata(found.entry.metadata);
    writer.u64(found.entry.unprovenRevision);
    writer.bytes(found.entry.value);
    return;
  }
  const { claimed } = found;
  writer.bytes(found.key);
  writer.u64(found.atTx);
  writer.kvMetadata(found.metadata);
  writer.u64(claimed.tx);
  writer.kvMetadata(claimed.metadata);
  writer.u64(claimed.unprovenRevision);
  writer.bytes(claimed.value);
}

export function readValue(reader: PacketReader, key: Uint8Array): Found {
  const metadata = reader.kvMetadata();
  const unprovenRevision = reader.u64();
  const value = reader.bytes();
  return { kind: 'value', entry: { key, value, ...(metadata && { metadata }), unprovenRevision } };
}

export function readReference(reader: PacketReader): Found {
  const key = reader.bytes();
  const atTx = reader.u64();
  const metadata = reader.kvMetadata();
  const tx = reader.u64();
  const claimedMetadata = reader.kvMetadata();
  const unprovenRevision = reader.u64();
  const value = reader.bytes();
  return {
    kind: 'reference',
    key,
    atTx,
    ...(metadata && { metadata }),
    claimed: { key, value, ...(claimedMetadata && { metadata: claimedMetadata }), unprovenRevision, tx },
  };
}
