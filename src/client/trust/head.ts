// The one trusted head of a database, as the client holds it in memory.
import { Frontier } from '../../proof/frontier.js';
import { equalBytes } from '../../proof/bytes.js';
import type { FrontierPeaks, ProvenTarget, Root } from '../../worker/verifier.js';

/** What is trusted now. `frontier` (at `tx`) lets the next headers be followed without asking for a proof. */
export interface Head extends Root {
  readonly frontier?: FrontierPeaks;
}

export function sameRoot(a: Root, b: Root): boolean {
  return a.tx === b.tx && equalBytes(a.alh, b.alh);
}

export function headAt(target: ProvenTarget): Head {
  return target.frontier
    ? { tx: target.tx, alh: target.alh, frontier: target.frontier }
    : { tx: target.tx, alh: target.alh };
}

/**
 * True when `next` directly follows `head` in the chain *and* in the history tree: its header names the head's
 * alh, and the tree it was shown in (frontier, checked against its blRoot) is the head's tree with one leaf
 * added. Together that is the content of a dual proof head → next (protocol file 02 §10.2, §10.4), for two hashes.
 */
export function follows(next: ProvenTarget, head: Head): boolean {
  if (next.tx !== head.tx + 1n || !equalBytes(next.prevAlh, head.alh)) return false;
  if (head.frontier?.size !== head.tx || next.frontier?.size !== next.tx) return false;
  const grown = Frontier.from(head.frontier);
  grown.append(next.alh);
  const shown = next.frontier.peaks;
  return (
    grown.peaks.length === shown.length &&
    grown.peaks.every((peak, i) => {
      const other = shown[i];
      return other !== undefined && equalBytes(peak, other);
    })
  );
}
