// How the history tree of a head has grown from the trees that witnesses have seen: asked for once each, and proven.
import { ImmuError } from '../../../errors.js';
import { toBase64 } from '../../../proof/heads/base64.js';
import { treeStep } from '../../../verify/heads/tree-step.js';
import type { TreeStep } from '../../../verify/heads/tree-step.js';
import type { Root, TreeAt } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { askHeaderUnder } from '../../trust/trust-wire.js';

/** The tree of the size that was asked for is not committed to by the header that follows it: old servers lagged. */
export class NoSuchTree extends Error {}

/**
 * Proves the header of `tx` under the head, and with it how the tree grew from the one that it commits to. One request.
 *
 * @throws VerificationError when the answer does not prove it
 */
export async function proveStep(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  head: Root,
  tx: bigint,
): Promise<TreeStep> {
  const answer = await trust.ask(call, head, () => askHeaderUnder(rpc, tx, head, call.deadline.left));
  await trust.prove(call, { kind: 'tx', tx }, head, answer);
  return treeStep(answer);
}

export class HeadSteps {
  readonly head: Root;
  /** The tree that the head's header commits to. */
  readonly tree: TreeAt;
  readonly #prove: (tx: bigint) => Promise<TreeStep>;
  readonly #steps = new Map<bigint, Promise<TreeStep>>();

  private constructor(head: Root, first: TreeStep, prove: (tx: bigint) => Promise<TreeStep>) {
    this.head = head;
    this.tree = first.newer;
    this.#prove = prove;
    this.#steps.set(first.older.size, Promise.resolve(first));
  }

  /** `sizes`: those that witnesses are known to have seen; the first question is about one of them. */
  static async from(
    rpc: Rpc,
    trust: DatabaseTrust,
    call: Call,
    sizes: readonly (bigint | undefined)[],
  ): Promise<HeadSteps> {
    const { tx, alh } = await trust.head(call);
    if (tx < 2n)
      throw new ImmuError('PRECONDITION_FAILED', 'a head commits to a tree from the second transaction on');
    const head = { tx, alh };
    const prove = (asked: bigint) => proveStep(rpc, trust, call, head, asked);
    const seen = sizes.find((size) => size !== undefined && size > 0n && size < tx);
    return new HeadSteps(head, await prove(seen === undefined ? tx : seen + 1n), prove);
  }

  /**
   * The lines that prove that the tree of `size` leaves is a prefix of this one. Requires a size up to the tree's own.
   *
   * @throws NoSuchTree
   */
  async linesFrom(size: bigint): Promise<string> {
    if (size === 0n || size === this.tree.size) return '';
    let step = this.#steps.get(size);
    if (!step) this.#steps.set(size, (step = this.#prove(size + 1n)));
    const { older, proof } = await step;
    if (older.size !== size)
      throw new NoSuchTree(
        `the header of tx ${(size + 1n).toString()} does not commit to ${size.toString()} leaves`,
      );
    return proof.map((hash) => `${toBase64(hash)}\n`).join('');
  }
}
