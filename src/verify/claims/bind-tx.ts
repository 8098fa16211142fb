// The core of every verified call: ties the transaction an answer talks about to the trusted head
// (docs/protocol.md §14.2), and its entries to its header (docs/protocol.md §14.4).
import { equalBytes } from '../../proof/bytes.js';
import { verifyDualProof } from '../../proof/dual-proof.js';
import type { ProvenEnds } from '../../proof/dual-proof.js';
import { verifyEntries } from '../../proof/tree/entries-tree.js';
import { OtherHistory, ProofFailure } from '../../proof/failure.js';
import { Frontier } from '../../proof/tree/frontier.js';
import { EMPTY_HASH, ZERO_HASH } from '../../proof/hash.js';
import { alh } from '../../proof/header.js';
import type { DualProof, TxEntry, TxHeader } from '../../proof/types.js';
import type { Context, FrontierPeaks, ProvenTarget, ProvenTx, Root } from '../terms.js';
import type { LazyTx, VerifiableTx } from '../wire/answers.js';
import { provenTarget, provenTx } from './proven.js';
import { checkStateSignature } from '../chain/signature.js';

/** A transaction that is proven under the head. */
export interface BoundTx {
  readonly header: TxHeader;
  readonly subject: ProvenTx;
  readonly target: ProvenTarget;
}

/** Which proof was asked for. */
export interface BindOptions {
  /**
   * Under the known empty database the request asked for a proof since tx 1, so that history is proven to start
   * at genesis. Without it an empty head brings a self-proof, like no head at all.
   */
  readonly sinceGenesis?: boolean;
}

/**
 * Proves that `answer.tx` is transaction `n` and lies on the history of the head:
 *
 * 1. the dual proof is between exactly n and the head's tx (or n and n, when there is no head to start from);
 * 2. it holds, with the head's own alh at the head's end;
 * 3. since genesis: its older end is tx 1 of the empty database;
 * 4. the header in the answer is the header that was proven;
 * 5. with a configured key: the newer end is signed.
 *
 * Only what this returns may be used from there on.
 */
export function bindTx(
  n: bigint,
  answer: VerifiableTx,
  context: Context,
  options: BindOptions = {},
): BoundTx {
  const { tx, dualProof, signature } = answer;
  const { sourceTxHeader, targetTxHeader } = dualProof;
  const since = startOf(context, options, sourceTxHeader);
  const sourceTx = since === null || n < since.tx ? n : since.tx;
  const targetTx = since === null || n > since.tx ? n : since.tx;
  const alhs = verifyFrom(since, answer, { sourceTx, targetTx }, context);

  const [header, subjectAlh] =
    n === targetTx ? [targetTxHeader, alhs.targetAlh] : [sourceTxHeader, alhs.sourceAlh];
  const answeredAlh = alh(tx.header);
  if (!equalBytes(answeredAlh, subjectAlh)) {
    throw new ProofFailure(
      'bind.header',
      'the header in the answer is not the proven one',
      subjectAlh,
      answeredAlh,
    );
  }

  const targetRoot = { tx: targetTx, alh: alhs.targetAlh };
  checkStateSignature(context, targetRoot, signature);

  const subject = provenTx(header, subjectAlh);
  const target = n === targetTx ? subject : provenTx(targetTxHeader, alhs.targetAlh);
  return { header, subject, target: provenTarget(target, frontierAt(dualProof, alhs.targetAlh), signature) };
}

/**
 * Verifies the dual proof between two txs, one of which is the head's. One that holds by itself, with another hash for the
 * head's tx, is more than a proof that fails: the server shows another history.
 */
