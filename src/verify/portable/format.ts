// The proof document, version 1: JSON that says what is proven and holds all it is proven by. Ids and times are decimal text,
// digests are hex in lower case, other bytes are base64; there is one way to write each, and no field that nothing checks.

export const PROOF_FORMAT = 'immu-ts/proof';
export const PROOF_VERSION = 1;

/** A proof that can be kept and handed on: entries of one transaction, under a root. See `verifyProof` in `immu-ts/audit`. */
export interface PortableProof {
  readonly format: typeof PROOF_FORMAT;
  readonly version: typeof PROOF_VERSION;
  /** What the server calls itself, and our name of the database: a root is theirs. */
  readonly server: string;
  readonly database: string;
  readonly root: PortableRoot;
  /** Header of the transaction. */
  readonly header: PortableHeader;
  /** All of them in their order, or some of them, each with its place and its path to the entries root. */
  readonly entries: readonly PortableEntry[];
  /** What ties the header to the root; absent where it is the root's own. */
  readonly dualProof?: PortableDualProof;
}

export interface PortableRoot {
  readonly tx: string;
  readonly alh: string;
  /** The server's signature over (database, tx, alh), DER in base64, where it signs. */
  readonly signature?: string;
}

/** By the names that immudb gives them. */
export interface PortableHeader {
  readonly id: string;
  readonly prevAlh: string;
  readonly ts: string;
  readonly version: number;
  readonly metadata?: { readonly truncatedTxID?: string; readonly extra?: string };
  readonly nentries: number;
  readonly eH: string;
  readonly blTxId: string;
  readonly blRoot: string;
}

export interface PortableEntry {
  /** Place among the entries, and audit path from there: of some of them. */
  readonly index?: number;
  readonly path?: readonly string[];
  /** Raw: with the byte before it that says of which kind it is. */
  readonly key: string;
  readonly metadata?: {
    readonly deleted?: true;
    readonly expiresAt?: string;
    readonly nonIndexable?: true;
  };
  /** The raw value, or else its SHA-256. */
  readonly value?: string;
  readonly valueHash?: string;
}

/** By the names that immudb gives them; `targetTxHeader` is the root's. */
export interface PortableDualProof {
  readonly targetTxHeader: PortableHeader;
  readonly inclusionProof: readonly string[];
  readonly consistencyProof: readonly string[];
  readonly targetBlTxAlh: string;
  readonly lastInclusionProof: readonly string[];
  readonly linearProof: readonly string[];
  readonly linearAdvanceProof?: {
    readonly linearProofTerms: readonly string[];
    readonly inclusionProofs: readonly (readonly string[])[];
  };
}
