// The entries of a stretch of proven transactions as rows, for those who keep an index of them: what a key's entry is in which tx.
import type { EntryColumns } from '../wire/entry-columns.js';
import { HASH_SIZE } from '../../proof/hash.js';

/** Flags of a row: what its metadata say. */
export const DELETED = 1;
export const NON_INDEXABLE = 2;
const EXPIRES = 4;

/** One entry, as it was proven. Views and numbers are valid until the next row is read. */
export interface Row {
  readonly tx: bigint;
  /** Raw: with the byte in front that says which kind of entry it is. */
  readonly key: Uint8Array;
  /** Of {@link DELETED} and {@link NON_INDEXABLE}. */
  readonly flags: number;
  /** Unix seconds. */
  readonly expiresAt: bigint | undefined;
  readonly hValue: Uint8Array;
}

const COUNT_BYTES = 4;
const KEY_LENGTH_BYTES = 2;
const FLAGS_BYTES = 1;
const EXPIRY_BYTES = 8;

/** Rows of the txs of one stretch after another: the count of each tx's entries, then its entries. */
export class RowWriter {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** What is not taken before the next one is lost. */
  begin(): void {
    this.#at = 0;
  }

  /** All entries of the next tx, which are proven; `bytes`: the answer that they are places in. */
  add(bytes: Uint8Array, entries: EntryColumns): void {
    this.#reserve(COUNT_BYTES);
    this.#view.setUint32(this.#at, entries.count);
    this.#at += COUNT_BYTES;
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
    const { deleted, nonIndexable, expiresAt } = entries.attributes(entry)?.metadata ?? {};
    this.#view.setUint16(this.#at, length);
    this.#at = copy(this.#bytes, this.#at + KEY_LENGTH_BYTES, bytes, key, length);
    this.#bytes[this.#at++] =
      (deleted === true ? DELETED : 0) |
      (nonIndexable === true ? NON_INDEXABLE : 0) |
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

/** The rows of txs `first` on, in order. They are this package's own bytes: no answer is read here. */
export function* readRows(rows: Uint8Array, first: bigint): Generator<Row, void, undefined> {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  let tx = first;
  for (let at = 0; at < rows.length; tx++) {
    const count = view.getUint32(at);
    at += COUNT_BYTES;
    for (let entry = 0; entry < count; entry++) {
      const keyEnd = at + KEY_LENGTH_BYTES + view.getUint16(at);
      const key = rows.subarray(at + KEY_LENGTH_BYTES, keyEnd);
      const flags = rows[keyEnd] as number;
      at = keyEnd + FLAGS_BYTES;
      let expiresAt: bigint | undefined;
      if ((flags & EXPIRES) !== 0) {
        expiresAt = view.getBigInt64(at);
        at += EXPIRY_BYTES;
      }
      yield {
        tx,
        key,
        flags: flags & (DELETED | NON_INDEXABLE),
        expiresAt,
        hValue: rows.subarray(at, at + HASH_SIZE),
      };
      at += HASH_SIZE;
    }
  }
}
