// A published head, held against a server: is the tree that witnesses have cosigned part of the trusted history?
import { ArgumentError, ImmuError } from '../../../errors.js';
import { equalBytes, toHex } from '../../../proof/bytes.js';
import type { TreeHead } from '../../../proof/heads/checkpoint.js';
import { Frontier } from '../../../proof/tree/frontier.js';
import { verifyCheckpointNote } from '../../../verify/heads/checkpoint-note.js';
import type { CosignedBy, NoteKeys } from '../../../verify/heads/checkpoint-note.js';
import type { Root, TreeAt } from '../../../verify/verifier.js';
import type { Rpc } from '../../net/rpc.js';
import type { Call } from '../../trust/call.js';
import type { DatabaseTrust } from '../../trust/database-trust.js';
import { catchUp } from './catch-up.js';
import { proveStep } from './head-steps.js';

/** A cosigned tree that the trusted history extends. */
export interface WitnessedHead extends TreeHead {
  readonly cosigned: readonly CosignedBy[];
  /** Trusted head under which it was proven. */
  readonly head: Root;
}

type Checked = Pick<WitnessedHead, 'cosigned'> & { readonly checkpoint: TreeHead };

/** @throws ArgumentError when the note is not cosigned as it must be, or the keys are none */
export function toWitnessed(note: string | Uint8Array, keys: NoteKeys): Checked {
  const verdict = verifyCheckpointNote(note, keys);
  if (!verdict.ok) throw new ArgumentError('note', `note is not used: ${verdict.finding}`);
  return verdict;
}

/** @throws VerificationError FORK_DETECTED, SERVER_BEHIND_TRUST */
export async function verifyHead(
  rpc: Rpc,
  trust: DatabaseTrust,
  call: Call,
  { checkpoint, cosigned }: Checked,
): Promise<WitnessedHead> {
  await trust.ready(call);
  const { origin, size, root } = checkpoint;
  const shown = size === 0n ? root : (await treeAt(rpc, trust, call, size)).root;
  if (!equalBytes(shown, root)) {
    throw await trust.refuse(call.operation, {
      check: 'witness.fork',
      detail: `witnesses of ${origin} have cosigned another history of the first ${size.toString()} transactions`,
      expected: toHex(root),
      computed: toHex(shown),
      tx: size,
    });
  }
  return { ...checkpoint, cosigned, head: trust.root };
}

/** The trusted history's own tree over so many transactions. */
async function treeAt(rpc: Rpc, trust: DatabaseTrust, call: Call, size: bigint): Promise<TreeAt> {
  let head = await trust.head(call);
  if (head.tx <= size) {
    const there = await catchUp(trust, call, size, 'whoever cosigned the head');
    if (there instanceof ImmuError) throw there;
    if (there === 'unasked')
      throw new ImmuError('UNAVAILABLE', `the server could not be asked for tx ${size.toString()}`);
    head = await trust.head(call);
    const { frontier } = head;
    // Its newest transaction is the tree's last leaf: no header commits to that yet.
    if (there === 'next' && frontier?.size === size) return { size, root: Frontier.from(frontier).root() };
  }
  const { older } = await proveStep(rpc, trust, call, { tx: head.tx, alh: head.alh }, size + 1n);
  if (older.size === size) return older;
  throw await trust.refuse(call.operation, {
    check: 'witness.lag',
    detail: `the header of tx ${(size + 1n).toString()} does not commit to the transactions before it`,
    expected: size.toString(),
    computed: older.size.toString(),
    tx: size + 1n,
  });
}
