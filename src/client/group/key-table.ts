// The keys of a transaction as they lie in its request: which there are, without a text or a place in a Map for any of them.
import { keyName } from '../../verify/key-name.js';

const FIRST_CAPACITY = 16;
/** FNV-1a, 32 bits. Nothing rests on it: what has the same hash is compared byte by byte. */
const FNV_OFFSET = 0x811c_9dc5 | 0;
const FNV_PRIME = 0x0100_0193;

/** Names that take little room until they are looked at. */
export interface NamedKeys {
  readonly count: number;
  names(): Iterable<string>;
}

/** Hash table with open addressing. Bytes are its maker's: they must stay where they are told to be. */
export class KeyTable {
  #count = 0;
  /** Place of a key, from 1, by its hash; 0 is free. Twice as many as there can be keys. */
  #slots = new Uint16Array(2 * FIRST_CAPACITY);
  #hashes = new Int32Array(FIRST_CAPACITY);
  #starts = new Int32Array(FIRST_CAPACITY);
  #lengths = new Uint16Array(FIRST_CAPACITY);

  get count(): number {
    return this.#count;
  }

  /** Adds the key at `bytes[start, end)`; false when it is there already. `bytes`: where all of them are. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    let hash = FNV_OFFSET;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let place = this.#slots[slot] as number; place > 0; place = this.#slots[slot] as number) {
      if (this.#hashes[place - 1] === hash && this.#isAt(place - 1, bytes, bytes, start, end)) return false;
      slot = (slot + 1) & mask;
    }
    const at = this.#count++;
    if (at === this.#hashes.length) {
      this.#grow();
      slot = this.#freeSlot(hash);
    }
    this.#slots[slot] = at + 1;
    this.#hashes[at] = hash;
    this.#starts[at] = start;
    this.#lengths[at] = end - start;
    return true;
  }

  start(place: number): number {
    return this.#starts[place] as number;
  }

  end(place: number): number {
    return (this.#starts[place] as number) + (this.#lengths[place] as number);
  }

  /** Whether the key of this name (`keyName`) is one of them. `bytes`: where they are. */
  has(bytes: Uint8Array, name: string): boolean {
    let hash = FNV_OFFSET;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), FNV_PRIME);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot] as number;
      if (place === 0) return false;
      if (this.#hashes[place - 1] === hash && this.#isNamed(place - 1, bytes, name)) return true;
    }
  }

  /** Whether any key is in both tables. */
  meets(bytes: Uint8Array, other: KeyTable, otherBytes: Uint8Array): boolean {
    if (other.#count < this.#count) return other.meets(otherBytes, this, bytes);
    const mask = other.#slots.length - 1;
    for (let i = 0; i < this.#count; i++) {
      const hash = this.#hashes[i] as number;
      for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
        const place = other.#slots[slot] as number;
        if (place === 0) break;
        if (other.#hashes[place - 1] !== hash) continue;
        if (other.#isAt(place - 1, otherBytes, bytes, this.start(i), this.end(i))) return true;
      }
    }
    return false;
  }

  /** Names of the keys at places `from` to before `to`. */
  *names(bytes: Uint8Array, from = 0, to: number = this.#count): Generator<string, void, undefined> {
    for (let i = from; i < to; i++) yield keyName(bytes.subarray(this.start(i), this.end(i)));
  }

  #isAt(place: number, bytes: Uint8Array, others: Uint8Array, start: number, end: number): boolean {
    if (this.#lengths[place] !== end - start) return false;
    const at = this.#starts[place] as number;
    for (let i = start; i < end; i++) if (bytes[at + i - start] !== others[i]) return false;
    return true;
  }

  #isNamed(place: number, bytes: Uint8Array, name: string): boolean {
    if (this.#lengths[place] !== name.length) return false;
    const at = this.#starts[place] as number;
    for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const capacity = 4 * this.#hashes.length;
    this.#hashes = larger(this.#hashes, new Int32Array(capacity));
    this.#starts = larger(this.#starts, new Int32Array(capacity));
    this.#lengths = larger(this.#lengths, new Uint16Array(capacity));
    this.#slots = new Uint16Array(2 * capacity);
    for (let i = 0; i < this.#count - 1; i++) this.#slots[this.#freeSlot(this.#hashes[i] as number)] = i + 1;
  }
}

function larger<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
