// Remembers, per key, the newest tx in which a version of it was proven, so that a later plain read that shows
// an older version is caught. Bounded: forgetting a key only means that this extra check is not made for it.

/** About 150 bytes an entry with short keys. */
const DEFAULT_MAX_KEYS = 32_768;

export class LatestSeen {
  readonly #newest = new Map<string, bigint>();
  readonly #max: number;

  constructor(max: number = DEFAULT_MAX_KEYS) {
    this.#max = max;
  }

  /** Tx that a read of `key` sent now must not fall behind; 0 when nothing is known. */
  floor(key: Uint8Array): bigint {
    return this.#newest.get(name(key)) ?? 0n;
  }

  note(key: Uint8Array, tx: bigint): void {
    const id = name(key);
    const known = this.#newest.get(id);
    if (known !== undefined && known >= tx) return;
    this.#newest.delete(id);
    if (this.#newest.size >= this.#max) {
      const oldest = this.#newest.keys().next();
      if (!oldest.done) this.#newest.delete(oldest.value);
    }
    this.#newest.set(id, tx);
  }

  clear(): void {
    this.#newest.clear();
  }
}

function name(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
