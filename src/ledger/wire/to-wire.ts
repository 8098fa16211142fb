// From our objects to messages of the wire.
import type { DualProof, InclusionProof, KVMetadata, TxHeader, TxMetadata } from '../../proof/types.js';
import type { Database } from '../engine/database.js';
import type {
  WireDualProof,
  WireInclusionProof,
  WireKVMetadata,
  WireTxEntry,
  WireTxHeader,
} from './messages.js';

export function wireKVMetadata(metadata: KVMetadata): WireKVMetadata {
  const wire: WireKVMetadata = {};
  if (metadata.deleted === true) wire.deleted = true;
  if (metadata.expiresAt !== undefined) wire.expiration = { expiresAt: metadata.expiresAt.toString() };
  if (metadata.nonIndexable === true) wire.nonIndexable = true;
  return wire;
}

/** A header that immudb read together with its entries has metadata present even if empty; one read alone has not. */
export function wireHeader(header: TxHeader, readAlone = false): WireTxHeader {
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
  if (header.metadata || !readAlone) wire.metadata = wireTxMetadata(header.metadata);
  return wire;
}

function wireTxMetadata(metadata: TxMetadata | undefined): NonNullable<WireTxHeader['metadata']> {
  return {
    ...(metadata?.truncatedTxId === undefined ? {} : { truncatedTxID: Number(metadata.truncatedTxId) }),
    ...(metadata?.extra ? { extra: metadata.extra } : {}),
  };
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

/** `readAlone` names the header that was read for the proof only. */
export function wireDualProof(proof: DualProof, readAlone?: 'source' | 'target'): WireDualProof {
  const wire: WireDualProof = {
    sourceTxHeader: wireHeader(proof.sourceTxHeader, readAlone === 'source'),
    targetTxHeader: wireHeader(proof.targetTxHeader, readAlone === 'target'),
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
