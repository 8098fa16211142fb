// Headers that are proven under the present history: claims are held against them, for no further question. Bounded;
// an entry is never replaced: the same tx with another alh is a fork (docs/trust-rules.md 14).
import { equalBytes } from '../../../proof/bytes.js';
import { COLUMN_BYTES, alhIn } from '../../../verify/pack/header-pack.js';
import { BLOCK_TXS } from '../../../verify/verifier.js';
import type { HeaderPack, ProvenTarget, ProvenTx, Root } from '../../../verify/verifier.js';
import type { ProvenFacts } from './proven-facts.js';
import { MAX_ROOTS, ProvenRoots } from './proven-roots.js';
import { RecentMap } from './recent-map.js';
import { SINGLE_BYTES, SingleHeaders } from './single-headers.js';

/** A tx with two hashes. */
export interface Contradiction {
  readonly tx: bigint;
  /** Proven before. */
  readonly known: Uint8Array;
  readonly shown: Uint8Array;
}

export class ProvenHeaders {
  readonly #roots = new ProvenRoots();
  readonly #singles: SingleHeaders;
  readonly #packs = new Map<number, HeaderPack>();
  /** Blocks of which something is known beside a pack. */
  readonly #touched: RecentMap<number, true>;
  readonly #maxBytes: number;
  #packedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    const maxSingles = maxBytes / 4 / SINGLE_BYTES;
    this.#singles = new SingleHeaders(maxSingles);
    // Forgets a block no sooner than its last single or root is forgotten.
    this.#touched = new RecentMap(2 * (maxSingles + MAX_ROOTS));
  }

  /** About how much memory the headers take. */
  get bytes(): number {
    return this.#packedBytes + SINGLE_BYTES * this.#singles.size;
  }

  get count(): number {
    return this.#packedBytes / COLUMN_BYTES + this.#singles.size;
  }

  /** A tx of which only the alh is proven. */
  addRoot(root: Root): void {
    if (this.#alhOf(root.tx)) return;
    this.#touched.set(blockOf(root.tx), true);
    this.#roots.add(root);
  }

  /** A proven head, and the predecessor it names, which its frontier shows to be the tree's leaf as well. */
  addTarget(target: ProvenTarget): void {
    this.add(target);
    if (target.tx > 1n && target.frontier) this.addRoot({ tx: target.tx - 1n, alh: target.prevAlh });
  }

  add(header: ProvenTx): void {
    if (this.#packOf(header.tx) || this.#singles.has(header.tx)) return;
    this.#touched.set(blockOf(header.tx), true);
    this.#singles.add(header);
  }

  /** Adds a block of headers. False when it has another hash for a tx than was proven before. */
  addPack(pack: HeaderPack): boolean {
    const block = blockOf(pack.first);
    const known = this.#packs.get(block);
    if (this.contradictedBy(pack)) return false;
    if (known && known.count >= pack.count) return true;
    if (known) this.#packedBytes -= known.count * COLUMN_BYTES;
    this.#packs.delete(block);
    this.#packs.set(block, pack);
    this.#packedBytes += pack.count * COLUMN_BYTES;
    for (const [oldest, { count }] of this.#packs) {
      if (this.#packedBytes <= this.#maxBytes || oldest === block) break;
      this.#packs.delete(oldest);
      this.#packedBytes -= count * COLUMN_BYTES;
    }
    return true;
  }

  /** The first tx of a block to which it gives another hash than was proven before. */
  contradictedBy(pack: HeaderPack): Contradiction | undefined {
    const block = blockOf(pack.first);
    const known = this.#packs.get(block);
    // Most blocks are new, or the same as before and longer.
    if ((!known || samePart(known, pack)) && !this.#touched.has(block)) return undefined;
    for (let i = 0; i < pack.count; i++) {
      const tx = pack.first + BigInt(i);
      const other = this.contradiction({ tx, alh: alhIn(pack, tx) });
      if (other) return other;
    }
    return undefined;
  }

  facts(tx: bigint): ProvenFacts | undefined {
    const pack = this.#packOf(tx);
    return pack ? factsIn(pack, tx) : this.#singles.facts(tx);
  }

  /** Of a tx whose header is proven; a view. */
  alh(tx: bigint): Uint8Array | undefined {
    return this.#alhOf(tx);
  }

  /** `same` and `other` are statements about a proven history; `unknown` says nothing. */
  compare(root: Root): 'same' | 'other' | 'unknown' {
    const known = this.#knownAlh(root.tx);
    if (!known) return 'unknown';
    return equalBytes(known, root.alh) ? 'same' : 'other';
  }

  /** What is proven of a tx contradicts this root. */
  contradiction({ tx, alh: shown }: Root): Contradiction | undefined {
    const known = this.#knownAlh(tx);
    return known && !equalBytes(known, shown) ? { tx, known, shown } : undefined;
  }

  #knownAlh(tx: bigint): Uint8Array | undefined {
    return this.#alhOf(tx) ?? this.#roots.get(tx);
  }

  #alhOf(tx: bigint): Uint8Array | undefined {
    const pack = this.#packOf(tx);
    return pack ? alhIn(pack, tx) : this.#singles.alh(tx);
  }

  /** The pack that holds `tx`, moved to the end of the line of those to be dropped. */
  #packOf(tx: bigint): HeaderPack | undefined {
    const block = blockOf(tx);
    const pack = this.#packs.get(block);
    if (!pack || placeOf(tx) >= pack.count) return undefined;
    if (this.#packedBytes > this.#maxBytes / 2) {
      this.#packs.delete(block);
      this.#packs.set(block, pack);
    }
    return pack;
  }
}

/** Which block of {@link BLOCK_TXS} a tx is in. */
export function blockOf(tx: bigint): number {
  return Math.floor((Number(tx) - 1) / BLOCK_TXS);
}

/** Place of a tx in its block. A number: this is asked for every entry that is read. */
function placeOf(tx: bigint): number {
  return (Number(tx) - 1) % BLOCK_TXS;
}

/** First tx of a block. */
export function blockStart(block: number): bigint {
  return BigInt(block) * BigInt(BLOCK_TXS) + 1n;
}

/** Requires that `pack` holds `tx`. */
export function factsIn(pack: HeaderPack, tx: bigint): ProvenFacts {
  const i = placeOf(tx);
  return {
    tx,
    version: pack.versions[i] as number,
    nentries: pack.entryCounts[i] as number,
    eH: pack.eHs.subarray(32 * i, 32 * i + 32),
    ts: pack.times[i] as bigint,
  };
}

function samePart(a: HeaderPack, b: HeaderPack): boolean {
  const length = 32 * Math.min(a.count, b.count);
  return equalBytes(a.alhs.subarray(0, length), b.alhs.subarray(0, length));
}
