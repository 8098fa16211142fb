// Questions with their answers, as they are checked, and as evidence keeps them.
import { claimQuestion } from '../../../verify/readings/claim.js';
import type { Context, Job, Question, Root } from '../../../verify/verifier.js';
import { unixSeconds } from '../../input/unix-seconds.js';

/** What is needed to check a claim of a plain read once more. */
export interface Claimed {
  readonly key: Uint8Array;
  readonly claim: { readonly tx: bigint };
  readonly shown: Uint8Array;
  /** How it was shown. @default as the value of its key */
  readonly as?: 'version' | 'raw';
}

export class Jobs {
  readonly #database: string;
  readonly #spki: Uint8Array | undefined;
  readonly #claims = new WeakMap<
    Uint8Array,
    { readonly head: Root | null; readonly tx: bigint; readonly job: Job }
  >();

  /** `spki`: SPKI DER of the server's state key, where one is configured. */
  constructor(database: string, spki: Uint8Array | undefined) {
    this.#database = database;
    this.#spki = spki;
  }

  /** What an answer to a question that was asked under `head`, at the time `now`, is checked under. */
  context(head: Root | null, now: bigint = unixSeconds()): Context {
    return { head, database: this.#database, now, ...(this.#spki && { publicKey: this.#spki }) };
  }

  job(question: Question, head: Root | null, answer: Uint8Array, now?: bigint): Job {
    return { question, context: this.context(head && { tx: head.tx, alh: head.alh }, now), answer };
  }

  /** The check that a claim of a plain read fails, to be run again by anyone. One job for all who were shown it. */
  claim(claimed: Claimed, head: Root | null): Job {
    const { claim, shown } = claimed;
    const known = this.#claims.get(shown);
    if (known?.head === head && known.tx === claim.tx) return known.job;
    const job = this.job(claimQuestion(claimed), head, new Uint8Array(0));
    this.#claims.set(shown, { head, tx: claim.tx, job });
    return job;
  }
}
