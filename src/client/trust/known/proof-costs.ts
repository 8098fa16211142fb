// What proofs cost, in bytes on the wire: the measure by which one way to prove is chosen over another. Learns from the
// answers that come.

/**
 * A round trip weighs as much as this many bytes of headers (measured, server on the same machine: 7.6 k round trips of
 * VerifiableTxById a second beside 430 k headers of 124 bytes by TxScan).
 */
const ROUND_TRIP_BYTES = 6 * 1024;
/** Hashes count too: a header costs four of them, a dual proof some fifty; a hash is as long as 40 bytes. */
const HASH_BYTES = 40;
/** How fast what was measured last replaces what was known before. */
const LEARNING = 0.1;

export class ProofCosts {
  #header = 124;
  #proof = 1800;
  #digest = 70;

  /** One header on its own, with its proof. */
  get single(): number {
    return ROUND_TRIP_BYTES + this.#proof + 50 * HASH_BYTES;
  }

  /** `count` headers in a row, with the proof of the last. */
  block(count: number): number {
    return this.single + ROUND_TRIP_BYTES + count * (this.#header + 4 * HASH_BYTES);
  }

  /** `entries` entries as digests, without the round trip. */
  digests(entries: number): number {
    return entries * (this.#digest + 3 * HASH_BYTES);
  }

  /** What a gap in a run may cost before another round trip is cheaper. */
  get roundTrip(): number {
    return ROUND_TRIP_BYTES;
  }

  learnBlock(bytes: number, count: number): void {
    this.#header = blend(this.#header, bytes / count);
  }

  learnProof(bytes: number): void {
    this.#proof = blend(this.#proof, bytes);
  }

  learnDigests(bytes: number, entries: number): void {
    this.#digest = blend(this.#digest, bytes / entries);
  }
}

function blend(known: number, measured: number): number {
  return known + (measured - known) * LEARNING;
}
