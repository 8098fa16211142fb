// Shared by the tests of the proof code: chains made up on the spot, and reading failures.
import { ProofFailure } from '#dist/proof/failure.js';
import { EMPTY_HASH, ZERO_HASH, sha256 } from '#dist/proof/hash.js';
import { alh } from '#dist/proof/header.js';
import { HistoryTree } from '#dist/proof/tree/history-tree.js';
import type { ChainAccess } from '#dist/proof/linear.js';
import type { TxHeader } from '#dist/proof/types.js';

/** Name of the check that `run` fails; undefined when it passes. Anything but a ProofFailure is thrown on. */
export function checkFailedBy(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof ProofFailure) return error.check;
    throw error;
  }
  return undefined;
}

export function digestNumber(n: number): Uint8Array {
  return sha256(new TextEncoder().encode(`digest ${n}`));
}

export interface TestChain extends ChainAccess {
  readonly headers: readonly TxHeader[];
  readonly alhs: readonly Uint8Array[];
  readonly tree: HistoryTree;
}

/** A chain of `length` txs. `treeSizeOf` gives blTxId per tx id (default: no lag); it must not shrink. */
export function makeChain(
  length: number,
  treeSizeOf: (id: number) => number = (id) => id - 1,
  salt = 0,
): TestChain {
  const headers: TxHeader[] = [];
  const alhs: Uint8Array[] = [];
  const tree = new HistoryTree();
  for (let id = 1; id <= length; id++) {
    const blTxId = treeSizeOf(id);
    const header: TxHeader = {
      id: BigInt(id),
      prevAlh: alhs.at(-1) ?? EMPTY_HASH,
      ts: BigInt(1_700_000_000 + id),
      version: id % 5 === 0 ? 0 : 1,
      ...(id % 7 === 0 && id % 5 !== 0 ? { metadata: { extra: new Uint8Array([id & 255]) } } : {}),
      nentries: 1 + (id % 3),
      eH: digestNumber(salt * 1_000_000 + id),
      blTxId: BigInt(blTxId),
      blRoot: blTxId === 0 ? ZERO_HASH : tree.root(BigInt(blTxId)),
    };
    headers.push(header);
    const hash = alh(header);
    alhs.push(hash);
    tree.append(hash);
  }
  return {
    headers,
    alhs,
    tree,
    headerOf: (tx) => headers[Number(tx) - 1]!,
    alhOf: (tx) => alhs[Number(tx) - 1]!,
  };
}
