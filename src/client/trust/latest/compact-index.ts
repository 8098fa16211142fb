// What is latest of every key that was followed, in some 75 bytes a key whatever its length: a key is known by the first half of a
// salted SHA-256. The salt is secret and made anew for each index, so that nobody can make two keys that are taken for one.
import { randomBytes } from 'node:crypto';
import { HASH_SIZE, sha256Words } from '../../../proof/hash.js';
import { DELETED } from '../../../verify/chain/rows.js';
import type { Row } from '../../../verify/chain/rows.js';
import type { KeyIndex, LatestVersion, VersionFacts } from './key-index.js';

/** An index as bytes, to be kept. */
export interface PackedIndex {
  readonly salt: Uint8Array;
  readonly keys: number;
  /** All rows, in parts. */
  readonly rows: readonly Uint8Array[];
  /** Row number and time of each that expires. */
  readonly expiries: Uint8Array;
}

const SALT_BYTES = 16;
const NAME_BYTES = 16;
// A row, in words of 32 bits: four of the name, eight of the hash of the value, the low words of tx and previous tx, the revision,
// and one with the high 14 bits of both txs and the flags. One line of a processor's cache.
const H_VALUE = 4;
const TX = 12;
const PREVIOUS = 13;
const REVISION = 14;
const HIGH = 15;
const ROW_WORDS = 16;
const ROW_BYTES = 4 * ROW_WORDS;
const TX_SHIFT = 18;
const PREVIOUS_SHIFT = 4;
const HIGH_BITS = 0x3fff;
const EXPIRING = 8;
const WORD = 2 ** 32;
/** More transactions than any database will have. */
const MAX_TX = 2 ** 46;

/** Of a row that expires: its number, and when. */
const EXPIRY_BYTES = 12;
/** Memory of one in a map. */
const EXPIRY_MEMORY = 40;
/** Rows of one part: parts are added, so that growing copies none. */
const PART_ROWS = 16_384;
const FIRST_SLOTS = 1024;
/** Share of the slots that may be taken. */
const FULL = 0.75;
const EMPTY = 0;

export class CompactIndex implements KeyIndex {
  readonly #salted: Uint8Array;
  readonly #parts: Uint32Array<ArrayBuffer>[] = [];
  /** Row numbers, from 1; by the first word of the name. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #keys = 0;
  /** By row number: few entries expire. */
  readonly #expiries = new Map<number, bigint>();
  /** Name of the key that was hashed last. */
  readonly #name = new Uint32Array(NAME_BYTES / 4);

  constructor(salt: Uint8Array = randomBytes(SALT_BYTES)) {
    this.#salted = new Uint8Array(SALT_BYTES + 65_536);
    this.#salted.set(salt.subarray(0, SALT_BYTES));
  }

  get keys(): number {
    return this.#keys;
  }

  get bytes(): number {
    const rows = this.#parts.length * PART_ROWS * ROW_BYTES;
    return rows + this.#slots.byteLength + this.#expiries.size * EXPIRY_MEMORY;
  }

