// The bounds of time and tx that a question sets.
import type { RootsFilter } from '../audit-types.js';

export interface Bounds {
  readonly timeMin: number;
  readonly timeMax: number;
  readonly txMin: bigint;
  readonly txMax: bigint;
}

/** The bounds that a filter sets; undefined: none, so that zones have nothing to say. */
export function boundsOf({ timeRange, txRange }: RootsFilter): Bounds | undefined {
  if (!timeRange && !txRange) return undefined;
  return {
    timeMin: timeRange?.from ?? Number.MIN_SAFE_INTEGER,
    timeMax: timeRange?.to ?? Number.MAX_SAFE_INTEGER,
    txMin: txRange?.from ?? 0n,
    txMax: txRange?.to ?? 0x7fff_ffff_ffff_ffffn,
  };
}
