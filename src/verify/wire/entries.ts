// Decoding of entries: in the form they are hashed in (TxEntry) and in the form callers ask for (Entry, Reference).
import type { KVMetadata, TxEntry } from '../../proof/types.js';
import { readKVMetadata } from './headers.js';
import { onlyOnce, presentDigest, type WireReader } from './reader.js';

/** A resolved entry as the server words it: nothing here is proven by being here. */
export interface Entry {
  readonly tx: bigint;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly referencedBy?: Reference;
  readonly metadata?: KVMetadata;
  readonly expired: boolean;
  readonly revision: bigint;
}

/** The reference through which an {@link Entry} was reached. */
export interface Reference {
  readonly tx: bigint;
  readonly key: Uint8Array;
  /** 0 = unbound. */
  readonly atTx: bigint;
  readonly metadata?: KVMetadata;
  readonly revision: bigint;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The raw value, when there is one, is passed over: only its hash counts. */
export function readTxEntry(reader: WireReader): TxEntry {
  let key = NO_BYTES;
  let hValue: Uint8Array | undefined;
  let metadata: KVMetadata | undefined;
  let metadataMessage: WireReader | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.bytes('TxEntry.key');
    else if (field === 2) hValue = reader.digest('TxEntry.hValue');
    else if (field === 4) {
      onlyOnce(metadataMessage, 'TxEntry.metadata');
      metadataMessage = reader.message('TxEntry.metadata');
      metadata = readKVMetadata(metadataMessage);
    } else reader.skip();
  }
  const digest = presentDigest(hValue, 'TxEntry.hValue');
  return metadata ? { key, metadata, hValue: digest } : { key, hValue: digest };
}

export function readEntry(reader: WireReader): Entry {
  let tx = 0n;
  let key = NO_BYTES;
  let value = NO_BYTES;
  let referencedBy: Reference | undefined;
  let metadata: KVMetadata | undefined;
  let metadataMessage: WireReader | undefined;
  let expired = false;
  let revision = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tx = reader.id('Entry.tx');
    else if (field === 2) key = reader.bytes('Entry.key');
    else if (field === 3) value = reader.bytes('Entry.value');
    else if (field === 4) {
      onlyOnce(referencedBy, 'Entry.referencedBy');
      referencedBy = readReference(reader.message('Entry.referencedBy'));
    } else if (field === 5) {
      onlyOnce(metadataMessage, 'Entry.metadata');
      metadataMessage = reader.message('Entry.metadata');
      metadata = readKVMetadata(metadataMessage);
    } else if (field === 6) expired = reader.bool('Entry.expired');
    else if (field === 7) revision = reader.id('Entry.revision');
    else reader.skip();
  }
  // Most entries are plain: spreading what is absent would cost more than reading them.
  if (!referencedBy && !metadata) return { tx, key, value, expired, revision };
  return {
    tx,
    key,
    value,
    ...(referencedBy && { referencedBy }),
    ...(metadata && { metadata }),
    expired,
    revision,
  };
}

function readReference(reader: WireReader): Reference {
  let tx = 0n;
  let key = NO_BYTES;
  let atTx = 0n;
  let metadata: KVMetadata | undefined;
  let metadataMessage: WireReader | undefined;
  let revision = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) tx = reader.id('Reference.tx');
    else if (field === 2) key = reader.bytes('Reference.key');
    else if (field === 3) atTx = reader.id('Reference.atTx');
    else if (field === 4) {
      onlyOnce(metadataMessage, 'Reference.metadata');
      metadataMessage = reader.message('Reference.metadata');
      metadata = readKVMetadata(metadataMessage);
    } else if (field === 5) revision = reader.id('Reference.revision');
    else reader.skip();
  }
  return { tx, key, atTx, ...(metadata && { metadata }), revision };
}
