// What is said to a witness, and what its answers mean (C2SP's tlog-witness, in its releases so far: a status that changed its
// place is read by its meaning).
import { decimal } from '../../../proof/heads/checkpoint.js';
import { ProofFailure } from '../../../proof/failure.js';
import { parseSignatures } from '../../../proof/heads/note.js';
import { cosignedBy } from '../../../verify/heads/cosignatures.js';
import type { Cosigned } from '../../../verify/heads/cosignatures.js';
import { serverWords } from '../../../visible.js';
import { Unreached, post } from './http.js';
import type { WitnessAnswer } from './http.js';
import type { CheckedWitness } from './options.js';
import type { RefusalReason } from './outcome.js';

/** A checkpoint on its way. */
export interface Publication {
  /** What is cosigned. */
  readonly text: string;
  /** The text, signed by the log. */
  readonly note: string;
  readonly size: bigint;
  /** Proof from an older size on, as lines. */
  readonly linesFrom: (size: bigint) => Promise<string>;
  /** Longest wait for one answer. */
  readonly timeoutMs: number;
  /** No answer is waited for beyond this, on the clock of `performance.now()`. */
  readonly until: number;
  readonly signal: AbortSignal;
}

export type Said =
  | { readonly kind: 'cosigned'; readonly cosigned: Cosigned }
  | {
      readonly kind: 'refused';
      readonly reason: RefusalReason;
      readonly detail: string;
      /** Size of the tree that it says it has seen. */
      readonly seen?: bigint;
    };

/**
 * Has a witness cosign. `seen`: the size that it is thought to have seen; where it names another, it is asked once more from
 * there.
 *
 * @throws Unreached
 */
export async function converse(
  witness: CheckedWitness,
  publication: Publication,
  seen: bigint,
): Promise<Said> {
  const first = await submit(witness, publication, seen);
  const named = sizeIn(first);
  if (named === undefined || named === seen || named > publication.size)
    return meaning(witness, publication, seen, first);
  return meaning(witness, publication, named, await submit(witness, publication, named));
}

async function submit(
  { endpoint }: CheckedWitness,
  { note, linesFrom, timeoutMs, until, signal }: Publication,
  seen: bigint,
): Promise<WitnessAnswer> {
  const proof = await linesFrom(seen);
  const leftMs = Math.floor(until - performance.now());
  if (leftMs < 1) throw new Unreached('no time was left to ask it');
  return post(endpoint, `old ${seen.toString()}\n${proof}\n${note}`, Math.min(timeoutMs, leftMs), signal);
}

/** The size that a witness names which was asked from another. */
function sizeIn({ status, body }: WitnessAnswer): bigint | undefined {
  return status === 409 ? decimal(body.replace(/\n$/, '')) : undefined;
}

function meaning(
  { key }: CheckedWitness,
  { text, size }: Publication,
  from: bigint,
  answer: WitnessAnswer,
): Said {
  const { status, body } = answer;
  if (status === 200) return cosigned(() => cosignedBy(text, parseSignatures(body), key));
  const named = sizeIn(answer);
  const refused = (reason: RefusalReason, why: string, seen = named): Said => {
    const detail = `${why} (HTTP ${status}${body === '' ? '' : `: ${serverWords(body.trim(), 200)}`})`;
    return { kind: 'refused', reason, detail, ...(seen !== undefined && { seen }) };
  };
  if (named !== undefined && named > size)
    return refused('ahead', `it has seen a tree of ${named.toString()} leaves`);
  // Newer releases say so of a tree of the same size with another root.
  if (named === size && named === from) return refused('fork', 'it has seen another tree of this size');
  if (status === 409) return refused('conflict', 'it has seen another tree meanwhile');
  // The proof was verified here: what it does not fit is the tree that the witness has seen.
  if (status === 422 && from > 0n)
    return refused('fork', 'the tree does not extend the one that it has seen', from);
  if (status === 404 || status === 403 || status === 401)
    return refused('unknown-log', 'it does not know the origin, or not this key of it');
  return refused('other', 'it did not cosign');
}

function cosigned(find: () => Cosigned | undefined): Said {
  try {
    const found = find();
    if (found) return { kind: 'cosigned', cosigned: found };
    return { kind: 'refused', reason: 'signature', detail: 'its answer has no cosignature by its key' };
  } catch (error) {
    if (!(error instanceof ProofFailure)) throw error;
    return { kind: 'refused', reason: 'signature', detail: serverWords(error.message) };
  }
}
