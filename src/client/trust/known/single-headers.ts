// Proven headers that came one by one. Their hashes are kept as text, a character a byte: an array of 32 bytes is an object of
// 150, and what is alive for long costs the heap several times its size.
import { keyName } from '../../../verify/key-name.js';
import { keyBytes } from '../../input/pooled-bytes.js';
import type { ProvenTx } from '../../../verify/verifier.js';
import type { ProvenFacts } from './proven-facts.js';
import { RecentMap } from './recent-map.js';

/** About what one takes with its place in the map (measured: 225). */
export const SINGLE_BYTES = 225;

interface Single {
  readonly version: number;
  readonly nentries: number;
  readonly ts: bigint;
  /** alh, then eH. */
  readonly hashes: string;
}

const scratch = new Uint8Array(64);

export class SingleHeaders {
  readonly #singles: RecentMap<bigint, Single>;

  constructor(max: number) {
    this.#singles = new RecentMap(max);
  }

  get size(): number {
    return this.#singles.size;
  }

  has(tx: bigint): boolean {
    return this.#singles.has(tx);
  }

  add({ tx, version, nentries, ts, alh, eH }: ProvenTx): void {
    scratch.set(alh);
    scratch.set(eH, 32);
    this.#singles.set(tx, { version, nentries, ts, hashes: keyName(scratch) });
  }

  facts(tx: bigint): ProvenFacts | undefined {
    const single = this.#singles.get(tx);
    if (!single) return undefined;
    const { version, nentries, ts, hashes } = single;
    return { tx, version, nentries, ts, eH: keyBytes(hashes.slice(32)) };
  }

  alh(tx: bigint): Uint8Array | undefined {
    const single = this.#singles.get(tx);
    return single && keyBytes(single.hashes.slice(0, 32));
  }
}
