// Remembers, per key (by its `keyName`), the newest tx in which a version of it was proven, so that a later plain read that shows
// an older version is caught. Bounded: forgetting a key only means that this extra check is not made for it.
import { RecentMap } from './recent-map.js';

/** About 150 bytes an entry with short keys. */
const DEFAULT_MAX_KEYS = 32_768;

export class LatestSeen {
  readonly #newest: RecentMap<string, bigint>;

  constructor(max: number = DEFAULT_MAX_KEYS) {
    this.#newest = new RecentMap(max);
  }

  /** Tx that a read of the key sent now must not fall behind; 0 when nothing is known. */
  floor(name: string): bigint {
    return this.#newest.get(name) ?? 0n;
  }

  note(name: string, tx: bigint): void {
    const known = this.#newest.get(name);
    if (known === undefined || known < tx) this.#newest.set(name, tx);
  }

  clear(): void {
    this.#newest.clear();
  }
}