function verifyFrom(
  since: Root | null,
  { dualProof, signature }: VerifiableTx,
  { sourceTx, targetTx }: { readonly sourceTx: bigint; readonly targetTx: bigint },
  context: Context,
): ProvenEnds {
  const isSource = since?.tx === sourceTx;
  const isTarget = since?.tx === targetTx;
  try {
    return verifyDualProof(dualProof, {
      sourceTx,
      sourceAlh: isSource ? since.alh : null,
      targetTx,
      targetAlh: isTarget ? since.alh : null,
    });
  } catch (failure) {
    const own = since && (isSource || isTarget) ? shownInstead(isSource, dualProof) : undefined;
    if (!own || !since || equalBytes(own, since.alh)) throw failure;
    try {
      const shown = verifyDualProof(dualProof, {
        sourceTx,
        sourceAlh: isSource ? own : null,
        targetTx,
        targetAlh: isTarget ? own : null,
      });
      checkStateSignature(context, { tx: targetTx, alh: shown.targetAlh }, signature);
    } catch {
      throw failure;
    }
    const detail = `the server proves another hash for the trusted tx ${since.tx.toString()}`;
    throw new OtherHistory(`dual-proof.${isSource ? 'source' : 'target'}-alh`, detail, since.alh, own);
  }
}

/** Hash of the header that the proof has where the head's belongs; undefined when it is none. */
function shownInstead(isSource: boolean, proof: DualProof): Uint8Array | undefined {
  try {
    return alh(isSource ? proof.sourceTxHeader : proof.targetTxHeader);
  } catch {
    return undefined;
  }
}

/** Where the proof has to start or end beside n, or null where it is n's own. */
function startOf({ head }: Context, { sinceGenesis }: BindOptions, source: TxHeader): Root | null {
  if (head === null) return null;
  if (head.tx > 0n) return head;
  return sinceGenesis === true ? genesisRoot(source) : null;
}

/** Any tx 1 continues the empty database, whatever it wrote: what is proven is that it is the first. */
function genesisRoot(first: TxHeader): Root {
  if (first.id !== 1n)
    throw new ProofFailure('bind.genesis', 'the proof does not start at tx 1', 1n, first.id);
  if (!equalBytes(first.prevAlh, EMPTY_HASH)) {
    throw new ProofFailure(
      'bind.genesis',
      'tx 1 does not follow the empty database',
      EMPTY_HASH,
      first.prevAlh,
    );
  }
  if (first.blTxId !== 0n || !equalBytes(first.blRoot, ZERO_HASH)) {
    throw new ProofFailure('bind.genesis', 'tx 1 commits to a tree', ZERO_HASH, first.blRoot);
  }
  return { tx: 1n, alh: alh(first) };
}

/**
 * Frontier at the target of a dual proof that holds. Its last inclusion proof is exactly the peaks before the
 * tree's last leaf, and that leaf was tied to prevAlh there, so nothing is left to compare (`Frontier.at` would hash
 * it all again). Under tree lag that proof says nothing about the leaves up to the target: no frontier then.
 */
function frontierAt(
  { targetTxHeader: target, lastInclusionProof }: DualProof,
  targetAlh: Uint8Array,
): FrontierPeaks | undefined {
  if (target.blTxId !== target.id - 1n) return undefined;
  const frontier =
    target.id === 1n ? Frontier.empty() : Frontier.from({ size: target.id - 2n, peaks: lastInclusionProof });
  if (target.id > 1n) frontier.append(target.prevAlh);
  frontier.append(targetAlh);
  return { size: frontier.size, peaks: frontier.peaks };
}

/** All entries of a transaction, and the leaves of the entries tree over them. */
export interface ProvenEntries {
  readonly entries: readonly TxEntry[];
  readonly leaves: readonly Uint8Array[];
}

/**
 * Proves that the answer holds all entries of the proven header, in order and without a key occurring twice,
 * and returns them.
 */
export function checkEntries(tx: LazyTx, header: TxHeader): ProvenEntries {
  if (tx.entryCount !== header.nentries) {
    throw new ProofFailure('entries.count', 'not the number the header says', header.nentries, tx.entryCount);
  }
  const entries = tx.entries();
  return { entries, leaves: verifyEntries(header, entries).leaves };
}
