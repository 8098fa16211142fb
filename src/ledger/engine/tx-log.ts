// The append-only log of one database: headers and entries in flat columns, values as they came, and the history
// tree over the alh of every transaction.
import { alh as alhOf } from '../../proof/header.js';
import { HistoryTree } from '../../proof/tree/history-tree.js';
import {
  decodeKVMetadata,
  decodeTxMetadata,
  encodeKVMetadata,
  encodeTxMetadata,
} from '../../proof/metadata.js';
import { ZERO_HASH, EMPTY_HASH } from '../../proof/hash.js';
import type { KVMetadata, TxHeader, TxMetadata } from '../../proof/types.js';
import { ByteArena, DigestColumn, NumberColumn, Uint32Column } from './arrays.js';

/** An entry with its raw value, as a transaction stores it. */
export interface StoredEntry {
  /** Raw key, kind prefix included. */
  readonly key: Uint8Array;
  readonly metadata: KVMetadata | undefined;
  readonly value: Uint8Array;
  readonly hValue: Uint8Array;
}

/** A transaction id: small enough for memory, so a plain number inside this room. */
export type TxId = number;

const MAX_KEY_BYTES = 1 << 16;

export class TxLog {
  readonly #alhs = new DigestColumn();
  readonly #roots = new DigestColumn();
  readonly #blRoots = new DigestColumn();
  readonly #times = new NumberColumn();
  readonly #blTxIds = new NumberColumn();
  readonly #firstEntries = new NumberColumn();
  /** header version in the lowest bit, above it position + 1 of metadata bytes in {@link #metadata} */
  readonly #versions = new Uint32Column();
  readonly #metadata: Uint8Array[] = [];
  readonly #hValues = new DigestColumn();
  readonly #positions = new NumberColumn();
  /** key length, and above it the length of the metadata bytes */
  readonly #keyLengths = new Uint32Column();
  readonly #valueLengths = new Uint32Column();
  readonly #bytes = new ByteArena();
  /** Over the alh of every transaction; a dishonest ledger puts something else into a leaf. */
  readonly tree = new HistoryTree();

  /** Id of the last transaction; 0 when there is none. */
  get last(): TxId {
    return this.#alhs.length;
  }

  /** Number of entries of all transactions. */
  get entryCount(): number {
    return this.#hValues.length;
  }

  /** Appends a transaction with a complete header. `leafOf` may put something else than the alh into the tree. */
  append(
    header: TxHeader,
    entries: readonly StoredEntry[],
    leafOf?: () => Uint8Array | undefined,
  ): Uint8Array {
    const alh = alhOf(header);
    this.#firstEntries.push(this.#hValues.length);
    for (const entry of entries) {
      const metadata = encodeKVMetadata(entry.metadata);
      this.#positions.push(this.#bytes.append(entry.key, metadata, entry.value));
      this.#keyLengths.push(metadata.length * MAX_KEY_BYTES + entry.key.length);
      this.#valueLengths.push(entry.value.length);
      this.#hValues.push(entry.hValue);
    }
    let metadataAt = 0;
    const metadata = encodeTxMetadata(header.metadata);
    if (metadata.length > 0) metadataAt = this.#metadata.push(metadata);
    this.#versions.push(metadataAt * 2 + header.version);
    this.#times.push(Number(header.ts));
    this.#blTxIds.push(Number(header.blTxId));
    this.#blRoots.push(header.blRoot);
    this.#roots.push(header.eH);
    this.#alhs.push(alh);
    this.tree.append(leafOf?.() ?? alh);
    return alh;
  }

  /** Accumulative hash of tx `id`; of the empty database for 0. */
  alh(id: TxId): Uint8Array {
    return id === 0 ? EMPTY_HASH : this.#alhs.at(id - 1);
  }

  header(id: TxId): TxHeader {
    const at = id - 1;
    const packed = this.#versions.at(at);
    const metadata = packed > 1 ? this.#metadata[(packed >>> 1) - 1] : undefined;
    const blTxId = this.#blTxIds.at(at);
    const header = {
      id: BigInt(id),
      prevAlh: this.alh(at),
      ts: BigInt(this.#times.at(at)),
      version: packed & 1,
      nentries: this.entriesEnd(id) - this.#firstEntries.at(at),
      eH: this.#roots.at(at),
      blTxId: BigInt(blTxId),
      blRoot: blTxId === 0 ? ZERO_HASH : this.#blRoots.at(at),
    };
    return metadata ? { ...header, metadata: decodeTxMetadata(metadata) satisfies TxMetadata } : header;
  }

  /** Ordinal of the first entry of tx `id` among the entries of all transactions. */
  entriesStart(id: TxId): number {
    return this.#firstEntries.at(id - 1);
  }

  /** Ordinal behind the last entry of tx `id`. */
  entriesEnd(id: TxId): number {
    return id === this.last ? this.#hValues.length : this.#firstEntries.at(id);
  }

  /** The transaction that holds the entry with this ordinal. */
  txOfEntry(ordinal: number): TxId {
    let low = 1;
    let high = this.last;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.entriesStart(middle) <= ordinal) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  key(ordinal: number): Uint8Array {
    return this.#bytes.view(this.#positions.at(ordinal), this.#keyLengths.at(ordinal) % MAX_KEY_BYTES);
  }

  metadata(ordinal: number): KVMetadata | undefined {
    const packed = this.#keyLengths.at(ordinal);
    const length = Math.floor(packed / MAX_KEY_BYTES);
    if (length === 0) return undefined;
    return decodeKVMetadata(this.#bytes.view(this.#positions.at(ordinal) + (packed % MAX_KEY_BYTES), length));
  }

  value(ordinal: number): Uint8Array {
    const packed = this.#keyLengths.at(ordinal);
    const before = (packed % MAX_KEY_BYTES) + Math.floor(packed / MAX_KEY_BYTES);
    return this.#bytes.view(this.#positions.at(ordinal) + before, this.#valueLengths.at(ordinal));
  }

  valueLength(ordinal: number): number {
    return this.#valueLengths.at(ordinal);
  }

  hValue(ordinal: number): Uint8Array {
    return this.#hValues.at(ordinal);
  }

  entry(ordinal: number): StoredEntry {
    return {
      key: this.key(ordinal),
      metadata: this.metadata(ordinal),
      value: this.value(ordinal),
      hValue: this.hValue(ordinal),
    };
  }

  entries(id: TxId): StoredEntry[] {
    const entries: StoredEntry[] = [];
    for (let ordinal = this.entriesStart(id); ordinal < this.entriesEnd(id); ordinal++) {
      entries.push(this.entry(ordinal));
    }
    return entries;
  }
}
