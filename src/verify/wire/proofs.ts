// Decoding of proofs (messages DualProof, LinearProof, LinearAdvanceProof, InclusionProof), with every list
// bounded before it grows: how long it must be exactly is for the verifying code to say.
import { ProofFailure } from '../../proof/failure.js';
import type {
  DualProof,
  InclusionProof,
  LinearAdvanceProof,
  LinearProof,
  TxHeader,
} from '../../proof/types.js';
import { readTxHeader } from './headers.js';
import { onlyOnce, present, presentDigest, type WireReader } from './reader.js';

/** No path in a tree of fewer than 2^63 leaves has more terms. */
export const MAX_PATH_TERMS = 64;

/**
 * Most transactions that a linear proof may step over. Current servers need 2 terms; data written with a lagging
 * history tree needs one for each transaction of the lag, and those servers capped the lag at about a thousand.
 * A step costs one hash, and in a linear-advance proof up to 64 more: this is what a lie can cost us at most.
 */
export const MAX_LINEAR_TERMS = 4096;

export function readDualProof(reader: WireReader): DualProof {
  let sourceTxHeader: TxHeader | undefined;
  let targetTxHeader: TxHeader | undefined;
  const inclusionProof: Uint8Array[] = [];
  const consistencyProof: Uint8Array[] = [];
  let targetBlTxAlh: Uint8Array | undefined;
  const lastInclusionProof: Uint8Array[] = [];
  let linearProof: LinearProof | undefined;
  let linearAdvanceProof: LinearAdvanceProof | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(sourceTxHeader, 'DualProof.sourceTxHeader');
      sourceTxHeader = readTxHeader(reader.message('DualProof.sourceTxHeader'));
    } else if (field === 2) {
      onlyOnce(targetTxHeader, 'DualProof.targetTxHeader');
      targetTxHeader = readTxHeader(reader.message('DualProof.targetTxHeader'));
    } else if (field === 3) pushTerm(reader, inclusionProof, MAX_PATH_TERMS, 'DualProof.inclusionProof');
    else if (field === 4) pushTerm(reader, consistencyProof, MAX_PATH_TERMS, 'DualProof.consistencyProof');
    else if (field === 5) targetBlTxAlh = reader.digest('DualProof.targetBlTxAlh');
    else if (field === 6)
      pushTerm(reader, lastInclusionProof, MAX_PATH_TERMS, 'DualProof.lastInclusionProof');
    else if (field === 7) {
      onlyOnce(linearProof, 'DualProof.linearProof');
      linearProof = readLinearProof(reader.message('DualProof.linearProof'));
    } else if (field === 8) {
      onlyOnce(linearAdvanceProof, 'DualProof.LinearAdvanceProof');
      linearAdvanceProof = readLinearAdvanceProof(reader.message('DualProof.LinearAdvanceProof'));
    } else reader.skip();
  }
  return {
    sourceTxHeader: present(sourceTxHeader, 'DualProof.sourceTxHeader'),
    targetTxHeader: present(targetTxHeader, 'DualProof.targetTxHeader'),
    inclusionProof,
    consistencyProof,
    targetBlTxAlh: presentDigest(targetBlTxAlh, 'DualProof.targetBlTxAlh'),
    lastInclusionProof,
    linearProof: present(linearProof, 'DualProof.linearProof'),
    ...(linearAdvanceProof && { linearAdvanceProof }),
  };
}

function readLinearProof(reader: WireReader): LinearProof {
  let sourceTxId = 0n;
  let targetTxId = 0n;
  const terms: Uint8Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) sourceTxId = reader.id('LinearProof.sourceTxId');
    else if (field === 2) targetTxId = reader.id('LinearProof.TargetTxId');
    else if (field === 3) pushTerm(reader, terms, MAX_LINEAR_TERMS, 'LinearProof.terms');
    else reader.skip();
  }
  if (BigInt(terms.length) > targetTxId - sourceTxId + 1n) {
    throw new ProofFailure(
      'wire.bound',
      'LinearProof.terms: more than it has transactions',
      targetTxId - sourceTxId + 1n,
      terms.length,
    );
  }
  return { sourceTxId, targetTxId, terms };
}

function readLinearAdvanceProof(reader: WireReader): LinearAdvanceProof {
  const linearProofTerms: Uint8Array[] = [];
  const inclusionProofs: (readonly Uint8Array[])[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1)
      pushTerm(reader, linearProofTerms, MAX_LINEAR_TERMS, 'LinearAdvanceProof.linearProofTerms');
    else if (field === 2) {
      atMost(inclusionProofs.length + 1, MAX_LINEAR_TERMS, 'LinearAdvanceProof.inclusionProofs');
      inclusionProofs.push(readInclusionProof(reader.message('LinearAdvanceProof.inclusionProofs')).terms);
    } else reader.skip();
  }
  return { linearProofTerms, inclusionProofs };
}

export function readInclusionProof(reader: WireReader): InclusionProof {
  let leaf = 0;
  let width = 0;
  const terms: Uint8Array[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) leaf = reader.count('InclusionProof.leaf');
    else if (field === 2) width = reader.count('InclusionProof.width');
    else if (field === 3) pushTerm(reader, terms, MAX_PATH_TERMS, 'InclusionProof.terms');
    else reader.skip();
  }
  return { leaf, width, terms };
}

function pushTerm(reader: WireReader, terms: Uint8Array[], max: number, name: string): void {
  atMost(terms.length + 1, max, name);
  terms.push(reader.digest(name));
}

function atMost(length: number, max: number, name: string): void {
  if (length > max) throw new ProofFailure('wire.bound', `${name}: too many`, max, length);
}
