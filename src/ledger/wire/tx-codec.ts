// Bytes of a committed transaction in a directory: its header (docs/protocol.md §2.3), then the entries.
import { be16, be32, be64, concatAll, concatBytes } from '../../proof/bytes.js';
import {
  decodeKVMetadata,
  decodeTxMetadata,
  encodeKVMetadata,
  encodeTxMetadata,
} from '../../proof/metadata.js';
import type { TxHeader } from '../../proof/types.js';
import type { EntrySpec } from '../engine/database.js';

export function encodeHeader(header: TxHeader): Uint8Array {
  const metadata = encodeTxMetadata(header.metadata);
  return concatBytes(
    be64(header.id),
    header.prevAlh,
    be64(header.ts),
    be16(header.version),
    be16(metadata.length),
    metadata,
    be32(header.nentries),
    header.eH,
    be64(header.blTxId),
    header.blRoot,
  );
}

export function decodeHeader(bytes: Uint8Array): TxHeader {
  const reader = new Reader(bytes);
  const head = {
    id: reader.u64(),
    prevAlh: reader.take(32),
    ts: BigInt.asIntN(64, reader.u64()),
    version: reader.u16(),
  };
  const metadata = reader.take(reader.u16());
  const rest = { nentries: reader.u32(), eH: reader.take(32), blTxId: reader.u64(), blRoot: reader.take(32) };
  return { ...head, ...rest, ...(metadata.length > 0 ? { metadata: decodeTxMetadata(metadata) } : {}) };
}

export function encodeEntries(entries: readonly EntrySpec[]): Uint8Array {
  return concatAll(
    entries.flatMap(({ key, metadata, value }) => {
      const md = encodeKVMetadata(metadata);
      return [be16(key.length), key, be16(md.length), md, be32(value.length), value];
    }),
  );
}

export function decodeEntries(bytes: Uint8Array): EntrySpec[] {
  const reader = new Reader(bytes);
  const entries: EntrySpec[] = [];
  while (!reader.done) {
    const key = reader.take(reader.u16());
    const md = reader.take(reader.u16());
    const value = reader.take(reader.u32());
    entries.push({ key, metadata: md.length > 0 ? decodeKVMetadata(md) : undefined, value });
  }
  return entries;
}

/** Reads front to back; throws RangeError at the end of the bytes. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('cut off');
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  u16(): number {
    return this.#view.getUint16((this.#at += 2) - 2);
  }

  u32(): number {
    return this.#view.getUint32((this.#at += 4) - 4);
  }

  u64(): bigint {
    return this.#view.getBigUint64((this.#at += 8) - 8);
  }
}
