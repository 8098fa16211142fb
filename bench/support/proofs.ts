// Dual proofs in trees of any size, and header chains, made once and outside the measured loops.
import { randomBytes } from 'node:crypto';
import { buildDualProof } from '#dist/proof/dual-proof.js';
import { alh } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import type { DualProof, TxHeader } from '#dist/proof/types.js';

export interface ProofOfSize {
  readonly proof: DualProof;
  readonly sourceAlh: Uint8Array;
  readonly targetAlh: Uint8Array;
}

/** A dual proof from a tx in the middle to the last of `size` txs; the other leaves are random. */
export function dualProofIn(size: number): ProofOfSize {
  const tree = new HistoryTree();
  const source = BigInt(Math.max(2, Math.floor(size / 2) - 1));
  const target = BigInt(size);
  let previous = random();
  for (let id = 1n; id < source; id++) tree.append((previous = random()));
  const sourceHeader = headerOf(source, previous, tree);
  const sourceAlh = alh(sourceHeader);
  tree.append((previous = sourceAlh));
  for (let id = source + 1n; id < target; id++) tree.append((previous = random()));
  const targetHeader = headerOf(target, previous, tree);
  const last = previous;
  const chain = {
    headerOf: (tx: bigint) => (tx === source ? sourceHeader : targetHeader),
    alhOf: (tx: bigint) => (tx === source ? sourceAlh : last),
  };
  const proof = buildDualProof(sourceHeader, targetHeader, tree, chain);
  return { proof, sourceAlh, targetAlh: alh(targetHeader) };
}

/** `length` headers that follow each other, from tx 1 on. */
export function headerChain(length: number): TxHeader[] {
  const tree = new HistoryTree();
  const headers: TxHeader[] = [];
  let previous: Uint8Array | undefined;
  for (let id = 1n; id <= BigInt(length); id++) {
    const header = headerOf(id, previous, tree);
    headers.push(header);
    previous = alh(header);
    tree.append(previous);
  }
  return headers;
}

function headerOf(id: bigint, prevAlh: Uint8Array | undefined, tree: HistoryTree): TxHeader {
  const blTxId = id - 1n;
  return {
    id,
    prevAlh: prevAlh ?? EMPTY,
    ts: 1_700_000_000n,
    version: 1,
    nentries: 1,
    eH: random(),
    blTxId,
    blRoot: tree.root(blTxId),
  };
}

const EMPTY = Buffer.from('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex');

function random(): Uint8Array {
  return Uint8Array.from(randomBytes(32));
}
