// Which alh a tx was proven to have under the current history. Bounded; an entry is never replaced (rule 14).
import { equalBytes } from '../../proof/bytes.js';
import type { Root } from '../../worker/verifier.js';
import { RecentMap } from './recent-map.js';

/** About 100 bytes an entry; more entries save a round trip for claims a little behind the head. */
export const MAX_ROOTS = 16_384;

export class ProvenRoots {
  readonly #alhs: RecentMap<bigint, Uint8Array>;

  constructor(max: number = MAX_ROOTS) {
    this.#alhs = new RecentMap(max);
  }

  add(root: Root): void {
    if (this.#alhs.has(root.tx)) return;
    // A copy: it may be a view of a message that holds much else.
    this.#alhs.set(root.tx, new Uint8Array(root.alh));
  }

  get(tx: bigint): Uint8Array | undefined {
    return this.#alhs.get(tx);
  }

  /** `same` and `other` are statements about a proven history; `unknown` says nothing. */
  compare(root: Root): 'same' | 'other' | 'unknown' {
    const alh = this.#alhs.get(root.tx);
    if (!alh) return 'unknown';
    return equalBytes(alh, root.alh) ? 'same' : 'other';
  }

  clear(): void {
    this.#alhs.clear();
  }
}
