// What a check hands out about a transaction, taken from the header that was proven and from nothing else.
import type { TxHeader } from '../../proof/types.js';
import type { FrontierPeaks, ProvenTarget, ProvenTx } from '../terms.js';

/** Requires that `alh` is the hash of `header` and was proven. */
export function provenTx(header: TxHeader, alh: Uint8Array): ProvenTx {
  return {
    tx: header.id,
    alh,
    prevAlh: header.prevAlh,
    ts: header.ts,
    version: header.version,
    nentries: header.nentries,
    eH: header.eH,
    ...(header.metadata && { metadata: header.metadata }),
  };
}

export function provenTarget(
  tx: ProvenTx,
  frontier: FrontierPeaks | undefined,
  signature: Uint8Array | undefined,
): ProvenTarget {
  return { ...tx, ...(frontier && { frontier }), ...(signature && { signature }) };
}
