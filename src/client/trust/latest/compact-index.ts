// What is latest of every key that was followed, in about 74 bytes a key whatever its length: a key is known by the first half of a
// salted SHA-256. The salt is secret and made anew for each index, so that nobody can make two keys that are taken for one.
import { randomBytes } from 'node:crypto';
import { HASH_SIZE, sha256 } from '../../../proof/hash.js';
import { DELETED } from '../../../verify/chain/rows.js';
import type { Row } from '../../../verify/chain/rows.js';
import type { KeyIndex, LatestVersion } from './key-index.js';

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
// A row: name, tx (48 bits), hash of the value, revision (32), previous tx (48), flags.
const TX = NAME_BYTES;
const H_VALUE = TX + 6;
const REVISION = H_VALUE + HASH_SIZE;
const PREVIOUS = REVISION + 4;
const FLAGS = PREVIOUS + 6;
const ROW_BYTES = FLAGS + 1;
const EXPIRING = 0x80;
/** Of a row that expires: its number, and when. */
const EXPIRY_BYTES = 12;

/** Rows of one part: parts are added, so that growing copies none. */
const PART_ROWS = 16_384;
const FIRST_SLOTS = 1024;
/** Share of the slots that may be taken. */
const FULL = 0.75;
const EMPTY = 0;

export class CompactIndex implements KeyIndex {
  readonly #salted: Uint8Array;
  readonly #inputs: (Uint8Array | undefined)[] = [];
  readonly #parts: DataView<ArrayBuffer>[] = [];
  /** Row numbers, from 1; by the first four bytes of the name. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #keys = 0;
  /** By row number: few entries expire. */
  readonly #expiries = new Map<number, bigint>();

  constructor(salt: Uint8Array = randomBytes(SALT_BYTES)) {
    this.#salted = new Uint8Array(SALT_BYTES + 65_536);
    this.#salted.set(salt.subarray(0, SALT_BYTES));
  }

  get keys(): number {
    return this.#keys;
  }

  get bytes(): number {
    return this.#parts.length * PART_ROWS * ROW_BYTES + this.#slots.byteLength + this.#expiries.size * 40;
  }

