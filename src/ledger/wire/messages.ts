// Messages as they go over the wire: fields by their wire names, absent = zero. Ids in answers are plain numbers
// (a ledger in memory has fewer than 2^53 transactions), ids in requests are decimal strings of any size.

/** 64-bit field of a request. */
export type RequestId = string | undefined;
/** 64-bit field of an answer. */
export type AnswerId = number | string;

export interface WireKVMetadata {
  deleted?: boolean;
  expiration?: { expiresAt?: AnswerId } | null;
  nonIndexable?: boolean;
}

export interface WireTxHeader {
  id?: AnswerId;
  prevAlh?: Uint8Array;
  ts?: AnswerId;
  nentries?: number;
  eH?: Uint8Array;
  blTxId?: AnswerId;
  blRoot?: Uint8Array;
  version?: number;
  metadata?: { truncatedTxID?: AnswerId; extra?: Uint8Array };
}

export interface WireTxEntry {
  key?: Uint8Array;
  hValue?: Uint8Array;
  vLen?: number;
  metadata?: WireKVMetadata;
  value?: Uint8Array;
}

export interface WireReference {
  tx?: AnswerId;
  key?: Uint8Array;
  atTx?: AnswerId;
  metadata?: WireKVMetadata;
  revision?: AnswerId;
}

export interface WireEntry {
  tx?: AnswerId;
  key?: Uint8Array;
  value?: Uint8Array;
  referencedBy?: WireReference;
  metadata?: WireKVMetadata;
  expired?: boolean;
  revision?: AnswerId;
}

export interface WireZEntry {
  set?: Uint8Array;
  key?: Uint8Array;
  entry?: WireEntry;
  score?: number;
  atTx?: AnswerId;
}

export interface WireTx {
  header?: WireTxHeader;
  entries?: WireTxEntry[];
  kvEntries?: WireEntry[];
  zEntries?: WireZEntry[];
}

export interface WireInclusionProof {
  leaf?: number;
  width?: number;
  terms?: Uint8Array[];
}

export interface WireDualProof {
  sourceTxHeader?: WireTxHeader;
  targetTxHeader?: WireTxHeader;
  inclusionProof?: Uint8Array[];
  consistencyProof?: Uint8Array[];
  targetBlTxAlh?: Uint8Array;
  lastInclusionProof?: Uint8Array[];
  linearProof?: { sourceTxId?: AnswerId; TargetTxId?: AnswerId; terms?: Uint8Array[] };
  LinearAdvanceProof?: { linearProofTerms?: Uint8Array[]; inclusionProofs?: WireInclusionProof[] };
}

export interface WireSignature {
  publicKey?: Uint8Array;
  signature?: Uint8Array;
}

export interface WireVerifiableTx {
  tx?: WireTx;
  dualProof?: WireDualProof;
  signature?: WireSignature;
}

export interface WireVerifiableEntry {
  entry?: WireEntry;
  verifiableTx?: WireVerifiableTx;
  inclusionProof?: WireInclusionProof;
}

export interface WireState {
  db?: string;
  txId?: AnswerId;
  txHash?: Uint8Array;
  signature?: WireSignature;
  precommittedTxId?: AnswerId;
  precommittedTxHash?: Uint8Array;
}

// Requests, as the schema decodes them.

export interface WirePrecondition {
  keyMustExist?: { key?: Uint8Array } | null;
  keyMustNotExist?: { key?: Uint8Array } | null;
  keyNotModifiedAfterTX?: { key?: Uint8Array; txID?: RequestId } | null;
}

export interface KeyValueRequest {
  key?: Uint8Array;
  value?: Uint8Array;
  metadata?: {
    deleted?: boolean;
    expiration?: { expiresAt?: RequestId } | null;
    nonIndexable?: boolean;
  } | null;
}

export interface SetRequest {
  KVs?: KeyValueRequest[];
  noWait?: boolean;
  preconditions?: WirePrecondition[];
}

export interface KeyRequest {
  key?: Uint8Array;
  atTx?: RequestId;
  sinceTx?: RequestId;
  noWait?: boolean;
  atRevision?: RequestId;
}

export interface ReferenceRequest {
  key?: Uint8Array;
  referencedKey?: Uint8Array;
  atTx?: RequestId;
  boundRef?: boolean;
  noWait?: boolean;
  preconditions?: WirePrecondition[];
}

export interface ZAddRequest {
  set?: Uint8Array;
  score?: number;
  key?: Uint8Array;
  atTx?: RequestId;
  boundRef?: boolean;
  noWait?: boolean;
}

export interface ExecAllRequest {
  Operations?: { kv?: KeyValueRequest | null; zAdd?: ZAddRequest | null; ref?: ReferenceRequest | null }[];
  noWait?: boolean;
  preconditions?: WirePrecondition[];
}

export interface ScanRequest {
  seekKey?: Uint8Array;
  prefix?: Uint8Array;
  desc?: boolean;
  limit?: RequestId;
  sinceTx?: RequestId;
  endKey?: Uint8Array;
  inclusiveSeek?: boolean;
  inclusiveEnd?: boolean;
  offset?: RequestId;
}

export interface ZScanRequest {
  set?: Uint8Array;
  seekKey?: Uint8Array;
  seekScore?: number;
  seekAtTx?: RequestId;
  inclusiveSeek?: boolean;
  limit?: RequestId;
  desc?: boolean;
  minScore?: { score?: number } | null;
  maxScore?: { score?: number } | null;
  sinceTx?: RequestId;
  offset?: RequestId;
}

export interface HistoryRequest {
  key?: Uint8Array;
  offset?: RequestId;
  limit?: number;
  desc?: boolean;
  sinceTx?: RequestId;
}

export type EntryTypeAction = 'EXCLUDE' | 'ONLY_DIGEST' | 'RAW_VALUE' | 'RESOLVE';

export interface EntriesSpec {
  kvEntriesSpec?: { action?: EntryTypeAction } | null;
  zEntriesSpec?: { action?: EntryTypeAction } | null;
  sqlEntriesSpec?: { action?: EntryTypeAction } | null;
}

export interface TxRequest {
  tx?: RequestId;
  entriesSpec?: EntriesSpec | null;
  sinceTx?: RequestId;
  keepReferencesUnresolved?: boolean;
}

export interface VerifiableTxRequest extends TxRequest {
  proveSinceTx?: RequestId;
}

export interface TxScanRequest {
  initialTx?: RequestId;
  limit?: number;
  desc?: boolean;
  entriesSpec?: EntriesSpec | null;
  sinceTx?: RequestId;
}

/** An id of a request; absent is 0. */
export function id(field: RequestId): bigint {
  return field === undefined ? 0n : BigInt(field);
}

const NOTHING = new Uint8Array(0);

/** Bytes of a request; absent is empty. */
export function bytes(field: Uint8Array | undefined): Uint8Array {
  return field ?? NOTHING;
}
