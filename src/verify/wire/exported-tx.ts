// Decoding of exported transactions, as replicas are sent them: header and entries in immudb's own storage format, no protobuf.
import { ByteReader } from '../../proof/byte-cursor.js';
import { ProofFailure } from '../../proof/failure.js';
import { HASH_SIZE, sha256 } from '../../proof/hash.js';
import { decodeKVMetadata, decodeTxMetadata } from '../../proof/metadata.js';
import type { TxHeader } from '../../proof/types.js';
import type { ShownTxEntry } from './shown-txs.js';

/** A transaction with all its entries, documents and what has expired among them. */
export interface ShownExport {
  readonly header: TxHeader;
  readonly entries: readonly ShownTxEntry[];
  /** Its values are gone: entries have their hashes, and no values. */
  readonly truncated: boolean;
}

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** What comes after the entries: its length, and whether values are truncated. */
const FLAG_BYTES = 3;

/** Reads the payload of an export to its last byte. Throws ProofFailure for what is none. */
export function readExport(payload: Uint8Array): ShownExport {
  try {
    return readAll(payload);
  } catch (error) {
    if (error instanceof RangeError) throw new ProofFailure('export.end', 'the export ends too early');
    throw error;
  }
}

function readAll(payload: Uint8Array): ShownExport {
  const reader = new ByteReader(payload);
  const header = readHeader(new ByteReader(reader.raw(reader.u32())));
  const truncated = flagOf(payload);
  const entries: ShownTxEntry[] = [];
  // Each takes some bytes of what was received: a header that counts more of them than came ends early.
  for (let i = 0; i < header.nentries; i++) entries.push(readEntry(reader, truncated));
  reader.raw(FLAG_BYTES);
  if (!reader.done) throw new ProofFailure('export.end', 'the export goes on behind its last entry');
  return { header, entries, truncated };
}

function flagOf(payload: Uint8Array): boolean {
  const [zero, length, flag] = payload.subarray(-FLAG_BYTES);
  if (payload.length < FLAG_BYTES || zero !== 0 || length !== 1 || flag === undefined || flag > 1)
    throw new ProofFailure('export.flag', 'does not say whether its values are truncated');
  return flag === 1;
}

function readHeader(reader: ByteReader): TxHeader {
  const id = reader.u64();
  const prevAlh = reader.raw(HASH_SIZE);
  const ts = reader.i64();
  const version = reader.u16();
  const extra = version === 0 ? NO_BYTES : reader.raw(reader.u16());
  const nentries = version === 0 ? reader.u16() : reader.u32();
  const eH = reader.raw(HASH_SIZE);
  const blTxId = reader.u64();
  const blRoot = reader.raw(HASH_SIZE);
  if (!reader.done) throw new ProofFailure('export.end', 'the header goes on behind its last field');
  const metadata = extra.length > 0 ? decodeTxMetadata(extra) : undefined;
  return { id, prevAlh, ts, version, ...(metadata && { metadata }), nentries, eH, blTxId, blRoot };
}

function readEntry(reader: ByteReader, truncated: boolean): ShownTxEntry {
  const key = reader.raw(reader.u16());
  const attributes = reader.raw(reader.u16());
  const bytes = reader.raw(reader.u32());
  const metadata = attributes.length > 0 ? decodeKVMetadata(attributes) : undefined;
  if (truncated && bytes.length !== HASH_SIZE)
    throw new ProofFailure('export.value-hash', 'a digest has 32 bytes', HASH_SIZE, bytes.length);
  const stored = truncated ? { hValue: bytes, value: NO_BYTES } : { hValue: sha256(bytes), value: bytes };
  return { key, ...(metadata && { metadata }), ...stored };
}
