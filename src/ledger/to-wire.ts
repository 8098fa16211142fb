// From our objects to messages of the wire.
import type { DualProof, InclusionProof, KVMetadata, TxHeader } from '../proof/types.js';
import type { Database } from './database.js';
import type { WireDualProof, WireInclusionProof, WireKVMetadata, WireTxEntry, WireTxHeader } from './wire.js';

export function wireKVMetadata(metadata: KVMetadata): WireKVMetadata {
  const wire: WireKVMetadata = {};
  if (metadata.deleted === true) wire.deleted = true;
  if (metadata.expiresAt !== undefined) wire.expiration = { expiresAt: metadata.expiresAt.toString() };
  if (metadata.nonIndexable === true) wire.nonIndexable = true;
  return wire;
}

export function wireHeader(header: TxHeader): WireTxHeader {
  const wire: WireTxHeader = {
    id: Number(header.id),
    prevAlh: header.prevAlh,
    ts: Number(header.ts),
    nentries: header.nentries,
    eH: header.eH,
    blTxId: Number(header.blTxId),
    blRoot: header.blRoot,
    version: header.version,
  };
  if (header.metadata) {
    wire.metadata = {};
    if (header.metadata.truncatedTxId !== undefined)
      wire.metadata.truncatedTxID = Number(header.metadata.truncatedTxId);
    if (header.metadata.extra) wire.metadata.extra = header.metadata.extra;
  }
  return wire;
}

/** Entry of a transaction in digest form. */
export function wireTxEntry(db: Database, ordinal: number): WireTxEntry {
  const wire: WireTxEntry = {
    key: db.log.key(ordinal),
    hValue: db.log.hValue(ordinal),
    vLen: db.log.valueLength(ordinal),
  };
  const metadata = db.log.metadata(ordinal);
  if (metadata) wire.metadata = wireKVMetadata(metadata);
  return wire;
}

export function wireInclusionProof(proof: InclusionProof): WireInclusionProof {
  return { leaf: proof.leaf, width: proof.width, terms: [...proof.terms] };
}

export function wireDualProof(proof: DualProof): WireDualProof {
  const wire: WireDualProof = {
    sourceTxHeader: wireHeader(proof.sourceTxHeader),
    targetTxHeader: wireHeader(proof.targetTxHeader),
    inclusionProof: [...proof.inclusionProof],
    consistencyProof: [...proof.consistencyProof],
    targetBlTxAlh: proof.targetBlTxAlh,
    lastInclusionProof: [...proof.lastInclusionProof],
    linearProof: {
      sourceTxId: Number(proof.linearProof.sourceTxId),
      TargetTxId: Number(proof.linearProof.targetTxId),
      terms: [...proof.linearProof.terms],
    },
  };
  if (proof.linearAdvanceProof) {
    wire.LinearAdvanceProof = {
      linearProofTerms: [...proof.linearAdvanceProof.linearProofTerms],
      inclusionProofs: proof.linearAdvanceProof.inclusionProofs.map((terms) => ({ terms: [...terms] })),
    };
  }
  return wire;
}
