// The one trusted head of a database, as the client holds it in memory.
import { Frontier } from '../../../proof/tree/frontier.js';
import { equalBytes } from '../../../proof/bytes.js';
import type { FrontierPeaks, ProvenTarget, ProvenTx, Root, TreeAt } from '../../../verify/verifier.js';

/** What is trusted now. `frontier` (at `tx`) lets the next headers be followed without asking for a proof. */
export interface Head extends Root {
  readonly frontier?: FrontierPeaks;
}

/**
 * A header that is to be bound to the head. One that an answer proved brings a frontier; one that came with nothing
 * but itself brings the tree that it commits to.
 */
export type Candidate = ProvenTarget & { readonly tree?: TreeAt };

export function sameRoot(a: Root, b: Root): boolean {
  return a.tx === b.tx && equalBytes(a.alh, b.alh);
}

export function headAt({ tx, alh, frontier }: Root & { readonly frontier?: FrontierPeaks }): Head {
  return frontier ? { tx, alh, frontier } : { tx, alh };
}

/**
 * The head at `next`, when it directly follows `head` in the chain *and* in the history tree: its header names the
 * head's alh, and the tree it commits to is the head's tree with the head as its last leaf. Together that is the
 * content of a dual proof head → next (docs/protocol.md §19.2, §21), for a few hashes. Undefined when it does not
 * follow, or when it cannot be told for want of a frontier.
 */
export function follow(next: Candidate, head: Head): Head | undefined {
  if (next.tx !== head.tx + 1n || !equalBytes(next.prevAlh, head.alh)) return undefined;
  if (head.frontier?.size !== head.tx) return undefined;
  const frontier = Frontier.from(head.frontier);
  if (next.tree) {
    const { size, root } = next.tree;
    if (size !== head.tx || !equalBytes(root, frontier.root())) return undefined;
  }
  frontier.append(next.alh);
  const { size, peaks } = frontier;
  if (!next.tree && !samePeaks(next.frontier, size, peaks)) return undefined;
  return { tx: next.tx, alh: next.alh, frontier: { size, peaks } };
}

function samePeaks(shown: FrontierPeaks | undefined, size: bigint, peaks: readonly Uint8Array[]): boolean {
  return (
    shown?.size === size &&
    shown.peaks.length === peaks.length &&
    peaks.every((peak, i) => equalBytes(peak, shown.peaks[i] as Uint8Array))
  );
}

/** A header proven by a run that was followed, as the candidate for the head. */
export function candidateOf(header: ProvenTx, frontier: FrontierPeaks | undefined): Candidate {
  return { ...header, ...(frontier && { frontier }) };
}
