// The entries of a stretch of proven transactions as rows, for those who keep an index of them: what a key's entry is in which tx.
import type { EntryColumns } from '../wire/entry-columns.js';
import { HASH_SIZE } from '../../proof/hash.js';

/** Flags of a row: what its metadata say. */
export const DELETED = 1;
export const NON_INDEXABLE = 2;
const EXPIRES = 4;

/** One entry, as it was proven: places in `bytes`. Valid until the next row is read. */
export interface Row {
  readonly tx: bigint;
  readonly bytes: Uint8Array;
  /** Where the raw key is: with the byte in front that says which kind of entry it is. */
  readonly keyAt: number;
  readonly keyEnd: number;
  /** Of {@link DELETED} and {@link NON_INDEXABLE}. */
  readonly flags: number;
  /** Unix seconds. */
  readonly expiresAt: bigint | undefined;
  /** Where the hash of the raw value is. */
  readonly hashAt: number;
}

/** A view of the raw key of a row. */
export function keyOfRow({ bytes, keyAt, keyEnd }: Row): Uint8Array {
  return bytes.subarray(keyAt, keyEnd);
}

/** A view of the hash of its raw value. */
export function hashOfRow({ bytes, hashAt }: Row): Uint8Array {
  return bytes.subarray(hashAt, hashAt + HASH_SIZE);
}

const COUNT_BYTES = 4;
const KEY_LENGTH_BYTES = 2;
const FLAGS_BYTES = 1;
const EXPIRY_BYTES = 8;

/** Rows of the txs of one stretch after another: alh and count of each tx's entries, then its entries. */
export class RowWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** What is not taken before the next one is lost. */
  begin(): void {
    this.#at = 0;
  }

  /** All entries of the next tx, which are proven; `bytes`: the answer that they are places in. */
  add(alh: Uint8Array, bytes: Uint8Array, entries: EntryColumns): void {
    this.#reserve(HASH_SIZE + COUNT_BYTES);
    this.#bytes.set(alh, this.#at);
    this.#view.setUint32(this.#at + HASH_SIZE, entries.count);
    this.#at += HASH_SIZE + COUNT_BYTES;
    for (let entry = 0; entry < entries.count; entry++) this.#addEntry(bytes, entries, entry);
  }

  /** A copy of the rows. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #addEntry(bytes: Uint8Array, entries: EntryColumns, entry: number): void {
    const key = entries.key(entry);
    const length = entries.keyEnd(entry) - key;
    this.#reserve(KEY_LENGTH_BYTES + length + FLAGS_BYTES + EXPIRY_BYTES + HASH_SIZE);
    const metadata = entries.attributes(entry)?.metadata;
    const expiresAt = metadata?.expiresAt;
    this.#view.setUint16(this.#at, length);
    this.#at = copy(this.#bytes, this.#at + KEY_LENGTH_BYTES, bytes, key, length);
    this.#bytes[this.#at++] =
      (metadata?.deleted === true ? DELETED : 0) |
      (metadata?.nonIndexable === true ? NON_INDEXABLE : 0) |
      (expiresAt === undefined ? 0 : EXPIRES);
    if (expiresAt !== undefined) {
      this.#view.setBigInt64(this.#at, expiresAt);
      this.#at += EXPIRY_BYTES;
    }
    this.#at = copy(this.#bytes, this.#at, bytes, entries.hValue(entry), HASH_SIZE);
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Short runs are copied faster one by one than through a view. */
function copy(out: Uint8Array, at: number, bytes: Uint8Array, from: number, length: number): number {
  if (length > 64) out.set(bytes.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) out[at + i] = bytes[from + i] as number;
  return at + length;
}

/**
 * Reads the rows of txs one after another, and is the row that it is at: no object is made for each. They are this package's own
 * bytes: no answer is read here.
 */
export class RowReader implements Row {
  readonly bytes: Uint8Array;
  tx: bigint;
  /** Entries of the tx. */
  entries = 0;
  keyAt = 0;
  keyEnd = 0;
  flags = 0;
  expiresAt: bigint | undefined;
  hashAt = 0;
  readonly #view: DataView;
  #at = 0;
  #alhAt = 0;
  #left = 0;

  /** `first`: tx of the first rows. */
  constructor(rows: Uint8Array, first: bigint) {
    this.bytes = rows;
    this.tx = first - 1n;
    this.#view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  }

  /** To the next tx; false behind the last. Requires that all rows of the one before were read. */
  nextTx(): boolean {
    if (this.#at >= this.bytes.length) return false;
    this.tx++;
    this.#alhAt = this.#at;
    this.entries = this.#left = this.#view.getUint32(this.#at + HASH_SIZE);
    this.#at += HASH_SIZE + COUNT_BYTES;
    return true;
  }

  /** Of the tx; its own bytes. */
  get alh(): Uint8Array {
    return this.bytes.slice(this.#alhAt, this.#alhAt + HASH_SIZE);
  }

  /** To the next row of the tx; false behind the last. */
  nextRow(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    this.keyAt = this.#at + KEY_LENGTH_BYTES;
    this.keyEnd = this.keyAt + this.#view.getUint16(this.#at);
    const flags = this.bytes[this.keyEnd] as number;
    this.flags = flags & (DELETED | NON_INDEXABLE);
    let at = this.keyEnd + FLAGS_BYTES;
    this.expiresAt = undefined;
    if ((flags & EXPIRES) !== 0) {
      this.expiresAt = this.#view.getBigInt64(at);
      at += EXPIRY_BYTES;
    }
    this.hashAt = at;
    this.#at = at + HASH_SIZE;
    return true;
  }
}