  put({ bytes, keyAt, keyEnd, tx, flags, expiresAt, hashAt }: Row): void {
    const name = this.#hash(bytes, keyAt, keyEnd);
    const slot = this.#slotOf(name);
    let row = this.#slots[slot] as number;
    let revision = 1;
    let previous = 0n;
    if (row === EMPTY) {
      row = this.#add(name, slot);
    } else {
      const part = this.#partOf(row);
      const at = placeOf(row);
      revision = part.getUint32(at + REVISION) + 1;
      previous = readTx(part, at + TX);
    }
    const part = this.#partOf(row);
    const at = placeOf(row);
    writeTx(part, at + TX, tx);
    for (let i = 0; i < HASH_SIZE; i++) part.setUint8(at + H_VALUE + i, bytes[hashAt + i] as number);
    part.setUint32(at + REVISION, revision);
    writeTx(part, at + PREVIOUS, previous);
    part.setUint8(at + FLAGS, flags | (expiresAt === undefined ? 0 : EXPIRING));
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
    const salt = this.#salted.slice(0, SALT_BYTES);
    return { salt, keys: this.#keys, rowBytes: ROW_BYTES, rows, expiries: new Uint8Array(expiries.buffer) };
  }

  /** What {@link pack} made, in parts as one likes. */
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
    for (let at = 0; at < keys * ROW_BYTES; at += PART_ROWS * ROW_BYTES) {
      const part = new Uint8Array(PART_ROWS * ROW_BYTES);
      part.set(bytes.subarray(at, Math.min(at + PART_ROWS * ROW_BYTES, keys * ROW_BYTES)));
      this.#parts.push(new DataView(part.buffer));
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
    const { buffer, byteOffset } = this.#hash(key, 0, key.length);
    return new Uint8Array(buffer, byteOffset, NAME_BYTES).slice();
  }

  /** Every key by its name. */
  *rows(): Generator<readonly [name: Uint8Array, version: LatestVersion], void, undefined> {
    for (let row = 1; row <= this.#keys; row++)
      yield [bytesAt(this.#partOf(row), placeOf(row), NAME_BYTES).slice(), this.#version(row)];
  }

  get(key: Uint8Array): LatestVersion | undefined {
    const row = this.#slots[this.#slotOf(this.#hash(key, 0, key.length))] as number;
    return row === EMPTY ? undefined : this.#version(row);
  }

  #version(row: number): LatestVersion {
    const part = this.#partOf(row);
    const at = placeOf(row);
    const expiresAt = this.#expiries.get(row);
    return {
      tx: readTx(part, at + TX),
      deleted: (part.getUint8(at + FLAGS) & DELETED) !== 0,
      ...(expiresAt !== undefined && { expiresAt }),
      hValue: bytesAt(part, at + H_VALUE, HASH_SIZE).slice(),
      revision: BigInt(part.getUint32(at + REVISION)),
      previousTx: readTx(part, at + PREVIOUS),
    };
  }

  /** Its first {@link NAME_BYTES} bytes are the name. */
  #hash(bytes: Uint8Array, from: number, to: number): DataView {
    const length = SALT_BYTES + to - from;
    const salted = this.#salted;
    if (to - from > 64) salted.set(bytes.subarray(from, to), SALT_BYTES);
    else for (let i = from, at = SALT_BYTES; i < to; i++) salted[at++] = bytes[i] as number;
    // Making a view costs a tenth of a hash.
    const input = (this.#inputs[length] ??= salted.subarray(0, length));
    const digest = sha256(input);
    return new DataView(digest.buffer, digest.byteOffset, NAME_BYTES);
  }

  /** Where a name is, or is to be. */
  #slotOf(name: DataView): number {
    const mask = this.#slots.length - 1;
    const start = name.getUint32(0);
    let slot = start & mask;
    for (let row = this.#slots[slot] as number; row !== EMPTY; row = this.#slots[slot] as number) {
      if (this.#isNamed(row, start, name)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isNamed(row: number, start: number, name: DataView): boolean {
    const part = this.#partOf(row);
    const at = placeOf(row);
    if (part.getUint32(at) !== start) return false;
    for (let i = 4; i < NAME_BYTES; i += 4) if (part.getUint32(at + i) !== name.getUint32(i)) return false;
    return true;
  }

  #add(name: DataView, slot: number): number {
    const row = ++this.#keys;
    if (row > this.#parts.length * PART_ROWS)
      this.#parts.push(new DataView(new ArrayBuffer(PART_ROWS * ROW_BYTES)));
    const part = this.#partOf(row);
    for (let i = 0; i < NAME_BYTES; i += 4) part.setUint32(placeOf(row) + i, name.getUint32(i));
    this.#slots[slot] = row;
    if (row > FULL * this.#slots.length) this.#grow();
    return row;
  }

  #grow(): void {
    this.#place(2 * this.#slots.length);
  }

  /** Every row into one of so many slots. */
  #place(count: number): void {
    const slots = new Uint32Array(count);
    const mask = slots.length - 1;
    for (let row = 1; row <= this.#keys; row++) {
      let slot = this.#partOf(row).getUint32(placeOf(row)) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = row;
    }
    this.#slots = slots;
  }

  #partOf(row: number): DataView<ArrayBuffer> {
    return this.#parts[Math.floor((row - 1) / PART_ROWS)] as DataView<ArrayBuffer>;
  }
}

/** Where a row is in its part. */
function placeOf(row: number): number {
  return ((row - 1) % PART_ROWS) * ROW_BYTES;
}

function bytesAt(part: DataView<ArrayBuffer>, at: number, length: number): Uint8Array {
  return new Uint8Array(part.buffer, at, length);
}

function readTx(part: DataView, at: number): bigint {
  return BigInt(part.getUint16(at) * 2 ** 32 + part.getUint32(at + 2));
}

/** Of 48 bits: more transactions than any database will have. Throws RangeError beyond. */
function writeTx(part: DataView, at: number, tx: bigint): void {
  const number = Number(tx);
  if (number >= 2 ** 48) throw new RangeError(`tx ${tx.toString()} has more than 48 bits`);
  part.setUint16(at, Math.floor(number / 2 ** 32));
  part.setUint32(at + 2, number % 2 ** 32);
}
