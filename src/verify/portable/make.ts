// Makes a proof document of an answer that was proven.
import { toHex } from '../../proof/bytes.js';
import { entryDigest } from '../../proof/entry.js';
import { alh } from '../../proof/header.js';
import { entriesInclusion } from '../../proof/tree/entries-tree.js';
import type { DualProof, KVMetadata, TxEntry, TxHeader } from '../../proof/types.js';
import { keyName } from '../key-name.js';
import { readVerifiableTx } from '../wire/answers.js';
import { PROOF_FORMAT, PROOF_VERSION } from './format.js';
import type { PortableDualProof, PortableEntry, PortableHeader, PortableProof } from './format.js';

/** An entry that the document is to be about, as it is stored. */
export interface ProofEntry {
  readonly rawKey: Uint8Array;
  /** Absent: its hash has to do. */
  readonly rawValue?: Uint8Array;
}

export interface ProofSubject {
  readonly server: string;
  readonly database: string;
  /** `all`: those of the transaction, by the hashes of their values. */
  readonly entries: readonly ProofEntry[] | 'all';
}

/**
 * `answer`: the VerifiableTx of a transaction with all its entries, proven under a root at or above it, which ends its dual
 * proof. Requires that the entries are among them, with these values.
 */
export function makeProof({ server, database, entries }: ProofSubject, answer: Uint8Array): PortableProof {
  const { tx, dualProof, signature } = readVerifiableTx(answer);
  const { header } = tx;
  const { targetTxHeader: root } = dualProof;
  return {
    format: PROOF_FORMAT,
    version: PROOF_VERSION,
    server,
    database,
    root: {
      tx: root.id.toString(),
      alh: toHex(alh(root)),
      ...(signature && { signature: toBase64(signature) }),
    },
    header: headerText(header),
    entries: entryTexts(header, tx.entries(), entries),
    ...(header.id < root.id && { dualProof: dualProofText(dualProof) }),
  };
}

function entryTexts(
  header: TxHeader,
  stored: readonly TxEntry[],
  wanted: ProofSubject['entries'],
): PortableEntry[] {
  if (wanted === 'all') return stored.map((entry) => entryText(entry, undefined, undefined));
  const values = new Map(wanted.map(({ rawKey, rawValue }) => [keyName(rawKey), rawValue]));
  const all = values.size === stored.length;
  const digests = all ? [] : stored.map((entry) => entryDigest(header.version, entry));
  return stored.flatMap((entry, index) => {
    const name = keyName(entry.key);
    if (!values.has(name)) return [];
    const path = all ? undefined : entriesInclusion(digests, index).terms.map(toHex);
    return entryText(entry, values.get(name), path && { index, path });
  });
}

function entryText(
  { key, metadata, hValue }: TxEntry,
  value: Uint8Array | undefined,
  place: Pick<PortableEntry, 'index' | 'path'> | undefined,
): PortableEntry {
  return {
    ...place,
    key: toBase64(key),
    ...(metadata && { metadata: metadataText(metadata) }),
    ...(value ? { value: toBase64(value) } : { valueHash: toHex(hValue) }),
  };
}

function metadataText({
  deleted,
  expiresAt,
  nonIndexable,
}: KVMetadata): NonNullable<PortableEntry['metadata']> {
  return {
    ...(deleted === true && { deleted }),
    ...(expiresAt !== undefined && { expiresAt: expiresAt.toString() }),
    ...(nonIndexable === true && { nonIndexable }),
  };
}

function headerText(header: TxHeader): PortableHeader {
  const { id, prevAlh, ts, version, metadata, nentries, eH, blTxId, blRoot } = header;
  return {
    id: id.toString(),
    prevAlh: toHex(prevAlh),
    ts: ts.toString(),
    version,
    ...(metadata && {
      metadata: {
        ...(metadata.truncatedTxId !== undefined && { truncatedTxID: metadata.truncatedTxId.toString() }),
        ...(metadata.extra && { extra: toBase64(metadata.extra) }),
      },
    }),
    nentries,
    eH: toHex(eH),
    blTxId: blTxId.toString(),
    blRoot: toHex(blRoot),
  };
}

function dualProofText(proof: DualProof): PortableDualProof {
  const { linearAdvanceProof: advance } = proof;
  return {
    targetTxHeader: headerText(proof.targetTxHeader),
    inclusionProof: proof.inclusionProof.map(toHex),
    consistencyProof: proof.consistencyProof.map(toHex),
    targetBlTxAlh: toHex(proof.targetBlTxAlh),
    lastInclusionProof: proof.lastInclusionProof.map(toHex),
    linearProof: proof.linearProof.terms.map(toHex),
    ...(advance && {
      linearAdvanceProof: {
        linearProofTerms: advance.linearProofTerms.map(toHex),
        inclusionProofs: advance.inclusionProofs.map((terms) => terms.map(toHex)),
      },
    }),
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
