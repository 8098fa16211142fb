// JSON of the vector files to and from the objects of the proof code: digests and keys as hex, ids as decimal strings.
import { fromHex, toHex } from '#dist/proof/bytes.js';
import type {
  DualProof,
  DualProofV2,
  InclusionProof,
  KVMetadata,
  LinearAdvanceProof,
  TxEntry,
  TxHeader,
  TxMetadata,
} from '#dist/proof/types.js';

/** A header as the recordings have it: fields with default values may be left out. */
export interface HeaderJson {
  id: string;
  prevAlh: string;
  ts?: string;
  version: number;
  metadata?: { truncatedTxID?: string; extra?: string };
  nentries?: number;
  eH: string;
  blTxId?: string;
  blRoot: string;
}

export interface EntryJson {
  key: string;
  metadata?: { deleted?: boolean; expiration?: { expiresAt: string }; nonIndexable?: boolean };
  hValue: string;
}

export interface DualProofJson {
  sourceTxHeader: HeaderJson;
  targetTxHeader: HeaderJson;
  inclusionProof: string[];
  consistencyProof: string[];
  targetBlTxAlh: string;
  lastInclusionProof: string[];
  linearProof: { sourceTxId: string; TargetTxId: string; terms: string[] };
  LinearAdvanceProof?: { linearProofTerms: string[]; inclusionProofs: { terms: string[] }[] };
}

export interface DualProofV2Json {
  sourceTxHeader: HeaderJson;
  targetTxHeader: HeaderJson;
  inclusionProof: string[];
  consistencyProof: string[];
}

export interface InclusionJson {
  leaf?: number;
  width: number;
  terms: string[];
}

export function hexes(terms: readonly Uint8Array[]): string[] {
  return terms.map(toHex);
}

export function bytesOf(terms: readonly string[]): Uint8Array[] {
  return terms.map(fromHex);
}

export function headerFrom(json: HeaderJson): TxHeader {
  const metadata: { -readonly [K in keyof TxMetadata]: TxMetadata[K] } = {};
  if (json.metadata?.truncatedTxID !== undefined)
    metadata.truncatedTxId = BigInt(json.metadata.truncatedTxID);
  if (json.metadata?.extra !== undefined) metadata.extra = fromHex(json.metadata.extra);
  return {
    id: BigInt(json.id),
    prevAlh: fromHex(json.prevAlh),
    ts: BigInt(json.ts ?? 0),
    version: json.version,
    metadata,
    nentries: json.nentries ?? 0,
    eH: fromHex(json.eH),
    blTxId: BigInt(json.blTxId ?? 0),
    blRoot: fromHex(json.blRoot),
  };
}

export function headerTo(h: TxHeader): HeaderJson {
  const metadata: NonNullable<HeaderJson['metadata']> = {};
  if (h.metadata?.truncatedTxId !== undefined) metadata.truncatedTxID = h.metadata.truncatedTxId.toString();
  if (h.metadata?.extra !== undefined) metadata.extra = toHex(h.metadata.extra);
  return {
    id: h.id.toString(),
    prevAlh: toHex(h.prevAlh),
    ts: h.ts.toString(),
    version: h.version,
    metadata,
    nentries: h.nentries,
    eH: toHex(h.eH),
    blTxId: h.blTxId.toString(),
    blRoot: toHex(h.blRoot),
  };
}

export function entryFrom(json: EntryJson): TxEntry {
  const metadata: { -readonly [K in keyof KVMetadata]: KVMetadata[K] } = {};
  if (json.metadata?.deleted) metadata.deleted = true;
  if (json.metadata?.expiration) metadata.expiresAt = BigInt(json.metadata.expiration.expiresAt);
  if (json.metadata?.nonIndexable) metadata.nonIndexable = true;
  return { key: fromHex(json.key), metadata, hValue: fromHex(json.hValue) };
}

export function inclusionFrom(json: InclusionJson): InclusionProof {
  return { leaf: json.leaf ?? 0, width: json.width, terms: bytesOf(json.terms) };
}

export function dualProofFrom(json: DualProofJson): DualProof {
  const advance = json.LinearAdvanceProof;
  const linearAdvanceProof: LinearAdvanceProof | undefined = advance && {
    linearProofTerms: bytesOf(advance.linearProofTerms),
    inclusionProofs: advance.inclusionProofs.map(({ terms }) => bytesOf(terms)),
  };
  return {
    sourceTxHeader: headerFrom(json.sourceTxHeader),
    targetTxHeader: headerFrom(json.targetTxHeader),
    inclusionProof: bytesOf(json.inclusionProof),
    consistencyProof: bytesOf(json.consistencyProof),
    targetBlTxAlh: fromHex(json.targetBlTxAlh),
    lastInclusionProof: bytesOf(json.lastInclusionProof),
    linearProof: {
      sourceTxId: BigInt(json.linearProof.sourceTxId),
      targetTxId: BigInt(json.linearProof.TargetTxId),
      terms: bytesOf(json.linearProof.terms),
    },
    ...(linearAdvanceProof ? { linearAdvanceProof } : {}),
  };
}

export function dualProofTo(p: DualProof): DualProofJson {
  const advance = p.linearAdvanceProof;
  return {
    sourceTxHeader: headerTo(p.sourceTxHeader),
    targetTxHeader: headerTo(p.targetTxHeader),
    inclusionProof: hexes(p.inclusionProof),
    consistencyProof: hexes(p.consistencyProof),
    targetBlTxAlh: toHex(p.targetBlTxAlh),
    lastInclusionProof: hexes(p.lastInclusionProof),
    linearProof: {
      sourceTxId: p.linearProof.sourceTxId.toString(),
      TargetTxId: p.linearProof.targetTxId.toString(),
      terms: hexes(p.linearProof.terms),
    },
    ...(advance
      ? {
          LinearAdvanceProof: {
            linearProofTerms: hexes(advance.linearProofTerms),
            inclusionProofs: advance.inclusionProofs.map((terms) => ({ terms: hexes(terms) })),
          },
        }
      : {}),
  };
}

export function dualProofV2From(json: DualProofV2Json): DualProofV2 {
  return {
    sourceTxHeader: headerFrom(json.sourceTxHeader),
    targetTxHeader: headerFrom(json.targetTxHeader),
    inclusionProof: bytesOf(json.inclusionProof),
    consistencyProof: bytesOf(json.consistencyProof),
  };
}

export function dualProofV2To(p: DualProofV2): DualProofV2Json {
  return {
    sourceTxHeader: headerTo(p.sourceTxHeader),
    targetTxHeader: headerTo(p.targetTxHeader),
    inclusionProof: hexes(p.inclusionProof),
    consistencyProof: hexes(p.consistencyProof),
  };
}
