// Which entries hold a key: a hash table of key numbers over the log's own bytes (no strings), the chain of versions
// of each key, and the keys in byte order for scans.
import { compareBytes, equalBytes } from '../../proof/bytes.js';
import { Uint32Column } from './arrays.js';
import type { TxLog } from './tx-log.js';

/** A key's newest entry and how many versions it has. */
export interface Latest {
  /** Ordinal in the log. */
  readonly entry: number;
  readonly revisions: number;
}

/** What is told of a key in place of its newest version; `revisions` 0: that there is none. */
export type IndexLie = (key: Uint8Array, latest: Latest) => Latest;

export class KeyIndex {
  /** Each on top of those before it. */
  readonly lies = new Set<IndexLie>();
  readonly #log: TxLog;
  /** key number + 1, or 0 for a free slot */
  #slots = new Uint32Array(256);
  readonly #latest = new Uint32Column();
  readonly #revisions = new Uint32Column();
  /** by entry ordinal: 1 + ordinal of the key's version before, 0 = none */
  readonly #previous = new Uint32Column();
  #sorted = new Uint32Array(0);
  #unsorted: number[] = [];

  constructor(log: TxLog) {
    this.#log = log;
  }

  get keyCount(): number {
    return this.#latest.length;
  }

  /** Takes in the entry that was just appended; `indexed` is false for entries that no key lookup may find. */
  add(ordinal: number, indexed: boolean): void {
    if (!indexed) {
      this.#previous.push(0);
      return;
    }
    const key = this.#log.key(ordinal);
    const slot = this.#slotOf(key);
    const number = this.#slots[slot] as number;
    if (number > 0) {
      this.#previous.push(this.#latest.at(number - 1) + 1);
      this.#latest.set(number - 1, ordinal);
      this.#revisions.set(number - 1, this.#revisions.at(number - 1) + 1);
      return;
    }
    this.#previous.push(0);
    this.#latest.push(ordinal);
    this.#revisions.push(1);
    this.#slots[slot] = this.#latest.length;
    this.#unsorted.push(this.#latest.length - 1);
    if (this.#latest.length * 2 > this.#slots.length) this.#rehash();
  }

  latest(key: Uint8Array): Latest | undefined {
    const number = this.#slots[this.#slotOf(key)] as number;
    if (number === 0) return undefined;
    const latest = this.latestOf(number - 1);
    return latest.revisions > 0 ? latest : undefined;
  }

  /** `revisions` 0: nothing is told of the key. */
  latestOf(keyNumber: number): Latest {
    let latest: Latest = { entry: this.#latest.at(keyNumber), revisions: this.#revisions.at(keyNumber) };
    for (const lie of this.lies) if (latest.revisions > 0) latest = lie(this.keyOf(keyNumber), latest);
    return latest;
  }

  /** Entry of version `revision` (1-based). Requires 1 <= revision <= latest.revisions. */
  version(latest: Latest, revision: number): number {
    let entry = latest.entry;
    for (let at = latest.revisions; at > revision; at--) entry = this.#previous.at(entry) - 1;
    return entry;
  }

  /** Entries of versions `from` down to `to`, newest first. */
  versions(latest: Latest, from: number, to: number): number[] {
    const entries: number[] = [];
    let entry = this.version(latest, from);
    for (let at = from; at >= to; at--) {
      entries.push(entry);
      entry = this.#previous.at(entry) - 1;
    }
    return entries;
  }

  /** Key numbers in byte order of the raw keys. */
  inOrder(): Uint32Array {
    if (this.#unsorted.length > 0) this.#mergeUnsorted();
    return this.#sorted;
  }

  keyOf(keyNumber: number): Uint8Array {
    return this.#log.key(this.#latest.at(keyNumber));
  }

  /** Position of the first key in {@link inOrder} that is not less than `key`. */
  lowerBound(order: Uint32Array, key: Uint8Array): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.keyOf(order[middle] as number), key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** New keys find their places by bisection, what lies between is copied in blocks. */
  #mergeUnsorted(): void {
    const fresh = this.#unsorted.sort((a, b) => compareBytes(this.keyOf(a), this.keyOf(b)));
    const old = this.#sorted;
    const merged = new Uint32Array(old.length + fresh.length);
    let copied = 0;
    fresh.forEach((number, nth) => {
      const place = this.lowerBound(old, this.keyOf(number));
      merged.set(old.subarray(copied, place), copied + nth);
      merged[place + nth] = number;
      copied = place;
    });
    merged.set(old.subarray(copied), copied + fresh.length);
    this.#sorted = merged;
    this.#unsorted = [];
  }

  #slotOf(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(key) & mask;
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0 || equalBytes(this.keyOf(number - 1), key)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 1; number <= this.#latest.length; number++) {
      let slot = hashOf(this.keyOf(number - 1)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

/** FNV-1a, with a final mix so that the low bits depend on all of it. */
function hashOf(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) hash = Math.imul(hash ^ byte, 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
