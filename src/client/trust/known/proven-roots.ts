// Which alh a tx was proven to have under the current history. Bounded; an entry is never replaced (docs/trust-rules.md 14).
import { keyName } from '../../../verify/key-name.js';
import { keyBytes } from '../../input/pooled-bytes.js';
import type { Root } from '../../../verify/verifier.js';
import { RecentMap } from './recent-map.js';

/** About 100 bytes an entry; more entries save a round trip for claims a little behind the head. */
export const MAX_ROOTS = 16_384;

export class ProvenRoots {
  /** As text: see `single-headers`. */
  readonly #alhs: RecentMap<bigint, string>;

  constructor(max: number = MAX_ROOTS) {
    this.#alhs = new RecentMap(max);
  }

  add(root: Root): void {
    if (!this.#alhs.has(root.tx)) this.#alhs.set(root.tx, keyName(root.alh));
  }

  get(tx: bigint): Uint8Array | undefined {
    const alh = this.#alhs.get(tx);
    return alh === undefined ? undefined : keyBytes(alh);
  }
}