  put({ bytes, keyAt, keyEnd, tx, flags, expiresAt, hashAt }: Row): void {
    const slot = this.#find(bytes, keyAt, keyEnd);
    let row = this.#slots[slot] as number;
    const isNew = row === EMPTY;
    if (isNew) row = this.#add(slot);
    const part = this.#partOf(row);
    const at = placeOf(row);
    for (let i = 0, from = hashAt; i < HASH_SIZE / 4; i++, from += 4)
      part[at + H_VALUE + i] = wordAt(bytes, from);
    const txNumber = Number(tx);
    if (txNumber >= MAX_TX) throw new RangeError(`tx ${tx.toString()} has more than 46 bits`);
    const previousHigh = isNew ? 0 : (part[at + HIGH] as number) >>> TX_SHIFT;
    part[at + PREVIOUS] = isNew ? 0 : (part[at + TX] as number);
    part[at + REVISION] = isNew ? 1 : (part[at + REVISION] as number) + 1;
    part[at + TX] = txNumber >>> 0;
    const ends = expiresAt === undefined ? 0 : EXPIRING;
    const txHigh = Math.floor(txNumber / WORD);
    part[at + HIGH] = (txHigh << TX_SHIFT) | (previousHigh << PREVIOUS_SHIFT) | flags | ends;
    if (expiresAt !== undefined) this.#expiries.set(row, expiresAt);
    else if (this.#expiries.size > 0) this.#expiries.delete(row);
  }

  reached(): void {
    // Nothing is written behind.
  }

  close(): void {
    this.empty();
  }

  /** Gives its memory back; names stay what they are. */
  empty(): void {
    this.#parts.length = 0;
    this.#slots = new Uint32Array(FIRST_SLOTS);
    this.#keys = 0;
    this.#expiries.clear();
  }

  /** A copy of it. */
  pack(): PackedIndex & { readonly rowBytes: number } {
    const rows = this.#parts.map(({ buffer }, i) => {
      const count = Math.min(PART_ROWS, this.#keys - i * PART_ROWS);
      return new Uint8Array(buffer.slice(0, count * ROW_BYTES));
    });
    const expiries = new DataView(new ArrayBuffer(EXPIRY_BYTES * this.#expiries.size));
    let at = 0;
    for (const [row, expiresAt] of this.#expiries) {
      expiries.setUint32(at, row);
      expiries.setBigInt64(at + 4, expiresAt);
      at += EXPIRY_BYTES;
    }
    const { salt } = this;
    return { salt, keys: this.#keys, rowBytes: ROW_BYTES, rows, expiries: new Uint8Array(expiries.buffer) };
  }

  /** What {@link pack} made, on a machine with the same order of bytes. */
  static unpack({ salt, keys, rows, expiries }: PackedIndex): CompactIndex {
    const index = new CompactIndex(salt);
    index.#restore(keys, rows);
    const view = new DataView(expiries.buffer, expiries.byteOffset, expiries.byteLength);
    for (let at = 0; at < expiries.length; at += EXPIRY_BYTES)
      index.#expiries.set(view.getUint32(at), view.getBigInt64(at + 4));
    return index;
  }

  #restore(keys: number, rows: readonly Uint8Array[]): void {
    const bytes = rows.length === 1 ? (rows[0] as Uint8Array) : Buffer.concat(rows);
    const end = keys * ROW_BYTES;
    for (let at = 0; at < end; at += PART_ROWS * ROW_BYTES) {
      const part = new Uint8Array(PART_ROWS * ROW_BYTES);
      part.set(bytes.subarray(at, Math.min(at + part.length, end)));
      this.#parts.push(new Uint32Array(part.buffer));
    }
    this.#keys = keys;
    let slots = FIRST_SLOTS;
    while (keys > FULL * slots) slots *= 2;
    this.#place(slots);
  }

  get salt(): Uint8Array {
    return this.#salted.slice(0, SALT_BYTES);
  }

  /** By what a raw key is known here; its own bytes. */
  nameOf(key: Uint8Array): Uint8Array {
    this.#hash(key, 0, key.length);
    return bytesOf(this.#name);
  }

  /** Every key by its name. */
  *rows(): Generator<readonly [name: Uint8Array, version: LatestVersion], void, undefined> {
    for (let row = 1; row <= this.#keys; row++) {
      const at = placeOf(row);
      yield [bytesOf(this.#partOf(row).subarray(at, at + NAME_BYTES / 4)), this.#version(row)];
    }
  }

  get(key: Uint8Array): LatestVersion | undefined {
    const row = this.#slots[this.#find(key, 0, key.length)] as number;
    return row === EMPTY ? undefined : this.#version(row);
  }

  peek(key: Uint8Array): VersionFacts | undefined {
    const row = this.#slots[this.#find(key, 0, key.length)] as number;
    return row === EMPTY ? undefined : this.#facts(row);
  }

  #facts(row: number): VersionFacts {
    const part = this.#partOf(row);
    const at = placeOf(row);
    const high = part[at + HIGH] as number;
    return {
      tx: BigInt((high >>> TX_SHIFT) * WORD + (part[at + TX] as number)),
      deleted: (high & DELETED) !== 0,
      expiresAt: (high & EXPIRING) === 0 ? undefined : this.#expiries.get(row),
      revision: BigInt(part[at + REVISION] as number),
    };
  }

  #version(row: number): LatestVersion {
    const part = this.#partOf(row);
    const at = placeOf(row);
    const { tx, deleted, expiresAt, revision } = this.#facts(row);
    const previousHigh = ((part[at + HIGH] as number) >>> PREVIOUS_SHIFT) & HIGH_BITS;
    return {
      ...{ tx, deleted, ...(expiresAt !== undefined && { expiresAt }) },
      hValue: bytesOf(part.subarray(at + H_VALUE, at + H_VALUE + HASH_SIZE / 4)),
      revision,
      previousTx: BigInt(previousHigh * WORD + (part[at + PREVIOUS] as number)),
    };
  }

  #hash(bytes: Uint8Array, from: number, to: number): void {
    const salted = this.#salted;
    if (to - from > 64) salted.set(bytes.subarray(from, to), SALT_BYTES);
    else for (let i = from, at = SALT_BYTES; i < to; i++) salted[at++] = bytes[i] as number;
    sha256Words(salted, SALT_BYTES + to - from, this.#name);
  }

  /** The slot where a key is, or is to be. */
  #find(bytes: Uint8Array, from: number, to: number): number {
    this.#hash(bytes, from, to);
    const name = this.#name;
    const first = name[0] as number;
    const mask = this.#slots.length - 1;
    let slot = first & mask;
    for (let row = this.#slots[slot] as number; row !== EMPTY; row = this.#slots[slot] as number) {
      const part = this.#partOf(row);
      const at = placeOf(row);
      if (
        part[at] === first &&
        part[at + 1] === name[1] &&
        part[at + 2] === name[2] &&
        part[at + 3] === name[3]
      )
        return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #add(slot: number): number {
    const row = ++this.#keys;
    if (row > this.#parts.length * PART_ROWS) this.#parts.push(new Uint32Array(PART_ROWS * ROW_WORDS));
    const part = this.#partOf(row);
    const at = placeOf(row);
    for (let i = 0; i < NAME_BYTES / 4; i++) part[at + i] = this.#name[i] as number;
    this.#slots[slot] = row;
    if (row > FULL * this.#slots.length) this.#place(2 * this.#slots.length);
    return row;
  }

  /** Every row into one of so many slots. */
  #place(count: number): void {
    const slots = new Uint32Array(count);
    const mask = slots.length - 1;
    for (let row = 1; row <= this.#keys; row++) {
      let slot = (this.#partOf(row)[placeOf(row)] as number) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = row;
    }
    this.#slots = slots;
  }

  #partOf(row: number): Uint32Array<ArrayBuffer> {
    return this.#parts[Math.floor((row - 1) / PART_ROWS)] as Uint32Array<ArrayBuffer>;
  }
}

/** Where a row is in its part. */
function placeOf(row: number): number {
  return ((row - 1) % PART_ROWS) * ROW_WORDS;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** What {@link wordAt} read. */
function bytesOf(words: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setUint32(4 * i, words[i] as number);
  return bytes;
}
