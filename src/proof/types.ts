// The objects of the protocol as the proof code sees them: plain data, ids as bigint, digests as 32 bytes.

/** Attributes of a transaction (header version 1 only). */
export interface TxMetadata {
  readonly truncatedTxId?: bigint;
  readonly extra?: Uint8Array;
}

/** Header of a transaction; its hash is the alh. */
export interface TxHeader {
  readonly id: bigint;
  readonly prevAlh: Uint8Array;
  /** Unix seconds; 0 when the database leaves commit time out. */
  readonly ts: bigint;
  readonly version: number;
  readonly metadata?: TxMetadata;
  readonly nentries: number;
  /** Root of the entries tree. */
  readonly eH: Uint8Array;
  /** Size of the history tree this header commits to. */
  readonly blTxId: bigint;
  /** Root of that tree; 32 zero bytes when blTxId is 0. */
  readonly blRoot: Uint8Array;
}

/** Attributes of an entry. Absent and all-false are the same. */
export interface KVMetadata {
  readonly deleted?: boolean;
  /** Unix seconds. Present = the attribute is set, even if 0. */
  readonly expiresAt?: bigint;
  readonly nonIndexable?: boolean;
}

/** A stored entry without its value: what an entry digest is made from. */
export interface TxEntry {
  /** Raw key, kind prefix included. */
  readonly key: Uint8Array;
  readonly metadata?: KVMetadata;
  /** SHA-256 of the raw value. */
  readonly hValue: Uint8Array;
}

/** Position and audit path (leaf to root) in an entries tree. */
export interface InclusionProof {
  readonly leaf: number;
  readonly width: number;
  readonly terms: readonly Uint8Array[];
}

export interface LinearProof {
  readonly sourceTxId: bigint;
  readonly targetTxId: bigint;
  readonly terms: readonly Uint8Array[];
}

export interface LinearAdvanceProof {
  readonly linearProofTerms: readonly Uint8Array[];
  /** Audit paths; leaf and width are not filled by servers. */
  readonly inclusionProofs: readonly (readonly Uint8Array[])[];
}

export interface DualProof {
  readonly sourceTxHeader: TxHeader;
  readonly targetTxHeader: TxHeader;
  readonly inclusionProof: readonly Uint8Array[];
  readonly consistencyProof: readonly Uint8Array[];
  readonly targetBlTxAlh: Uint8Array;
  readonly lastInclusionProof: readonly Uint8Array[];
  readonly linearProof: LinearProof;
  readonly linearAdvanceProof?: LinearAdvanceProof;
}

export interface DualProofV2 {
  readonly sourceTxHeader: TxHeader;
  readonly targetTxHeader: TxHeader;
  readonly inclusionProof: readonly Uint8Array[];
  readonly consistencyProof: readonly Uint8Array[];
}
